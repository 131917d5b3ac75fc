"""The rules about values that types cannot say: names, limits, dates, and what may stand together."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cfworkflows_emulator.config import bindings
from cfworkflows_emulator.config.diagnostics import Path, field_name, join_names, show
from cfworkflows_emulator.config.environments import DEFAULT_NAME, Resolved
from cfworkflows_emulator.config.models import MAX_CONCURRENCY, MAX_NAME_LENGTH, MAX_SCHEDULES, MAX_STEPS
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.shapes import json_type
from cfworkflows_emulator.config.variables import Variable

_WORKER_NAME = re.compile(r"\Z|[a-z0-9_][a-z0-9_-]*")
_WORKFLOW_NAME = re.compile(rf"[a-zA-Z0-9_][a-zA-Z0-9_-]{{0,{MAX_NAME_LENGTH - 1}}}")
_UNIQUE = (
    "Bindings must have unique names, so that they can all be referenced in the worker.\n"
    "Please change your bindings to have unique names."
)
# Belongs to the Worker that defines the Workflow.
_DEFINING = ("limits", "concurrency", "schedules", "default_retention", "jurisdiction")


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
    for index, workflow in enumerate(_objects(data.get("workflows"))):
        if workflow is not None:
            _check_workflow(report, ("workflows", index), workflow)


def check_whole(resolved: Resolved) -> None:
    """The rules about the section that counts, as a whole."""
    _check_workflow_names(resolved)
    _check_schedules(resolved)
    _check_external(resolved)
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
    for kind in bindings.KINDS:
        if kind.checked_unique:
            for name, _, path in bindings.named(kind, resolved.data):
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
        elsewhere = ", ".join(f"{field_name(other)} ({report_of(resolved, other)})" for _, other in uses[:-1])
        report.error(
            f"{name} assigned to {what} bindings.\n{_UNIQUE}",
            path,
            suggestion=f"The name is also used in {elsewhere}.",
        )


def check_variables(resolved: Resolved, variables: Mapping[str, Variable]) -> None:
    """No variable of a file or of the command line may have the name of another binding.

    The process environment is not looked at: nobody chooses all of its names.
    """
    for kind in bindings.KINDS:
        for name, _, path in bindings.named(kind, resolved.data):
            variable = variables.get(name)
            if kind.checked_unique and variable is not None and variable.origin in ("file", "command line"):
                resolved.report(kind.root).error(
                    f"{name} assigned to {kind.friendly} and Environment Variable bindings.\n{_UNIQUE}",
                    path,
                    suggestion=f"The variable is from {variable.source}.",
                )


def report_of(resolved: Resolved, path: Path) -> str:
    """`file:line:column` of a path in the section that counts."""
    return str(resolved.report(str(path[0])).location(path))


def _variables(data: Mapping[str, Any]) -> Iterable[tuple[str, str, Path]]:
    variables = data.get("vars")
    if isinstance(variables, dict):
        yield from ((name, "Environment Variable", ("vars", name)) for name in variables)
    required = bindings.value_at(data, ("secrets", "required"))
    if isinstance(required, list):
        for index, name in enumerate(required):
            if isinstance(name, str):
                yield name, "Secret", ("secrets", "required", index)


def _objects(value: object) -> Iterable[dict[str, Any] | None]:
    if isinstance(value, list):
        yield from (element if isinstance(element, dict) else None for element in value)


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


def _check_workflow(report: Report, path: Path, workflow: Mapping[str, Any]) -> None:
    name = workflow.get("name")
    if isinstance(name, str) and not _WORKFLOW_NAME.fullmatch(name):
        report.error(
            f'"{field_name(path)}" bindings have an invalid "name" field: {show(name)}. '
            "Workflow names must be 1-64 characters long, start with a letter, number, or underscore, "
            "and may only contain letters, numbers, underscores, or hyphens.",
            (*path, "name"),
        )
    _check_most(report, path, workflow, ("limits", "steps"), MAX_STEPS, "split the work among several instances")
    _check_most(report, path, workflow, ("concurrency", "limit"), MAX_CONCURRENCY, "leave it out for as many as run")


def _check_most(report: Report, path: Path, workflow: Mapping[str, Any], key: Path, most: int, otherwise: str) -> None:
    value = bindings.value_at(workflow, key)
    if json_type(value) == "number" and value > most:
        report.error(
            f'"{field_name((*path, *key))}" is {value:,}, which exceeds the production maximum of {most:,}.',
            (*path, *key),
            suggestion=f"Set it to {most} or less, or {otherwise}.",
        )


def _check_schedules(resolved: Resolved) -> None:
    count = 0
    for index, workflow in enumerate(_objects(resolved.data.get("workflows"))):
        schedules = workflow.get("schedules") if workflow is not None else None
        count += len(schedules) if isinstance(schedules, list) else isinstance(schedules, str)
        if count > MAX_SCHEDULES:
            resolved.report("workflows").error(
                f"There are {count} schedules up to here, and an account may have {MAX_SCHEDULES}.",
                ("workflows", index, "schedules"),
                suggestion="A cron expression takes lists and ranges, so that one may stand for several.",
            )
            return


def _check_workflow_names(resolved: Resolved) -> None:
    seen: dict[str, Path] = {}
    for index, workflow in enumerate(_objects(resolved.data.get("workflows"))):
        name = workflow.get("name") if workflow is not None else None
        if not isinstance(name, str):
            continue
        path = ("workflows", index, "name")
        if name in seen:
            resolved.report("workflows").error(
                f'"workflows" bindings must have unique "name" values; duplicate(s) found: {show(name)}',
                path,
                suggestion=f"The other one is at {report_of(resolved, seen[name])}.",
            )
        seen.setdefault(name, path)


def _check_external(resolved: Resolved) -> None:
    own = resolved.data.get("name", DEFAULT_NAME)
    for index, workflow in enumerate(_objects(resolved.data.get("workflows"))):
        script = workflow.get("script_name") if workflow is not None else None
        if workflow is None or not isinstance(script, str) or script == own:
            continue
        for key in _DEFINING:
            if key in workflow:
                resolved.report("workflows").error(
                    f'Workflow "{workflow.get("name")}" has "{key}" configured but references external script '
                    f'"{script}". Configure {key} on the worker that defines the workflow.',
                    ("workflows", index, key),
                    at="key",
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
    classes: dict[str, str] = {}
    for cls, export in live.items():
        name = export.get("name")
        if export.get("type") != "workflow" or not isinstance(name, str):
            continue
        if name in classes:
            report.error(
                f'"exports.{classes[name]}" and "exports.{cls}" both declare the Workflow "{name}".',
                ("exports", cls, "name"),
                suggestion="Give each Workflow a name of its own.",
            )
        classes.setdefault(name, cls)
    for index, workflow in enumerate(_objects(resolved.data.get("workflows"))):
        name = workflow.get("name") if workflow is not None else None
        if workflow is not None and isinstance(name, str) and name in classes and "script_name" not in workflow:
            _check_exported(resolved.report("workflows"), ("workflows", index), workflow, classes[name])


def _check_exported(report: Report, path: Path, workflow: Mapping[str, Any], cls: str) -> None:
    label, name = field_name(path), workflow["name"]
    if workflow.get("class_name") != cls:
        report.error(
            f'"{label}.class_name" is {show(workflow.get("class_name"))}, and "exports.{cls}" declares the Workflow '
            f'"{name}" for another class.',
            (*path, "class_name"),
            suggestion=f'Set it to "{cls}".',
        )
    for key in _DEFINING:
        if key in workflow:
            report.error(
                f'"{label}.{key}" configures the Workflow "{name}", which "exports.{cls}" declares. '
                f'Set "{key}" on the export instead.',
                (*path, key),
                at="key",
            )
