"""The rules about values that types cannot express: names, limits, dates, and what may be combined."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cfworkflows_emulator.config import kinds
from cfworkflows_emulator.config.diagnostics import Path, field_name, join_names, show
from cfworkflows_emulator.config.kinds.listing import every_kind
from cfworkflows_emulator.config.paths import objects, value_at
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.resolved import Resolved
from cfworkflows_emulator.config.shapes import json_type
from cfworkflows_emulator.config.variables import Variable

_WORKER_NAME = re.compile(r"\Z|[a-z0-9_][a-z0-9_-]*")
_UNIQUE = (
    "Bindings must have unique names, so that they can all be referenced in the worker.\n"
    "Please change your bindings to have unique names."
)


def check_values(report: Report, data: Mapping[str, Any]) -> None:
    """The rules about single values of one section."""
    name = data.get("name")
    if isinstance(name, str) and not _WORKER_NAME.fullmatch(name):
        slug = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")
        report.error(
            f'Expected "name" to be of type string, alphanumeric and lowercase with dashes only but got {show(name)}.',
            ("name",),
            suggestion=f'For example "{slug}".' if slug else None,
        )
    variables = data.get("vars")
    if isinstance(variables, dict):
        _check_dates(report, ("vars",), variables)
    for kind in kinds.SUPPORTED:
        for path, element in objects(data, kind.path):
            kind.check(report, path, element)


def check_whole(resolved: Resolved) -> None:
    """The rules about the section that counts, as a whole."""
    for kind in kinds.SUPPORTED:
        kind.check_whole(resolved)
    _check_exports(resolved)
    check_unique(resolved)
    if "compatibility_date" not in resolved.data:
        resolved.report("compatibility_date").warning(
            "No compatibility_date was specified: the newest behaviour is assumed.",
            suggestion='Add "compatibility_date" (YYYY-MM-DD): it is required when a Worker is uploaded.',
        )


def check_unique(resolved: Resolved) -> None:
    """No two bindings, variables and secrets may have one name."""
    users: dict[str, list[tuple[str, Path]]] = {}
    for kind in every_kind():
        if kind.checked_unique:
            for name, path in kind.named(resolved.data):
                users.setdefault(name, []).append((kind.friendly, path))
    for name, kind_name, path in _variables(resolved.data):
        users.setdefault(name, []).append((kind_name, path))
    for name, uses in users.items():
        if len(uses) < 2:
            continue
        kinds = list(dict.fromkeys(kind for kind, _ in uses))
        what = join_names(kinds) if len(kinds) > 1 else f"multiple {kinds[0]}"
        path = uses[-1][1]
        report = resolved.report(str(path[0]))
        elsewhere = ", ".join(f"{field_name(other)} ({resolved.place(other)})" for _, other in uses[:-1])
        report.error(
            f"{name} assigned to {what} bindings.\n{_UNIQUE}",
            path,
            suggestion=f"The name is also used in {elsewhere}.",
        )


def check_variables(resolved: Resolved, variables: Mapping[str, Variable]) -> None:
    """No variable of a file or of the command line may have the name of another binding.

    The process environment is not checked: many of its names are not chosen by the user.
    """
    for kind in every_kind():
        for name, path in kind.named(resolved.data):
            variable = variables.get(name)
            if kind.checked_unique and variable is not None and variable.origin in ("file", "command line"):
                resolved.report(kind.root).error(
                    f"{name} assigned to {kind.friendly} and Environment Variable bindings.\n{_UNIQUE}",
                    path,
                    suggestion=f"The variable is from {variable.source}.",
                )


def _variables(data: Mapping[str, Any]) -> Iterable[tuple[str, str, Path]]:
    variables = data.get("vars")
    if isinstance(variables, dict):
        yield from ((name, "Environment Variable", ("vars", name)) for name in variables)
    required = value_at(data, ("secrets", "required"))
    if isinstance(required, list):
        for index, name in enumerate(required):
            if isinstance(name, str):
                yield name, "Secret", ("secrets", "required", index)


def _check_dates(report: Report, path: Path, value: object) -> None:
    if isinstance(value, dict):
        for key, element in value.items():
            _check_dates(report, (*path, key), element)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            _check_dates(report, (*path, index), element)
    elif json_type(value) == "date":
        name = next(str(part) for part in reversed(path) if isinstance(part, str))
        report.error(
            f'The field "{field_name(path)}" is a TOML date, which is not supported. '
            f'Please use a string instead, e.g. {name} = "{value}".',
            path,
        )


def _check_exports(resolved: Resolved) -> None:
    exports = resolved.data.get("exports")
    if not isinstance(exports, dict):
        return
    report = resolved.report("exports")
    live = {cls: export for cls, export in exports.items() if isinstance(export, dict)}
    if resolved.data.get("migrations") and any(each.get("type") == "durable-object" for each in live.values()):
        report.error(
            "`migrations` and `exports` are mutually exclusive. Choose one or the other to declare your Durable "
            "Object lifecycle, but not both.",
            ("exports",),
            at="key",
        )
