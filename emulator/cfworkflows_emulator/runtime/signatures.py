"""The handlers of a Worker as functions: where they are written, and what arguments they can take."""

import functools
import inspect
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from cfworkflows_emulator.handlers import Arity, Event, fault

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def place(handler: Callable[..., Any]) -> str:
    """`Default.fetch (/project/src/entry.py:12)`: where the handler is written."""
    function = _function(handler)
    code = getattr(function, "__code__", None)
    name = str(getattr(handler, "__qualname__", None) or getattr(function, "__qualname__", handler))
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code is not None else name


def prefix(event: Event, name: str, handler: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """As many of the arguments of `event` as `handler`, which is there as `name`, takes.

    Raises TypeError, with its place and the signatures that are possible, if it cannot be called with any.
    """
    takes = _arity(handler)
    if takes.keywords or takes.lacks_first or len(takes.required) > len(arguments):
        raise TypeError(signature_problem(event, name, handler))
    return arguments[: takes.most]


def signature_problem(event: Event, name: str, handler: Callable[..., Any]) -> str | None:
    """Why `handler`, which is there as `name`, can never be called for `event`; None if it can."""
    found = fault(event, name, _arity(handler))
    return None if found is None else f"{place(handler)}: {found.why} {found.fix}"


def class_handler(cls: type, name: str) -> Callable[..., Any] | None:
    """The handler that an object of `cls` has, as far as that is known without making one.

    None if there is none, or if it takes an object to know: it is a property, or another descriptor.
    """
    found = inspect.getattr_static(cls, name, None)
    if isinstance(found, FunctionType):
        return MethodType(found, cls)  # its arguments do not depend on what it is bound to
    if isinstance(found, (staticmethod, classmethod)):
        found = getattr(cls, name)
    elif hasattr(type(found), "__get__"):
        return None
    return found if callable(found) else None


def _arity(handler: Callable[..., Any]) -> Arity:
    """What `handler` can be called with. A signature that cannot be read takes anything."""
    if isinstance(handler, MethodType):
        function, bound = handler.__func__, True
    else:
        function, bound = handler, False
    # Other callables may have no hash; what they take is worked out each time.
    return _of_function(function, bound) if isinstance(function, FunctionType) else _read(function, bound)


@functools.lru_cache(maxsize=256)
def _of_function(function: FunctionType, bound: bool) -> Arity:
    return _read(function, bound)


def _read(function: Callable[..., Any], bound: bool) -> Arity:
    wrapped = getattr(function, "__wrapped__", None)
    try:
        parameters = list(inspect.signature(function, follow_wrapped=False).parameters.values())
    except (TypeError, ValueError):  # something that is written in C, such as functools.cache
        return _read(wrapped, bound) if callable(wrapped) else Arity()
    by_position = [each for each in parameters if each.kind in _BY_POSITION]
    found = Arity.of(
        [each.name for each in by_position],
        sum(each.default is not each.empty for each in by_position),
        (each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.default is each.empty),
        takes_any=any(each.kind is each.VAR_POSITIONAL for each in parameters),
        is_bound=bound,
    )
    if found.most is None and callable(wrapped) and (inner := _read(wrapped, bound)).most is not None:
        # A decorator hands on what it gets. What it adds is not known, so what the function requires is not counted.
        return found._replace(most=max(inner.most, len(found.required)))
    return found


def _function(handler: Callable[..., Any]) -> Any:
    function: Any = inspect.unwrap(handler)
    while isinstance(function, functools.partial):
        function = inspect.unwrap(function.func)
    return function if hasattr(function, "__code__") else type(function).__call__
