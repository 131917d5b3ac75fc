"""What has named fields: dataclasses, TypedDicts and named tuples."""

import dataclasses
import functools
import reprlib
import sys
import typing
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, NotRequired, Required, get_args, get_origin

from cfworkflows.checks.misfit import Check, CheckerOf, Misfit, Problem, Tally, Uncheckable, refused
from cfworkflows.checks.sorts import is_typed_dict
from cfworkflows.generics import arguments_of, substituted
from cfworkflows.values.jsdict import JsDict


class _Field(NamedTuple):
    name: str
    check: Check
    is_required: bool


def record(cls: Any, arguments: tuple[Any, ...], of: CheckerOf) -> Check:
    """Of a dataclass: one of it as it is, or plain data with its fields and no others."""

    @functools.cache
    def fields() -> list[_Field]:
        hints = _hints(cls, arguments)
        return [
            _Field(name, of(hint.type if isinstance(hint := hints[name], dataclasses.InitVar) else hint), required)
            for name, required in _taken(cls)
        ]

    def check(value: Any, tally: Tally) -> Any:
        if isinstance(value, cls):
            tally.fields += 1
            return value
        if not isinstance(value, Mapping):
            raise refused(f"Input should be a dictionary or an instance of {cls.__name__}", value)
        found = _checked(fields(), value, tally, _refused_keys)
        tally.built += 1
        try:
            return _built(cls, found)
        except (ValueError, AssertionError) as error:  # as `__post_init__` refuses a value
            raise refused(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, value) from error

    return check


def typed_dict(cls: Any, arguments: tuple[Any, ...], of: CheckerOf) -> Check:
    """Of a TypedDict, which says what is there at least: what else there is arrives as it is."""

    @functools.cache
    def fields() -> list[_Field]:
        return [
            _Field(name, of(inner), required)
            for name, hint in _hints(cls, arguments).items()
            for inner, required in [_unwrapped(hint, required=name in cls.__required_keys__)]
        ]

    def check(value: Any, tally: Tally) -> Any:
        if not isinstance(value, Mapping):
            raise refused("Input should be a valid dictionary", value)
        found = _checked(fields(), value, tally, None)
        return JsDict({key: found.get(key, item) for key, item in value.items()})

    return check


def named_tuple(cls: Any, arguments: tuple[Any, ...], of: CheckerOf) -> Check:
    """Of a named tuple: from a list, or from plain data with the names of its fields."""

    @functools.cache
    def fields() -> list[_Field]:
        hints = _hints(cls, arguments)
        return [_Field(name, of(hints.get(name, Any)), name not in cls._field_defaults) for name in cls._fields]

    def check(value: Any, tally: Tally) -> Any:
        if isinstance(value, cls):
            tally.fields += 1
            return value
        tally.built += 1
        if isinstance(value, Mapping):
            return cls(**_checked(fields(), value, tally, _refused_keys))
        if not isinstance(value, (list, tuple)):
            raise refused(f"Input should be a list or an instance of {cls.__name__}", value)
        if len(value) > len(cls._fields):
            raise refused(f"Input should have at most {len(cls._fields)} items, not {len(value)}", value)
        given = dict(zip(cls._fields, value, strict=False))
        places = {name: f"[{index}]" for index, name in enumerate(cls._fields)}
        return cls(**_checked(fields(), given, tally, None, places))

    return check


def _checked(
    fields: list[_Field],
    value: Mapping[Any, Any],
    tally: Tally,
    others: Any,
    places: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Those of the fields that are there. `others` tells what is wrong with the other keys."""
    found: dict[str, Any] = {}
    wrong: list[Problem] = []
    for name, check, is_required in fields:
        place = f".{name}" if places is None else places[name]
        if name in value:
            try:
                found[name] = check(value[name], tally)
            except Misfit as error:
                wrong += error.under(place)
        elif is_required:
            wrong.append(Problem(place, "Field required", None))
    tally.fields += len(found)
    if others is not None and len(found) < len(value):
        wrong += others({field.name for field in fields}, value)
    if wrong:
        raise Misfit(wrong)
    return found


def _refused_keys(known: set[str], value: Mapping[Any, Any]) -> Iterable[Problem]:
    for key, item in value.items():
        if key not in known:
            yield Problem(f".{key}", "there is no such field", reprlib.repr(item))


def _taken(cls: Any) -> Iterable[tuple[str, bool]]:
    """The fields that plain data may have, and whether it must: what `__init__` takes, InitVars among it."""
    for name, field in cls.__dataclass_fields__.items():
        if field.init and field._field_type is not dataclasses._FIELD_CLASSVAR:  # type: ignore[attr-defined]
            yield name, field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _built(cls: Any, found: dict[str, Any]) -> Any:
    if cls.__dataclass_params__.init:
        return cls(**found)
    built = cls.__new__(cls)  # it has an `__init__` of its own, whose arguments are not the fields
    for field in dataclasses.fields(cls):
        if field.name in found:
            object.__setattr__(built, field.name, found[field.name])
        elif field.default_factory is not dataclasses.MISSING:
            object.__setattr__(built, field.name, field.default_factory())
    return built


def _hints(cls: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
    """The types of the fields, those of generic classes in terms of `arguments`."""
    try:
        hints = typing.get_type_hints(cls, localns={cls.__name__: cls, "typing": typing}, include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError) as error:
        raise Uncheckable(f"the types of the fields of {cls.__qualname__} cannot be read: {error}") from error
    given = dict(zip(getattr(cls, "__parameters__", ()), arguments, strict=False))
    written: set[str] = set()
    for base in (cls,) if is_typed_dict(cls) else cls.__mro__:  # a name belongs to the first class that writes it
        names = given
        if base is not cls:
            parameters = getattr(base, "__parameters__", ())
            bound = zip(parameters, arguments_of(cls, base) if parameters else (), strict=True)
            names = {parameter: substituted(argument, given) for parameter, argument in bound}
        new = (hints.keys() if is_typed_dict(cls) else _annotated(base) & hints.keys()) - written
        hints |= {name: substituted(hints[name], names) for name in new if names}
        written |= new
    return hints


def _annotated(cls: Any) -> set[str]:
    """The names that the class itself annotates."""
    if sys.version_info >= (3, 14):  # pragma: no cover - by version
        import annotationlib

        return set(annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF))
    return set(vars(cls).get("__annotations__", ()))


def _unwrapped(hint: Any, *, required: bool) -> tuple[Any, bool]:
    """A type without Required, NotRequired and ReadOnly around it, and whether the key has to be there."""
    origin = get_origin(hint)
    if origin is Required or origin is NotRequired:
        return _unwrapped(get_args(hint)[0], required=origin is Required)
    if getattr(origin, "_name", None) == "ReadOnly":
        return _unwrapped(get_args(hint)[0], required=required)
    return hint, required
