"""The keys that this version acts on, as the rest of the emulator gets them.

Their values are checked in `validation`: by type, and by what is beside it in `Annotated`. That is a function, which
gives the value or raises ValueError; or `Bounds`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple

from cfworkflows.cron import LONGEST, CronExpression
from cfworkflows.durations import parse_duration
from cfworkflows.errors import CronError, DurationError

MAX_STEPS = 25_000
MAX_CONCURRENCY = 50_000
MAX_SCHEDULES = 100
MAX_NAME_LENGTH = 64
MAX_RETENTION_MS = 30 * 86_400_000


def _retention(value: object) -> int:
    wanted = 'should be a duration such as "30 days", or a positive number of milliseconds'
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(wanted)
    try:
        ms = int(parse_duration(value))
    except DurationError as error:
        hint = re.search(r"Did you mean .*", str(error))
        units = "The units are second, minute, hour, day, week, month and year, with or without s."
        raise ValueError(wanted, hint[0] if hint else units) from None
    if ms < 1:
        raise ValueError(wanted)
    if ms > MAX_RETENTION_MS:
        raise ValueError("should be at most 30 days, which is as long as the platform keeps an instance")
    return ms


def _schedules(value: object) -> list[str]:
    schedules = [value] if isinstance(value, str) else value
    if not isinstance(schedules, list) or not all(isinstance(schedule, str) for schedule in schedules):
        raise ValueError("should be a cron expression or an array of them")
    if not schedules or not all(schedule.strip() for schedule in schedules):
        raise ValueError("should not be empty")
    if any(len(schedule) > LONGEST for schedule in schedules):
        raise ValueError(f"should hold cron expressions of at most {LONGEST} characters")
    for schedule in schedules:
        try:
            CronExpression.parse(schedule)
        except CronError as error:
            raise ValueError(f"should hold cron expressions. {error}") from error
    return schedules


def _date(value: object) -> str:
    if isinstance(value, str) and ("\N{EN DASH}" in value or "\N{EM DASH}" in value):
        raise ValueError("should use hyphens (-) rather than en dashes or em dashes")
    try:
        if isinstance(value, str) and len(value) == len("YYYY-MM-DD"):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise ValueError("should be a valid ISO-8601 date (YYYY-MM-DD)")


class Bounds(NamedTuple):
    """What a number has to be: greater than `gt`, and at least `ge` and at most `le`, where they are not None."""

    gt: int | None = None
    ge: int | None = None
    le: int | None = None


RetentionMs = Annotated[int, _retention]
Schedules = Annotated[Sequence[str], _schedules]
Date = Annotated[str, _date]
PositiveInt = Annotated[int, Bounds(gt=0)]
Port = Annotated[int, Bounds(ge=0, le=65535)]


class WorkflowLimits(NamedTuple):
    """`limits` of a Workflow. `steps` is how many steps an instance may run."""

    steps: PositiveInt | None = None


class WorkflowConcurrency(NamedTuple):
    """`concurrency` of a Workflow. `limit` is how many instances run at once; the others are queued."""

    limit: PositiveInt | None = None


class WorkflowRetention(NamedTuple):
    """`default_retention` of a Workflow, in milliseconds: how long instances that ended are kept."""

    success_retention: RetentionMs | None = None
    error_retention: RetentionMs | None = None


class WorkflowSection(NamedTuple):
    """One element of `workflows`."""

    binding: str
    name: str
    class_name: str
    script_name: str | None = None
    limits: WorkflowLimits = WorkflowLimits()
    concurrency: WorkflowConcurrency = WorkflowConcurrency()
    schedules: Schedules = ()
    default_retention: WorkflowRetention = WorkflowRetention()
    jurisdiction: Literal["eu", "fedramp", "us"] | None = None
    remote: bool | None = None


class Secrets(NamedTuple):
    """`secrets`. `required` are the names that `.dev.vars`, `.env` or the process environment must supply."""

    required: Sequence[str] = ()


class Dev(NamedTuple):
    """`dev`: how the local server listens. This version acts on `ip` and `port`; None is 8787, or the next free one."""

    ip: str = "localhost"
    port: Port | None = None
    inspector_port: int | None = None
    inspector_ip: str | None = None
    local_protocol: Literal["http", "https"] = "http"
    upstream_protocol: Literal["http", "https"] | None = None
    host: str | None = None
    enable_containers: bool | None = None
    container_engine: Any = None
    generate_types: bool | None = None


class WorkerConfig(NamedTuple):
    """A Worker, with the values of its environment. `main` is as it is in the file, relative to the file.

    `name` is `worker` when the file has none, as on the platform's local server.
    """

    name: str = "worker"
    main: str | None = None
    compatibility_date: Date | None = None
    compatibility_flags: Sequence[str] = ()
    vars: Mapping[str, Any] = {}
    secrets: Secrets | None = None
    workflows: Sequence[WorkflowSection] = ()
    dev: Dev = Dev()
