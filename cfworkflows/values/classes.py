"""Classes that are stored by name: pydantic models, dataclasses, namedtuples and enums.

What is stored is `"module:qualname"` and the fields. A value is rebuilt by a check of its fields against the class as
it is now, since the code may have changed. What cannot be rebuilt comes back as plain data, with a warning.
"""

import dataclasses
import enum
import inspect
import sys
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cfworkflows.caller import warn
from cfworkflows.checks.misfit import Check, Misfit, Tally, Uncheckable
from cfworkflows.values.jsdict import JsDict

if TYPE_CHECKING:
    from pydantic import BaseModel

Resolve = Callable[[str], type | None]
"""Returns the class of a recorded name, `"module:qualname"`, or None."""


class UnresolvedClassWarning(UserWarning):
    """A stored value came back as plain data: its class was not found, or no longer fits the value."""


class _Unfit(Exception):
    """The class was found, and the stored fields are not its fields."""


def class_name(cls: type) -> str:
    """The name that a class is recorded by: `"module:qualname"`."""
    return f"{cls.__module__}:{cls.__qualname__}"


def resolve_class(name: str) -> type | None:
    """Find `"module:qualname"` among the modules that are already imported. Nothing is imported.

    A class that was defined inside a function (`<locals>` in its name) is not found: it has no name outside of it.
    """
    module_name, _, qualname = name.partition(":")
    module = sys.modules.get(module_name)
    if module is None:
        return None
    # pydantic puts a parametrised model into its module under its full name, "Box[int]" or "Box[a.B]".
    found: object = vars(module).get(qualname)
    if found is None:
        found = module
        for part in qualname.split("."):
            found = getattr(found, "__dict__", {}).get(part)
    return found if isinstance(found, type) else None


def is_model(cls: type) -> bool:
    """Whether `cls` is a pydantic model. Where pydantic was never imported there are none."""
    base = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    return base is not None and issubclass(cls, base)


def model_fields(model: "BaseModel") -> dict[str, Any]:
    """The values of a model by field name (not alias), with the extra ones and without private attributes."""
    own = vars(model)
    return {name: own[name] for name in type(model).model_fields if name in own} | (model.model_extra or {})


def model_field_as_json(model: "BaseModel", name: str) -> Any:
    """What pydantic writes for a field that only it can write, such as a URL.

    Raises ValueError, TypeError or KeyError if it cannot either, or if another value would be read back, as for a
    secret.
    """
    written = model.model_dump(mode="json", include={name}, by_alias=False, warnings=False)[name]
    back = _build_model(type(model), model_fields(model) | {name: written})
    if getattr(back, name) != getattr(model, name):
        raise ValueError(f"{name} is written as {written!r}, which reads back as another value")
    return written


def revive_object(name: str, fields: JsDict, unset: list[str], resolve: Resolve) -> object:
    """The model, dataclass or namedtuple that was stored; its fields as a JsDict, and a warning, if that fails."""

    def build(cls: type) -> object:
        if is_model(cls):
            model = _build_model(cls, fields)
            model.model_fields_set.difference_update(unset)
            return model
        if dataclasses.is_dataclass(cls):
            return _build_dataclass(cls, fields)
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            return _build_namedtuple(cls, fields)
        raise _Unfit("it is no pydantic model, dataclass or namedtuple any more")

    return _revive(name, build, fields, resolve)


def revive_enum(name: str, member: str | None, value: object, resolve: Resolve) -> object:
    """The enum member with this value, or else with this name; the value itself, and a warning, if there is none."""

    def build(cls: type) -> object:
        if not issubclass(cls, enum.Enum):
            raise _Unfit("it is no enum any more")
        try:
            return cls(value)
        except ValueError:
            if member is not None and member in cls.__members__:
                return cls[member]
            raise

    return _revive(name, build, value, resolve)


def _revive(name: str, build: Callable[[type], object], plain: object, resolve: Resolve) -> object:
    cls = resolve(name)
    if cls is None and "[" in name:
        cls = resolve(name.partition("[")[0])
    if cls is None:
        warn_unresolved(name, "no imported module has a class of that name" + _hint(name))
        return plain
    try:
        return build(cls)
    except Exception as error:  # noqa: BLE001 - validators and __post_init__ are the user's: they raise what they like
        warn_unresolved(name, "; ".join(problems(error)))
        return plain


def _hint(name: str) -> str:
    return " (it is defined inside a function: move it to the top of a module)" if "<locals>" in name else ""


def warn_unresolved(name: str, reason: str) -> None:
    """Warn that a stored `name` is read as plain data, and why."""
    warn(f"A stored {name} is read as plain data: {reason}.", UnresolvedClassWarning)


def problems(error: Exception) -> list[str]:
    """What is wrong, a line for each wrong field: `items[0].price: Input should be … (given 'x')`."""
    if isinstance(error, Misfit):
        return [str(problem) for problem in error.problems]
    from_pydantic = getattr(sys.modules.get("pydantic"), "ValidationError", ())
    if isinstance(error, from_pydantic):
        from cfworkflows.checks.models import problems_of

        return [str(problem) for problem in problems_of(error)]
    return [str(error) or type(error).__name__]


def _build_model(cls: Any, fields: Mapping[str, Any]) -> Any:
    data = fields["root"] if getattr(cls, "__pydantic_root_model__", False) else fields
    return cls.model_validate(data, by_alias=False, by_name=True)


def _build_dataclass(cls: Any, stored: Mapping[str, Any]) -> object:
    """Build it through its `__init__`, then put every field back as it was stored.

    `__init__` and `__post_init__` set what is not a field, and may raise; a `__post_init__` that changes a field has
    already done so once, before the value was stored.
    """
    known = {field.name: field for field in dataclasses.fields(cls)}
    missing = [field for name, field in known.items() if name not in stored and field.init and not _has_default(field)]
    _check_names(stored, set(known), [field.name for field in missing])
    of_pydantic = "__pydantic_validator__" in vars(cls)
    values = dict(stored) if of_pydantic else _checked(cls, stored)
    arguments = {name: value for name, value in values.items() if known[name].init}
    if of_pydantic:
        from pydantic import TypeAdapter

        built = TypeAdapter(cls).validate_python(arguments, by_alias=False, by_name=True)
        values = {name: value for name, value in values.items() if not known[name].init}
    elif _accepts(cls, tuple(arguments)):
        built = cls(**arguments)
    else:  # An InitVar without a default was not stored, or the class has an __init__ of its own: restored as by copy.
        built = cls.__new__(cls)
        values = {
            name: field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
            for name, field in known.items()
            if _has_default(field)
        } | values
    for name, value in values.items():
        object.__setattr__(built, name, value)
    return built


def _has_default(field: "dataclasses.Field[Any]") -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


@lru_cache(maxsize=1024)
def _accepts(cls: type, names: tuple[str, ...]) -> bool:
    try:
        inspect.signature(cls).bind(**dict.fromkeys(names))
    except TypeError:
        return False
    return True


def _build_namedtuple(cls: Any, stored: Mapping[str, Any]) -> object:
    defaults = cls._field_defaults
    _check_names(stored, set(cls._fields), [n for n in cls._fields if n not in stored and n not in defaults])
    values = defaults | _checked(cls, stored)
    return cls._make(values[name] for name in cls._fields)


def _check_names(stored: Mapping[str, Any], known: set[str], missing: list[str]) -> None:
    wrong = [f"{name} is not a field any more" for name in stored if name not in known]
    wrong += [f"{name} was not stored and has no default" for name in missing]
    if wrong:
        raise _Unfit("; ".join(wrong))


def _checked(cls: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The stored fields as they are, where they fit their annotations, else as those have them."""
    checks = _field_checks(cls)
    values, wrong = {}, []
    for name, value in stored.items():
        try:
            values[name] = _fit(checks[name], value) if name in checks else value
        except Misfit as error:
            wrong += error.under(name)
    if wrong:
        raise Misfit(wrong)
    return values


def _fit(check: Check, value: Any) -> Any:
    tally = Tally()
    try:
        fitted = check(value, tally)
    except Uncheckable:
        return value
    return fitted if tally.conversions or tally.built else value  # So an int stays an int in a field for floats.


@lru_cache(maxsize=1024)
def _field_checks(cls: type) -> dict[str, Check]:
    """The check of each annotation that can be read."""
    from cfworkflows.checks.checker import checker

    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError):
        return {}
    checks = {}
    for name, hint in hints.items():
        with suppress(Uncheckable):
            checks[name] = checker(hint)
    return checks
