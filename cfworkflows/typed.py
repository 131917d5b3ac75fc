"""Types that users write down, and values checked against them.

The payload type of a workflow, and what a step's callback is annotated to return, are read from the code; pydantic,
imported when the first such type is met, checks values against them and builds models and dataclasses.
"""

import collections
import enum
import functools
import inspect
import reprlib
import sys
import types
import typing
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ForwardRef,
    Generic,
    Literal,
    NotRequired,
    Required,
    TypedDict,
    TypeVar,
    Union,
    get_args,
    get_origin,
)
from uuid import UUID

from cfworkflows.errors import PayloadValidationError
from cfworkflows.values.classes import problems
from cfworkflows.values.jsdict import JsDict

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_UNIONS = {Union, types.UnionType}
_CONTAINERS = {
    list, tuple, set, frozenset, dict, collections.deque, collections.defaultdict,
    Sequence, MutableSequence, AbstractSet, Mapping, MutableMapping,
}  # fmt: skip
_BEYOND_JSON = (enum.Enum, date, time, timedelta, Decimal, UUID)


def type_arguments(cls: type, base: type) -> tuple[Any, ...]:
    """What the type parameters of the generic `base` are bound to in its subclass `cls`; `Any` where they are not.

    `class W(WorkflowEntrypoint[Env, Order])` gives `(Env, Order)`, also through classes in between. A name in quotes
    is looked up in the module of the class that writes it; one that is not there at run time is `Any`.
    """
    return tuple(_unbound_to_any(argument) for argument in _arguments(cls, base))


def _arguments(cls: type, base: type) -> tuple[Any, ...]:
    """The arguments of `base`, in terms of the type parameters of `cls`."""
    parameters: tuple[Any, ...] = getattr(base, "__parameters__", ())
    if cls is base:
        return parameters
    bound = parameters
    for written in vars(cls).get("__orig_bases__", cls.__bases__):
        parent = get_origin(written) or written
        if parent is Generic or not issubclass(parent, base):
            continue
        given = [_resolved(argument, cls) for argument in get_args(written)]
        names = dict(zip(getattr(parent, "__parameters__", ()), given, strict=False))
        here = [_substituted(argument, names) for argument in _arguments(parent, base)]
        # Of two paths to the base, as with a mixin, the one that says more counts.
        bound = tuple(new if old is own else old for old, new, own in zip(bound, here, parameters, strict=True))
    return bound


def _substituted(tp: Any, names: dict[Any, Any]) -> Any:
    if isinstance(tp, TypeVar):
        return names.get(tp, tp)
    inner = getattr(tp, "__parameters__", ())
    if not inner or isinstance(tp, type):
        return tp
    return tp[tuple(names.get(parameter, parameter) for parameter in inner)]


def _unbound_to_any(tp: Any) -> Any:
    if isinstance(tp, TypeVar):
        return Any
    return _substituted(tp, dict.fromkeys(getattr(tp, "__parameters__", ()), Any))


def _resolved(tp: Any, where: type) -> Any:
    if not isinstance(tp, ForwardRef):
        return tp
    found = _evaluate(tp.__forward_arg__, vars(sys.modules[where.__module__]))
    return Any if found is None else found


def _evaluate(annotation: Any, names: dict[str, Any]) -> Any:
    """The type that an annotation stands for, None if it does not stand for one at run time."""

    def bearer() -> None: ...

    bearer.__annotations__ = {"return": annotation}
    try:
        return typing.get_type_hints(bearer, names, include_extras=True)["return"]
    except (NameError, AttributeError, TypeError, SyntaxError):
        return None


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
    found = _evaluate(annotation, getattr(function, "__globals__", {}))
    if found in (Awaitable, Coroutine):
        return None
    if get_origin(found) in (Awaitable, Coroutine):
        return get_args(found)[-1]
    return found


def is_validated(tp: Any) -> bool:
    """Whether values are checked against `tp`: whether it is, or holds, more than plain JSON.

    True for pydantic models, dataclasses, TypedDicts, NamedTuples, enums, Literal, dates, Decimal, UUID, whatever has
    a pydantic schema of its own, and for containers, unions, Annotated and NewType of these. False for Any, the
    builtins, and classes that pydantic does not know.
    """
    origin, arguments = get_origin(tp), get_args(tp)
    if origin is Annotated:
        return is_validated(arguments[0]) or any(not isinstance(note, str) for note in arguments[1:])
    if origin in _UNIONS or origin in _CONTAINERS:
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
        or _is_typed_dict(tp)
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
    try:
        from pydantic import PydanticUserError, ValidationError
    except ImportError as error:
        raise PayloadValidationError(
            f"A value cannot be checked against {type_name(tp)} without pydantic. Install pydantic."
        ) from error
    try:
        checked = _readable(_adapter(tp).validate_python(value))
    except ValidationError as error:
        lines = "".join(f"\n  {problem}" for problem in problems(error))
        raise PayloadValidationError(f"The value does not fit {type_name(tp)}:{lines}") from error
    except (PydanticUserError, NameError) as error:
        raise PayloadValidationError(f"pydantic cannot check values against {type_name(tp)}: {error}") from error
    if lost := list(_lost(value, checked, "")):
        lines = "".join(f"\n  {problem}" for problem in lost)
        raise PayloadValidationError(f"The value does not fit {type_name(tp)}:{lines}")
    return checked


def _lost(given: Any, checked: Any, place: str) -> Iterator[str]:
    """What of plain data did not arrive in what was made of it: a line for each, as for what pydantic refuses."""
    if given is checked:
        return
    if isinstance(given, Mapping):
        yield from _lost_keys(given, checked, place)
    elif isinstance(given, (list, tuple)) and isinstance(checked, (set, frozenset)):
        if len(given) != len(checked):
            yield f"{place.lstrip('.') or 'the value'}: some items are there twice (given {reprlib.repr(given)})"
    elif isinstance(given, (list, tuple)):
        if isinstance(checked, (list, tuple, collections.deque)) and len(given) == len(checked):
            for index, (before, after) in enumerate(zip(given, checked, strict=True)):
                yield from _lost(before, after, f"{place}[{index}]")
    elif _is_scalar(given) and _is_scalar(checked) and not _is_same(given, checked):
        kinds = f"{type(given).__name__} would become the {type(checked).__name__} {reprlib.repr(checked)}"
        yield f"{place.lstrip('.') or 'the value'}: the {kinds} (given {reprlib.repr(given)})"


def _lost_keys(given: Mapping[Any, Any], checked: Any, place: str) -> Iterator[str]:
    refuses = True
    if isinstance(checked, Mapping):
        refuses = False
        if isinstance(checked, JsDict) and checked.keys() <= given.keys():
            # A TypedDict says what is there at least: the rest arrives as it is.
            checked.update({key: given[key] for key in given if key not in checked})
        names = {key: key for key in checked}
        after: Any = checked.get
    elif hasattr(type(checked), "model_fields"):
        refuses = "extra" not in type(checked).model_config  # whose author says what becomes of the others
        names = _names_in_model(checked)
        after = functools.partial(getattr, checked)
    elif is_dataclass(checked) or hasattr(checked, "_fields"):
        names = {name: name for name in getattr(checked, "__dataclass_fields__", None) or checked._fields}
        after = functools.partial(getattr, checked)
    else:
        return
    for key, before in given.items():
        where = f"{place}.{key}"
        if key in names:
            yield from _lost(before, after(names[key]), where)
        elif refuses:
            yield f"{where.lstrip('.')}: there is no such field (given {reprlib.repr(before)})"


def _names_in_model(model: Any) -> dict[Any, str]:
    """The field that each key of plain data is for: by its name, or by an alias."""
    names = {name: name for name in type(model).model_fields}
    for name, field in type(model).model_fields.items():
        aliases = getattr(field.validation_alias, "choices", [field.validation_alias])
        names |= {getattr(alias, "path", [alias])[0]: name for alias in (*aliases, field.alias) if alias is not None}
    return names


def _is_scalar(value: object) -> bool:
    return type(value) in (bool, int, float, str)


def _is_same(given: Any, checked: Any) -> bool:
    if isinstance(given, str) or isinstance(checked, str):
        return type(given) is type(checked)  # a text that is another one now was changed by what its type says
    return isinstance(given, bool) == isinstance(checked, bool)


def coerce(tp: Any, value: object) -> Any:
    """`validate` where `tp` asks for it and `value` is not yet a `tp`; otherwise `value` as it is.

    Raises PayloadValidationError.
    """
    if not is_validated(tp):
        return value
    if isinstance(tp, type) and get_origin(tp) is None and not _is_typed_dict(tp) and isinstance(value, tp):
        return value
    return validate(tp, value)


def type_name(tp: Any) -> str:
    """`tp` as its author would write it."""
    if isinstance(tp, type) and get_origin(tp) is None:
        return tp.__qualname__
    return str(tp).replace("typing.", "")


def _adapter(tp: Any) -> "TypeAdapter[Any]":
    try:
        hash(tp)
    except TypeError:  # Annotated with a list, for example
        return _new_adapter(tp)
    return _cached_adapter(tp)


def _new_adapter(tp: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(_portable(tp))


_cached_adapter = functools.lru_cache(maxsize=1024)(_new_adapter)


def _is_typed_dict(tp: Any) -> bool:
    return isinstance(tp, type) and issubclass(tp, dict) and hasattr(tp, "__required_keys__")


def _portable(tp: Any, within: tuple[Any, ...] = ()) -> Any:
    """`tp` with typing's TypedDicts replaced by typing_extensions' on Python 3.11, where pydantic refuses the former.

    One that contains itself stays as it is, and pydantic says what to do about it.
    """
    if sys.version_info >= (3, 12):  # pragma: no cover - by version
        return tp
    if type(tp) is type(_FromTyping) and tp not in within:
        return _from_typing_extensions(tp, (*within, tp))
    origin, arguments = get_origin(tp), get_args(tp)
    if origin is Annotated:
        return Annotated[(_portable(arguments[0], within), *arguments[1:])]
    if origin in _UNIONS or origin in _CONTAINERS:
        generic: Any = Union if origin in _UNIONS else origin
        return generic[tuple(_portable(argument, within) for argument in arguments)]
    return tp


class _FromTyping(TypedDict):
    pass


def _from_typing_extensions(tp: Any, within: tuple[Any, ...]) -> Any:
    import typing_extensions

    keys: dict[str, Any] = {}
    for name, hint in typing.get_type_hints(tp, include_extras=True).items():
        wrapper = get_origin(hint)
        inner = _portable(get_args(hint)[0] if wrapper in (Required, NotRequired) else hint, within)
        optional = wrapper is NotRequired or (wrapper is not Required and name in tp.__optional_keys__)
        keys[name] = NotRequired[inner] if optional else Required[inner]
    make: Any = typing_extensions.TypedDict
    return make(tp.__name__, keys)


def _readable(value: Any) -> Any:
    """`value` with its plain dicts as JsDict, as `decode` gives them."""
    if type(value) is dict or type(value) is JsDict:
        return JsDict({key: _readable(item) for key, item in value.items()})
    return [_readable(item) for item in value] if type(value) is list else value
