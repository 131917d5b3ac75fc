"""The rules about `workflows` that types cannot express: names, limits, and what may be combined."""

import re
from collections.abc import Mapping
from typing import Any

from cfworkflows_emulator.config.diagnostics import Path, field_name, show
from cfworkflows_emulator.config.models import DEFAULT_NAME
from cfworkflows_emulator.config.paths import objects, value_at
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.resolved import Resolved

MAX_STEPS = 25_000
MAX_CONCURRENCY = 50_000
MAX_SCHEDULES = 100
MAX_NAME_LENGTH = 64

_NAME = re.compile(rf"[a-zA-Z0-9_][a-zA-Z0-9_-]{{0,{MAX_NAME_LENGTH - 1}}}")
# Belongs to the Worker that defines the Workflow.
_DEFINING = ("limits", "concurrency", "schedules", "default_retention", "jurisdiction")


def check(report: Report, path: Path, workflow: Mapping[str, Any]) -> None:
    """The rules about single values of one Workflow."""
    name = workflow.get("name")
    if isinstance(name, str) and not _NAME.fullmatch(name):
        report.error(
            f'"{field_name(path)}" bindings have an invalid "name" field: {show(name)}. '
            "Workflow names must be 1-64 characters long, start with a letter, number, or underscore, "
            "and may only contain letters, numbers, underscores, or hyphens.",
            (*path, "name"),
        )
    _check_most(report, path, workflow, ("limits", "steps"), MAX_STEPS, "split the work among several instances")
    _check_most(report, path, workflow, ("concurrency", "limit"), MAX_CONCURRENCY, "leave it out for as many as run")


def check_whole(resolved: Resolved) -> None:
    """The rules about all Workflows of a Worker."""
    _check_names(resolved)
    _check_schedules(resolved)
    _check_external(resolved)
    _check_exports(resolved)


def _check_most(report: Report, path: Path, workflow: Mapping[str, Any], key: Path, most: int, otherwise: str) -> None:
    value = value_at(workflow, key)
    if isinstance(value, (int, float)) and value > most:
        report.error(
            f'"{field_name((*path, *key))}" is {value:,}, which exceeds the production maximum of {most:,}.',
            (*path, *key),
            suggestion=f"Set it to {most} or less, or {otherwise}.",
        )


def _check_names(resolved: Resolved) -> None:
    seen: dict[str, Path] = {}
    for path, workflow in objects(resolved.data, ("workflows",)):
        name = workflow.get("name")
        if not isinstance(name, str):
            continue
        where = (*path, "name")
        if name in seen:
            resolved.report("workflows").error(
                f'"workflows" bindings must have unique "name" values; duplicate(s) found: {show(name)}',
                where,
                suggestion=f"The other one is at {resolved.place(seen[name])}.",
            )
        seen.setdefault(name, where)


def _check_schedules(resolved: Resolved) -> None:
    count = 0
    for path, workflow in objects(resolved.data, ("workflows",)):
        schedules = workflow.get("schedules")
        count += len(schedules) if isinstance(schedules, list) else isinstance(schedules, str)
        if count > MAX_SCHEDULES:
            resolved.report("workflows").error(
                f"There are {count} schedules up to here, and an account may have {MAX_SCHEDULES}.",
                (*path, "schedules"),
                suggestion="A cron expression takes lists and ranges, so that one may stand for several.",
            )
            return


def _check_external(resolved: Resolved) -> None:
    own = resolved.data.get("name", DEFAULT_NAME)
    for path, workflow in objects(resolved.data, ("workflows",)):
        script = workflow.get("script_name")
        if not isinstance(script, str) or script == own:
            continue
        for key in _DEFINING:
            if key in workflow:
                resolved.report("workflows").error(
                    f'Workflow "{workflow.get("name")}" has "{key}" configured but references external script '
                    f'"{script}". Configure {key} on the worker that defines the workflow.',
                    (*path, key),
                    at="key",
                )


def _check_exports(resolved: Resolved) -> None:
    """`exports` may declare Workflows too: each once, and for the same class."""
    exports = resolved.data.get("exports")
    if not isinstance(exports, dict):
        return
    classes: dict[str, str] = {}
    for cls, export in exports.items():
        name = export.get("name") if isinstance(export, dict) else None
        if not isinstance(name, str) or export.get("type") != "workflow":
            continue
        if name in classes:
            resolved.report("exports").error(
                f'"exports.{classes[name]}" and "exports.{cls}" both declare the Workflow "{name}".',
                ("exports", cls, "name"),
                suggestion="Give each Workflow a name of its own.",
            )
        classes.setdefault(name, cls)
    for path, workflow in objects(resolved.data, ("workflows",)):
        name = workflow.get("name")
        if isinstance(name, str) and name in classes and "script_name" not in workflow:
            _check_exported(resolved.report("workflows"), path, workflow, classes[name])


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
