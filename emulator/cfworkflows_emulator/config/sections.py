"""Checks the keys and the types of one section: the top level of a file, or one of its environments."""

from collections.abc import Iterable, Mapping
from typing import Any

from cfworkflows_emulator.config import keys
from cfworkflows_emulator.config.diagnostics import Path, closest, did_you_mean, field_name, show
from cfworkflows_emulator.config.kinds.listing import every_kind
from cfworkflows_emulator.config.kinds.unsupported import UNSUPPORTED, Unsupported
from cfworkflows_emulator.config.paths import elements, value_at
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.shapes import Shape, json_type, shape, type_of


def known_keys(env: str | None) -> set[str]:
    """The keys that may stand at the top level, or in an environment."""
    known = set(keys.INHERITABLE) | set(keys.NOT_INHERITED) | keys.ACTED_INHERITABLE | keys.ACTED_NOT_INHERITED
    known |= {kind.key for kind in every_kind() if "." not in kind.key and kind.key not in keys.TOP_LEVEL_ONLY}
    if env is None:
        known |= set(keys.TOP_LEVEL_ONLY) | keys.ACTED_TOP_LEVEL_ONLY
    return known


def check_section(report: Report, data: Mapping[str, Any]) -> None:
    """Report unknown keys and wrong types in what this version does not act on; `validation` has the rest."""
    _unknown_keys(report, data)
    types = keys.INHERITABLE | keys.NOT_INHERITED | (keys.TOP_LEVEL_ONLY if report.env is None else {})
    for key, notation in types.items():
        if key in data:
            _check_type(report, (key,), data[key], notation)
    for kind in UNSUPPORTED:
        _check_kind(report, kind, data)
    _check_routes(report, data)
    _check_consumers(report, data)
    for name in sorted(keys.IGNORED):
        path = tuple(name.split("."))
        if value_at(data, path):
            report.warning(f'"{name}" is not supported yet, and has no effect.', path, at="key")


def unexpected_field(report: Report, path: Path, candidates: Iterable[str]) -> None:
    """Warn that the key at the end of `path` is unknown."""
    parent, name = path[:-1], str(path[-1])
    if parent:
        where = field_name(parent) if report.env is None else f"env.{report.env}.{field_name(parent)}"
    else:
        where = "top-level" if report.env is None else f"env.{report.env}"
    suggestion = did_you_mean(name, candidates)
    report.warning(f'Unexpected fields found in {where} field: "{name}"', path, at="key", suggestion=suggestion)


def wrong_type(report: Report, path: Path, value: object, expected: str) -> None:
    """Say which type the value at `path` should have."""
    name = field_name(path)
    if expected == "array":
        message = f'The field "{name}" should be an array but got {show(value)}.'
    else:
        message = f'Expected "{name}" to be of type {expected} but got {show(value)}.'
    suggestion = None
    if json_type(value) == "date" and expected == "string":
        suggestion = f'Put it in quotes: "{value}".'
    elif expected == "array" and isinstance(value, dict) and report.source.is_toml:
        suggestion = f"Write [[{name}]], with two brackets, for an element of an array."
    elif expected == "array":
        suggestion = f"Write [{show(value)}] for an array with one element."
    report.error(message, path, suggestion=suggestion)


def not_one_of(report: Report, path: Path, value: object, choices: Iterable[str]) -> None:
    """Say which values are allowed at `path`."""
    choices = list(choices)
    suggestion = did_you_mean(value, choices) if isinstance(value, str) else None
    message = f'Expected "{field_name(path)}" field to be one of {show(choices)} but got {show(value)}.'
    report.error(message, path, suggestion=suggestion)


def misspelt(element: Mapping[str, Any], missing: str, known: Iterable[str]) -> str | None:
    """Which unknown key of `element` may be the missing one."""
    unknown = [name for name in element if name not in set(known)]
    close = closest(missing, unknown)
    return f'Did you write "{close}" instead of "{missing}"?' if close is not None else None


def _unknown_keys(report: Report, data: Mapping[str, Any]) -> None:
    known = known_keys(report.env)
    for key in data:
        if key in known:
            continue
        if report.env is not None and key in known_keys(None):
            report.warning(
                f'Unexpected fields found in env.{report.env} field: "{key}"',
                (key,),
                at="key",
                suggestion=f'"{key}" is a key of the top level only: move it out of "env.{report.env}".',
            )
        else:
            unexpected_field(report, (key,), known)


def _check_type(report: Report, path: Path, value: object, notation: str) -> None:
    expected = type_of(notation)
    if expected.choices and not expected.accepts(value):
        not_one_of(report, path, value, expected.choices)
    elif not expected.accepts(value):
        wrong_type(report, path, value, str(expected))
    elif notation.startswith("{") and isinstance(value, dict):
        fields = shape(notation[1:-1])
        _check_fields(report, path, value, fields)


def _check_fields(report: Report, path: Path, value: Mapping[str, Any], fields: Shape) -> None:
    for name, element in value.items():
        expected = fields.fields.get(name)
        if expected is None:
            if not fields.open:
                unexpected_field(report, (*path, name), fields.fields)
        elif expected.choices and not expected.accepts(element):
            not_one_of(report, (*path, name), element, expected.choices)
        elif not expected.accepts(element):
            wrong_type(report, (*path, name), element, str(expected))


def _check_kind(report: Report, kind: Unsupported, data: Mapping[str, Any]) -> None:
    value = value_at(data, kind.path)
    if kind.key == "durable_objects.bindings" and value is None and isinstance(data.get("durable_objects"), dict):
        report.error('The field "durable_objects" is missing the required "bindings" property.', ("durable_objects",))
    if value is None:
        return
    if kind.by_name:
        if isinstance(value, dict):
            for name, file in value.items():
                if not isinstance(file, str):
                    wrong_type(report, (*kind.path, name), file, "string")
    elif kind.single:
        if not isinstance(value, dict):
            wrong_type(report, kind.path, value, "object")
        else:
            _check_binding(report, kind, kind.path, value)
    elif not isinstance(value, list) and not (isinstance(value, dict) and kind.single_or_list):
        if len(kind.path) == 1:  # the others have their type in keys
            wrong_type(report, kind.path, value, "array")
    else:
        for path, element in elements(data, kind.path):
            _check_binding(report, kind, path, element)


def _check_binding(report: Report, kind: Unsupported, path: Path, element: object) -> None:
    fields = shape(kind.shape)
    name = field_name(path)
    if not isinstance(element, dict):
        report.error(f'"{name}" bindings should be objects, but got {show(element)}.', path)
        return
    faults = []
    for required in fields.fields:
        if required not in fields.required or fields.fields[required].accepts(element.get(required)):
            continue
        expected = fields.fields[required]
        at = (*path, required) if required in element else path
        suggestion = misspelt(element, required, fields.fields)
        if kind.key == "durable_objects.bindings":
            faults.append(f'  - binding should have a {expected} "{required}" field.')
        else:
            message = f'"{name}" bindings should have a {expected} "{required}" field but got {show(element)}.'
            report.error(message, at, suggestion=suggestion)
    if faults:
        report.error("\n".join([f'"{name}": {show(element)}', *faults]), path)
    for key, value in element.items():
        field = fields.fields.get(key)
        if field is None:
            if not fields.open:
                unexpected_field(report, (*path, key), fields.fields)
        elif key in fields.required or field.accepts(value):
            continue
        elif field.choices:
            not_one_of(report, (*path, key), value, field.choices)
        else:
            message = f'"{name}" bindings should, optionally, have a {field} "{key}" field but got {show(element)}.'
            report.error(message, (*path, key))
    _check_values(report, kind, path, element)


def _check_values(report: Report, kind: Unsupported, path: Path, element: Mapping[str, Any]) -> None:
    if kind.key == "ratelimits" and isinstance(simple := element.get("simple"), dict):
        if json_type(simple.get("limit")) != "number":
            report.error(
                f'"{field_name(path)}" bindings "simple.limit" must be a number but got {show(simple.get("limit"))}.',
                (*path, "simple", "limit"),
            )
        if simple.get("period") not in (10, 60):
            report.error(
                f'"{field_name(path)}" bindings "simple.period" must be either 10 or 60 '
                f"but got {show(simple.get('period'))}.",
                (*path, "simple", "period"),
            )


def _check_routes(report: Report, data: Mapping[str, Any]) -> None:
    if "route" in data and "routes" in data:
        report.error('Expected exactly one of the following fields ["routes","route"].', ("route",), at="key")


_CONSUMER = (
    "queue type? max_batch_size?:number max_batch_timeout?:number max_retries?:number dead_letter_queue? "
    "max_concurrency?:number|null visibility_timeout_ms?:number retry_delay?:number"
)


def _check_consumers(report: Report, data: Mapping[str, Any]) -> None:
    consumers = value_at(data, ("queues", "consumers"))
    if not isinstance(consumers, list):
        return
    for index, consumer in enumerate(consumers):
        path = ("queues", "consumers", index)
        if not isinstance(consumer, dict) or not isinstance(consumer.get("queue"), str):
            message = f'"{field_name(path)}" should have a string "queue" field but got {show(consumer)}.'
            report.error(message, (*path, "queue"))
        else:
            _check_fields(report, path, consumer, shape(_CONSUMER))
            if consumer.get("type", "worker") != "worker":
                report.error(
                    f'"{field_name(path)}.type" has an invalid value {show(consumer["type"])}. '
                    'Only "worker" consumers can be configured in your Wrangler configuration.',
                    (*path, "type"),
                )
