"""The options that a method of a binding accepts: the platform's options object, keywords, or both."""

import re
from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

_NOTHING: Mapping[str, Any] = {}
_INNER_CAPITAL = re.compile(r"(?<!^)[A-Z]")


class Form:
    """The options of a method. `names` are the platform's: `locationHint` may also be given as `location_hint`.

    A name that is a keyword of Python has an underscore behind it: `from_`.
    """

    __slots__ = ("_names", "spellings")

    def __init__(self, *names: str) -> None:
        self._names = names
        self.spellings: dict[str, str] = {}
        """Each spelling of each name, with the one in snake_case."""
        for name in names:
            snake = snake_case(name)
            self.spellings |= {name: snake, snake: snake}

    def read(
        self, method: str, options: object, keywords: Mapping[str, Any] = _NOTHING, *more: object
    ) -> dict[str, Any]:
        """The options that were passed, by their names in snake_case. A keyword replaces what the object says.

        Raises TypeError, which begins with `method`, for options that are not an object, for an unknown name, and for
        `more` arguments than the object.
        """
        if more:
            meant = ", ".join(f'"{name}": …' for name in self._names[: 1 + len(more)])
            raise TypeError(
                f"{method} takes one object with {self}, not {1 + len(more)} arguments: "
                f"write {method.removesuffix(')')}{{{meant}}})"
            )
        if options is None and not keywords:
            return {}
        if options is not None and not isinstance(options, Mapping):
            raise TypeError(f"{method} takes an object with {self}, not {options!r}")
        given: Mapping[str, Any] = {**options, **keywords} if options else keywords
        try:
            return {self.spellings[name]: value for name, value in given.items()}
        except KeyError:
            raise TypeError(f"{method} does not know {', '.join(self.unknown(given))}; it takes {self}") from None

    def unknown(self, options: Mapping[Any, Any]) -> list[str]:
        """The names in `options` that this form does not have, as text."""
        return [str(name) for name in options if name not in self.spellings]

    def __str__(self) -> str:
        *others, last = self._names
        return f"{', '.join(others)} and {last}" if others else last


def snake_case(name: str) -> str:
    """A name of the platform as Python writes it: `location_hint` for `locationHint`, `from_` for `from`."""
    name = _INNER_CAPITAL.sub(lambda capital: f"_{capital[0].lower()}", name)
    return f"{name}_" if iskeyword(name) else name
