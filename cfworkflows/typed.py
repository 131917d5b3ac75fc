"""Types that users write down, and values checked against them.

The payload type of a workflow, and what a step's callback is annotated to return, are read from the code.
"""

import enum
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from types import FunctionType
from typing import Annotated, Any, Literal, get_args, get_origin
from uuid import UUID

from cfworkflows.checks.misfit import Misfit, Tally, Uncheckable
from cfworkflows.checks.sorts import CONTAINERS, UNIONS, is_typed_dict
from cfworkflows.errors import PayloadValidationError
from cfworkflows.generics import evaluate

_BEYOND_JSON = (enum.Enum, date, time, timedelta, Decimal, UUID)


def return_type(callback: Callable[..., object]) -> Any:
    """What a callback is annotated to return, without the Awaitable or Coroutine around it; None if that is not known.

    Looks through functools.partial, decorators that use functools.wraps, bound methods and objects with `__call__`. A
    class is its own return type. A name in quotes that does not exist at run time is not known.
    """
    if getattr(callback, "__name__", None) == "<lambda>":
        return None
    while isinstance(callback, functools.partial):
        callback = callback.func
    if isinstance(callback, type):
        return callback
    function: Any = callback
    if type(callback) is not FunctionType or hasattr(callback, "__wrapped__"):  # `inspect` is slow
        function = inspect.unwrap(callback)
        if not inspect.isroutine(function):
            function = type(function).__call__
        function = getattr(function, "__func__", function)
    try:
        annotation = getattr(function, "__annotations__", {}).get("return", inspect.Signature.empty)
    except NameError:  # Python 3.14 evaluates annotations here
        return None
    if annotation is inspect.Signature.empty:
        return None
    found = evaluate(annotation, getattr(function, "__globals__", {}))
    if found in (Awaitable, Coroutine):
        return None
    if get_origin(found) in (Awaitable, Coroutine):
        return get_args(found)[-1]
    return found


def is_validated(tp: Any) -> bool:
    """Whether values are checked against `tp`: whether it is, or holds, more than plain JSON.

    True for pydantic models, dataclasses, TypedDicts, NamedTuples, enums, Literal, dates, Decimal, UUID, whatever has
    a pydantic schema of its own, and for containers, unions, Annotated and NewType of these. False for Any, the
    builtins, and all other classes.
    """
    origin, arguments = get_origin(tp), get_args(tp)
    if origin is Annotated:
        return is_validated(arguments[0]) or any(not isinstance(note, str) for note in arguments[1:])
    if origin in UNIONS or origin in CONTAINERS:
        return any(is_validated(argument) for argument in arguments)
    if origin is Literal:
        return True
    if origin is not None:
        return is_validated(origin)
    aliased = getattr(tp, "__supertype__", None) or getattr(tp, "__value__", None)  # NewType, and the `type` statement
    if aliased is not None and not isinstance(tp, type):
        return is_validated(aliased)
    return isinstance(tp, type) and (
        is_dataclass(tp)
        or is_typed_dict(tp)
        or issubclass(tp, _BEYOND_JSON)
        or (issubclass(tp, tuple) and hasattr(tp, "_fields"))
        or hasattr(tp, "__get_pydantic_core_schema__")
    )


def validate(tp: Any, value: object) -> Any:
    """`value` as a `tp`: built from plain data, or as it is if it is one already. Dicts come back as JsDict.

    Nothing of plain data is changed or left out silently: a key that a TypedDict does not have arrives with the others,
    one that a dataclass or a model has no field for is refused, unless the model's own configuration says what becomes
    of it; and text stays text, a number a number, and True what it is.

    Raises PayloadValidationError, which names the type and each wrong field with what was given for it.
    """
    from cfworkflows.checks.checker import checker

    try:
        return checker(tp)(value, Tally())
    except Misfit as error:
        lines = "".join(f"\n  {problem}" for problem in error.problems)
        raise PayloadValidationError(f"The value does not fit {type_name(tp)}:{lines}") from error.__cause__ or error
    except Uncheckable as error:
        raise PayloadValidationError(f"A value cannot be checked against {type_name(tp)}: {error}") from error
    except RecursionError as error:
        raise PayloadValidationError(
            f"The value does not fit {type_name(tp)}: it contains itself, or is nested too deeply."
        ) from error


def coerce(tp: Any, value: object) -> Any:
    """`validate` where `tp` asks for it and `value` is not yet a `tp`; otherwise `value` as it is.

    Raises PayloadValidationError.
    """
    if not is_validated(tp):
        return value
    if isinstance(tp, type) and get_origin(tp) is None and not is_typed_dict(tp) and isinstance(value, tp):
        return value
    return validate(tp, value)


def type_name(tp: Any) -> str:
    """`tp` as its author would write it."""
    if isinstance(tp, type) and get_origin(tp) is None:
        return tp.__qualname__
    return str(tp).replace("typing.", "")
