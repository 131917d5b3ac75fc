"""Checks what this version acts on, and returns it as `models` and as the sections of `kinds`."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import GenericAlias, UnionType
from typing import Any, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from cfworkflows_emulator.config import keys, kinds
from cfworkflows_emulator.config.diagnostics import Path, field_name, show
from cfworkflows_emulator.config.kinds import Kind
from cfworkflows_emulator.config.models import WorkerConfig
from cfworkflows_emulator.config.paths import value_at
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.sections import misspelt, not_one_of, unexpected_field, wrong_type

T = TypeVar("T")

_TYPES = {
    "string_type": "string",
    "bool_type": "boolean",
    "int_type": "number",
    "float_type": "number",
    "list_type": "array",
    "dict_type": "object",
    "dataclass_type": "object",
}
_WORDS = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}


class _Checked(NamedTuple):
    """A part of a section to check: the class that it becomes, its path, and its kind of binding, if any."""

    type: Any
    value: Any
    path: Path = ()
    kind: Kind[Any] | None = None


def check_acted(report: Report, data: Mapping[str, Any]) -> None:
    """Report what is wrong with the values that this version acts on, in one section."""
    allowed = keys.ACTED if report.env is None else keys.ACTED - keys.ACTED_TOP_LEVEL_ONLY
    parts = [_Checked(WorkerConfig, _only(data, allowed)), *_of_kinds(data)]
    for part in parts:
        try:
            validated(part.type, part.value)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                _describe(report, part, details)


def build(data: Mapping[str, Any]) -> WorkerConfig:
    """The model of a section that has been checked; unknown keys are left out."""
    return _built(WorkerConfig, _only(data, keys.ACTED))


def build_sections(data: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    """The bindings of a section that has been checked, by the keys of their kinds."""
    found = {part.kind.key: _built(part.type, part.value) for part in _of_kinds(data) if part.kind is not None}
    return {kind.key: found.get(kind.key, ()) for kind in kinds.SUPPORTED}


def validated(cls: type[T], data: object) -> T:
    """`data` as `cls`. Raises pydantic's ValidationError, which is a ValueError."""
    adapter: TypeAdapter[T] = _adapter(cast("Hashable", cls))
    return adapter.validate_python(data)


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _only(data: Mapping[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key in allowed}


def _of_kinds(data: Mapping[str, Any]) -> list[_Checked]:
    """The bindings of the kinds that this version supports."""
    found = []
    for kind in kinds.SUPPORTED:
        holder = value_at(data, kind.path[:-1])
        if isinstance(holder, dict) and kind.path[-1] in holder:
            found.append(_Checked(GenericAlias(list, (kind.section,)), holder[kind.path[-1]], kind.path, kind))
    return found


def _built(cls: type[T], data: object) -> T:
    try:
        return validated(cls, data)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            if details["type"] != "unexpected_keyword_argument":
                raise
            data = _without(data, details["loc"])
        return validated(cls, data)


def _without(value: Any, path: Path) -> Any:
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_without(element, rest) if index == head else element for index, element in enumerate(value)]
    if not rest:
        return {key: element for key, element in value.items() if key != head}
    return {key: _without(element, rest) if key == head else element for key, element in value.items()}


def _describe(report: Report, part: _Checked, details: ErrorDetails) -> None:
    below, fault, value = details["loc"], details["type"], details["input"]
    path = (*part.path, *below)
    context = details.get("ctx", {})
    name = field_name(path)
    if fault == "unexpected_keyword_argument":
        unexpected_field(report, path, _fields(part.type, below[:-1]))
    elif part.kind is not None and len(below) == 1 and fault == "dataclass_type":
        report.error(f'"{name}" bindings should be objects, but got {show(value)}.', path)
    elif part.kind is not None and len(below) == 2 and (fault == "missing" or fault in _TYPES):
        _bad_field(report, part, below, _TYPES.get(fault) or _word(_hint(part.type, below)))
    elif fault == "literal_error":
        not_one_of(report, path, value, _choices(part.type, below))
    elif path[:2] == ("triggers", "crons") and fault in ("list_type", "value_error"):
        _bad_crons(report, part.value["triggers"], path, str(context.get("error", "")))
    elif fault == "value_error" and path == ("compatibility_date",):
        _bad_date(report, value, str(context["error"]))
    elif fault == "value_error":
        reason, *hint = context["error"].args
        report.error(f'"{name}" {reason}, but got {show(value)}.', path, suggestion=hint[0] if hint else None)
    elif fault in ("greater_than", "greater_than_equal", "less_than_equal") or (
        fault == "int_type" and isinstance(value, float)
    ):
        what = "a port, 0 to 65535" if path == ("dev", "port") else "a positive integer"
        report.error(f'"{name}" should be {what}, but got {show(value)}.', path)
    elif fault in _TYPES:
        wrong_type(report, path, value, _TYPES[fault])
    else:
        report.error(f'"{name}": {details["msg"]}, but got {show(value)}.', path)


def _bad_field(report: Report, part: _Checked, below: Path, expected: str) -> None:
    """A field of a binding that is missing, or of the wrong type."""
    path = (*part.path, *below)
    name, key, element = field_name(path[:-1]), str(path[-1]), part.value[below[0]]
    described = _fields(part.type, below[:-1])
    if _is_required(described[key]):
        message = f'"{name}" bindings should have a {expected} "{key}" field but got {show(element)}.'
        where = path if key in element else path[:-1]
        report.error(message, where, suggestion=misspelt(element, key, described))
    else:
        message = f'"{name}" bindings should, optionally, have a {expected} "{key}" field but got {show(element)}.'
        report.error(message, path)


def _bad_crons(report: Report, triggers: Mapping[str, Any], path: Path, reason: str) -> None:
    value = value_at(triggers, path[1:])
    if len(path) == 2:
        report.error(f'Expected "triggers.crons" to be of type array, but got {show(triggers)}.', path)
    elif not isinstance(value, str):
        wrong_type(report, path, value, "string")
    else:
        report.error(f'"{field_name(path)}" {reason}', path)


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


def _choices(cls: Any, path: Path) -> list[str]:
    hint = _hint(cls, path)
    inner = [choice for part in get_args(hint) for choice in (get_args(part) or (part,))]
    return [choice for choice in inner if isinstance(choice, str)]


def _is_required(described: "Field[Any]") -> bool:
    return described.default is MISSING and described.default_factory is MISSING


def _fields(cls: Any, path: Path) -> "dict[str, Field[Any]]":
    """The fields of the object at `path` in what `cls` describes, by name."""
    hint = _hint(cls, path)
    model = next(each for each in (hint, *get_args(hint)) if is_dataclass(each))
    return {each.name: each for each in fields(model)}


def _hint(cls: Any, path: Path) -> Any:
    """The annotation of the value at `path` in what `cls` describes."""
    hint = cls
    for part in path:
        if isinstance(part, int):
            [hint] = get_args(hint)
        else:
            model = next(each for each in (hint, *get_args(hint)) if is_dataclass(each))
            hint = get_type_hints(model)[part]
    return hint


def _word(hint: Any) -> str:
    """What JSON calls the type of an annotation."""
    plain = get_args(hint)[0] if get_origin(hint) in (Union, UnionType) else hint
    return _WORDS.get(get_origin(plain) or plain, "object")
