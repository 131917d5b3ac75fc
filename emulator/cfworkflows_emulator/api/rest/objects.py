"""Workflows, versions and instances as the REST API shows them."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cfworkflows.cron import CronExpression
from cfworkflows.durations import parse_duration
from cfworkflows.errors import DurationError
from cfworkflows_emulator.api.requests import RestCreateBody, RestInstancesQuery, SettingsBody, WorkflowBody
from cfworkflows_emulator.api.rest.refusals import invalid, refusal
from cfworkflows_emulator.api.workflows import TRIGGER, Workflows
from cfworkflows_emulator.engine import Beginning, InstanceRow, Status
from cfworkflows_emulator.views import iso

RESERVED = frozenset({"batch", "terminate", "terminateAll"})
SHOWN = tuple(status for status in Status)


def workflow(workflows: Workflows, name: str, counts: Mapping[str, int], latest: int | None) -> dict[str, Any]:
    """A workflow. It is as old as the server, whose code and configuration it is; `latest` is its last instance."""
    shown = {
        **_identity(workflows, name),
        "script_name": workflows.script_name(name),
        "triggered_on": iso(latest) if latest is not None else None,
        "instances": {str(status): counts.get(status, 0) for status in SHOWN},
    }
    if workflows.section(name).schedules:
        shown["schedules"] = _schedules(workflows, name)
    return {"name": name, **shown}


def triggered(workflows: Workflows, name: str) -> dict[str, Any]:
    """What creates instances of a workflow by itself."""
    return {
        "workflow_name": name,
        "class_name": workflows.section(name).class_name,
        "script_name": workflows.script_name(name),
        "schedules": _schedules(workflows, name),
    }


def _schedules(workflows: Workflows, name: str) -> list[dict[str, str]]:
    now = workflows.engine.clock.now()
    times = [(cron, CronExpression.parse(cron).next_after(now)) for cron in workflows.section(name).schedules]
    return [{"cron": cron, "next_instance": iso(time)} for cron, time in times if time is not None]


def settings(workflows: Workflows, name: str) -> dict[str, Any]:
    """What the configuration says of a workflow, as far as the platform lets it be changed alone."""
    return {"default_retention": _given(workflows.section(name).default_retention)}


def version(workflows: Workflows, name: str) -> dict[str, Any]:
    """The one version there is. Reads the source."""
    section = workflows.section(name)
    shown: dict[str, Any] = {
        **_identity(workflows, name),
        "id": workflows.version_id(name),
        "workflow_id": workflows.id(name),
        "has_dag": workflows.has_graph(name),
        "language": "python",
    }
    for key in ("concurrency", "limits", "default_retention"):
        given = _given(getattr(section, key))
        if given:
            shown[key] = given
    return shown


def _given(settings: Any) -> dict[str, Any]:
    """The settings that the configuration has, of a section of it."""
    return {key: value for key, value in asdict(settings).items() if value is not None}


def _identity(workflows: Workflows, name: str) -> dict[str, Any]:
    since = iso(workflows.since)
    class_name = workflows.section(name).class_name
    return {"id": workflows.id(name), "class_name": class_name, "created_on": since, "modified_on": since}


def check_deployment(workflows: Workflows, name: str, body: WorkflowBody | SettingsBody) -> None:
    """Raises ApiError unless `body` describes the workflow as it is: only the configuration can change it."""
    section = workflows.section(name)
    found: dict[str, Any] = {
        "class_name": section.class_name,
        "script_name": workflows.script_name(name),
        "schedules": [{"cron": cron} for cron in section.schedules],
        **{key: _given(getattr(section, key)) for key in ("concurrency", "limits", "default_retention")},
    }
    wanted = body.model_dump(exclude_none=True)
    if "default_retention" in wanted:
        wanted["default_retention"] = {key: _milliseconds(each) for key, each in wanted["default_retention"].items()}
    wrong = [key for key, value in wanted.items() if found[key] != value]
    if wrong:
        raise invalid(
            *(f"{key}: it is {json.dumps(found[key])}, and not to be changed through the API." for key in wrong),
            f"The workflow {name} is what {workflows.file(name)} says of it: change that file.",
        )


def _milliseconds(duration: int | str) -> float:
    """Raises ApiError for a text that is no duration."""
    try:
        return parse_duration(duration)
    except DurationError as error:
        raise invalid(f"default_retention: {error}") from error


def check_ids(ids: Iterable[str | None]) -> None:
    """Raises ApiError for the id of a new instance that is a word of the API's own paths."""
    if reserved := sorted(RESERVED.intersection(ids)):
        raise refusal("instance.invalid_id", f"The platform keeps these ids for itself: {', '.join(reserved)}.")


def created(workflows: Workflows, name: str, id: str) -> dict[str, Any]:
    """An instance that was created just now."""
    return {
        "id": id,
        "status": "queued",
        "version_id": workflows.version_id(name),
        "workflow_id": workflows.id(name),
        "trigger_source": TRIGGER,
    }


def instance(workflows: Workflows, name: str, row: InstanceRow, beginning: Beginning | None) -> dict[str, Any]:
    """An instance in a list."""
    return {
        **created(workflows, name, row.id),
        "status": row.status,
        "created_on": iso(row.created_at),
        "modified_on": iso(row.modified_at),
        "started_on": iso(beginning.started_at) if beginning is not None and beginning.started_at is not None else None,
        # Nothing changes the row of an instance that has ended.
        "ended_on": iso(row.modified_at) if Status(row.status).finite else None,
        "trigger_source": beginning.trigger if beginning is not None else "unknown",
    }


def creation(body: RestCreateBody) -> dict[str, Any]:
    """The options of an instance to create, as the engine takes them."""
    options: dict[str, Any] = {"params": _params(body.params), "trigger": TRIGGER}
    if body.instance_id is not None:
        options["id"] = body.instance_id
    if body.instance_retention is not None:
        options["retention"] = body.instance_retention.model_dump(exclude_none=True)
    if body.location_hint is not None:
        options["location_hint"] = body.location_hint
    return options


def _params(params: Any) -> Any:
    """Params may come as a string that holds their JSON. Any other string is the params itself."""
    if not isinstance(params, str):
        return params
    try:
        return json.loads(params)
    except (ValueError, RecursionError):
        return params


def cursor_behind(rows: Sequence[InstanceRow], query: RestInstancesQuery) -> str:
    """The cursor of the page behind `rows`, empty if that is the last one."""
    if len(rows) < query.per_page:
        return ""
    return urlsafe_b64encode(f"{query.direction}.{rows[-1].created_at}.{rows[-1].key}".encode()).decode()


def behind_cursor(query: RestInstancesQuery) -> tuple[int, int] | None:
    """Where the page that `query.cursor` names begins. Raises ApiError for text that is no cursor of this list."""
    if not query.cursor:
        return None
    try:
        direction, created_at, key = urlsafe_b64decode(query.cursor.encode("ascii")).decode("ascii").split(".")
        position = int(created_at), int(key)
    except (ValueError, UnicodeError) as error:
        raise invalid(f"cursor: {query.cursor!r} is no cursor. Give result_info.cursor of the page before.") from error
    if direction != query.direction or not all(0 <= number < 2**63 for number in position):
        raise invalid(f"cursor: {query.cursor!r} is of a list in the other direction.")
    return position
