"""The handlers of a Worker: what the platform gives each, and which signatures can take it.

Signatures are read from functions at run time, and from the source by `cfwf check`; what is said of them is said here.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Event(NamedTuple):
    """What a handler is called for: `name` is the handler's, `own` are its arguments, before env and ctx.

    An event that is not `ambient` has no env and ctx among its arguments. A `strict` one is called with all of them,
    whatever the handler takes.
    """

    name: str
    own: tuple[str, ...]
    ambient: bool = True
    strict: bool = False

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of all arguments, in order."""
        return (*self.own, "env", "ctx") if self.ambient else self.own


FETCH = Event("fetch", ("request",))
SCHEDULED = Event("scheduled", ("controller",))
QUEUE = Event("queue", ("batch",))

_AMBIENT = ("env", "ctx")

EVENTS = {
    each.name: each
    for each in (
        FETCH,
        SCHEDULED,
        QUEUE,
        Event("email", ("message",)),
        Event("tail", ("events",)),
        Event("trace", ("traces",)),
    )
}
"""The events of a Worker by the names of their handlers. A named entrypoint has `fetch` of these."""


class Arity(NamedTuple):
    """What a handler takes by position: `required` are the names of the parameters without a default, `most` is the
    number of all, None if there is no limit. `keywords` are required, and cannot be given by position.

    `first` is the parameter that is bound already: `self`, `cls`, or None for a plain function. A method `lacks_first`
    if it has no parameter at all.
    """

    required: tuple[str, ...] = ()
    most: int | None = None
    keywords: tuple[str, ...] = ()
    first: str | None = None
    lacks_first: bool = False

    @classmethod
    def of(
        cls, names: Sequence[str], optional: int, keywords: Iterable[str], *, takes_any: bool, is_bound: bool
    ) -> "Arity":
        """That of a signature: the `names` by position, the last `optional` of which have a default."""
        required = tuple(names[: len(names) - optional])
        if not is_bound:
            return cls(required, None if takes_any else len(names), tuple(keywords))
        most = None if takes_any else max(len(names) - 1, 0)
        first = names[0] if names else "self"
        return cls(required[1:], most, tuple(keywords), first, lacks_first=not names and not takes_any)


class Fault(NamedTuple):
    """Why the platform can never call a handler, and what to do. `parameter` is the one at fault, if it is one."""

    why: str
    fix: str
    parameter: str | None = None


def fault(event: Event, handler: str, arity: Arity) -> Fault | None:
    """What is wrong with the signature of the handler of an event, which is called `handler`; None if nothing is."""
    given = event.arguments
    if arity.lacks_first:
        why, parameter = f"{handler}() can never be called: it is a method, and has no parameter for self.", None
    elif arity.keywords:
        parameter = arity.keywords[0]
        why = (
            f"{handler}() can never be called: it requires {parameter} as a keyword, and arguments are given by "
            "position."
        )
    elif len(arity.required) > len(given):
        parameter = arity.required[len(given)]
        why = (
            f"{handler}() can never be called: it requires {len(arity.required)} arguments "
            f"({', '.join(arity.required)}), and is given {_listed(given)}."
        )
    else:
        return None
    return Fault(why, _possible(event, handler, arity.first), parameter)


def misplaced(event: Event, handler: str, names: Sequence[str], first: str | None) -> Fault | None:
    """A parameter that is called `env` or `ctx` and is given something else; None if there is none.

    `names` are the parameters by position, without the `first`, which is bound already.
    """
    for name, given in zip(names, event.arguments, strict=False):
        if name in _AMBIENT and name != given:
            why = f"{handler}() is given {given} in its parameter {name}: arguments are given by position."
            return Fault(why, _possible(event, handler, first), name)
    return None


def _possible(event: Event, handler: str, first: str | None) -> str:
    given = event.arguments
    forms = (_form(handler, first, given[:count]) for count in range(len(given) + 1))
    return f"Possible are {_listed(tuple(forms))}."


def _form(handler: str, first: str | None, arguments: tuple[str, ...]) -> str:
    return f"{handler}({', '.join((first, *arguments) if first is not None else arguments)})"


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names) or "none"
