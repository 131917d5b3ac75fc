"""Checks what this version acts on, and gives it as models."""

from collections.abc import Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, create_model
from pydantic_core import ErrorDetails

from cfworkflows_emulator.config import keys
from cfworkflows_emulator.config.diagnostics import Path, field_name, show
from cfworkflows_emulator.config.models import Bounds, WorkerConfig, WorkflowSection
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.sections import misspelt, not_one_of, unexpected_field, wrong_type

T = TypeVar("T")

_TYPES = {
    "string_type": "string",
    "bool_type": "boolean",
    "int_type": "number",
    "list_type": "array",
    "dict_type": "object",
    "model_type": "object",
}


def check_acted(report: Report, data: Mapping[str, Any]) -> None:
    """Report what is wrong with the values that this version acts on, in one section."""
    allowed = keys.ACTED if report.env is None else keys.ACTED - keys.ACTED_TOP_LEVEL_ONLY
    section = {key: value for key, value in data.items() if key in allowed}
    try:
        validated(WorkerConfig, section)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _describe(report, section, details)


def build(data: Mapping[str, Any]) -> WorkerConfig:
    """The model of a section that has been checked; keys that nobody knows are left out."""
    section = {key: value for key, value in data.items() if key in keys.ACTED}
    try:
        return validated(WorkerConfig, section)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            if details["type"] != "extra_forbidden":
                raise
            section = _without(section, details["loc"])
        return validated(WorkerConfig, section)


def validated(cls: type[T], data: Mapping[str, Any]) -> T:
    """`data` as `cls`, one of `models`. Raises pydantic's ValidationError, which is a ValueError."""
    checked: T = _made(schema(cast("Any", cls)).model_validate(data))
    return checked


@cache
def schema(cls: Any) -> type[BaseModel]:
    """What checks values for `cls`, one of `models`: it has the same fields, and takes no others."""
    hints = get_type_hints(cls, include_extras=True)
    defaults = cls._field_defaults
    fields: dict[str, Any] = {name: (_checked(hints[name]), defaults.get(name, ...)) for name in cls._fields}
    config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)
    model: type[BaseModel] = create_model(cls.__name__, __config__=config, **fields)
    _MODELS[model] = cls
    return model


_MODELS: dict[type[BaseModel], type[Any]] = {}


def _checked(annotation: Any) -> Any:
    """The annotation of a field, for pydantic."""
    if hasattr(annotation, "_field_defaults"):
        return schema(annotation)
    if get_origin(annotation) is Annotated:
        inner, rule = get_args(annotation)
        return Annotated[inner, Field(**rule._asdict()) if isinstance(rule, Bounds) else PlainValidator(rule)]
    if get_origin(annotation) in (Union, UnionType):
        return Union[tuple(_checked(part) for part in get_args(annotation))]  # noqa: UP007 - the parts are computed
    if get_origin(annotation) is Sequence:
        return list[_checked(get_args(annotation)[0])]  # type: ignore[misc]
    if get_origin(annotation) is Mapping:
        return dict[get_args(annotation)]  # type: ignore[misc]
    return annotation


def _made(value: Any) -> Any:
    """What was checked, as `models` have it."""
    if isinstance(value, BaseModel):
        return _MODELS[type(value)](**{name: _made(part) for name, part in value})
    return [_made(each) for each in value] if isinstance(value, list) else value


def _without(value: Any, path: Path) -> Any:
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_without(element, rest) if index == head else element for index, element in enumerate(value)]
    if not rest:
        return {key: element for key, element in value.items() if key != head}
    return {key: _without(element, rest) if key == head else element for key, element in value.items()}


def _describe(report: Report, section: Mapping[str, Any], details: ErrorDetails) -> None:
    path, kind, value = details["loc"], details["type"], details["input"]
    context = details.get("ctx", {})
    name = field_name(path)
    if kind == "extra_forbidden":
        unexpected_field(report, path, _model(path[:-1]).model_fields)
    elif len(path) == 3 and path[0] == "workflows" and path[2] in _REQUIRED:
        _required_field(report, section, path)
    elif kind == "literal_error":
        not_one_of(report, path, value, _choices(path))
    elif kind == "value_error" and path == ("compatibility_date",):
        _bad_date(report, value, str(context["error"]))
    elif kind == "value_error":
        reason, *hint = context["error"].args
        report.error(f'"{name}" {reason}, but got {show(value)}.', path, suggestion=hint[0] if hint else None)
    elif kind == "model_type" and path[0] == "workflows" and len(path) == 2:
        report.error(f'"{name}" bindings should be objects, but got {show(value)}.', path)
    elif kind in ("greater_than", "greater_than_equal", "less_than_equal") or isinstance(value, float):
        what = "a port, 0 to 65535" if path == ("dev", "port") else "a positive integer"
        report.error(f'"{name}" should be {what}, but got {show(value)}.', path)
    elif kind in _TYPES:
        wrong_type(report, path, value, _TYPES[kind])
    else:
        report.error(f'"{name}": {details["msg"]}, but got {show(value)}.', path)


_REQUIRED = frozenset(name for name, info in schema(WorkflowSection).model_fields.items() if info.is_required())


def _required_field(report: Report, section: Mapping[str, Any], path: Path) -> None:
    element = section["workflows"][path[1]]
    missing = str(path[2])
    report.error(
        f'"{field_name(path[:2])}" bindings should have a string "{missing}" field but got {show(element)}.',
        path if missing in element else path[:2],
        suggestion=misspelt(element, missing, schema(WorkflowSection).model_fields),
    )


def _bad_date(report: Report, value: object, reason: str) -> None:
    suggestion = None
    if not isinstance(value, str):
        wrong_type(report, ("compatibility_date",), value, "string")
        return
    if "\N{EN DASH}" in value or "\N{EM DASH}" in value:
        plain = value.replace("\N{EN DASH}", "-").replace("\N{EM DASH}", "-")
        suggestion = f'Did you mean "{plain}"?'
    report.error(
        f'"compatibility_date" field {reason}, but got {show(value)}.', ("compatibility_date",), suggestion=suggestion
    )


def _choices(path: Path) -> list[str]:
    annotation = _model(path[:-1]).model_fields[str(path[-1])].annotation
    inner = [choice for part in get_args(annotation) for choice in (get_args(part) or (part,))]
    return [choice for choice in inner if isinstance(choice, str)]


def _model(path: Path) -> type[BaseModel]:
    """The model that describes the object at `path`."""
    model = schema(WorkerConfig)
    for part in path:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        model = next(each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel))
    return model
