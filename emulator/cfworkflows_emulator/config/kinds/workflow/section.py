"""`workflows`: the section, and the types of its values."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Literal

from cfworkflows.cron import LONGEST, CronExpression
from cfworkflows.durations import parse_duration
from cfworkflows.errors import CronError, DurationError
from cfworkflows_emulator.config.markers import Bounds, Rule, Section

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


RetentionMs = Annotated[int, Rule(_retention)]
Schedules = Annotated[list[str], Rule(_schedules)]
PositiveInt = Annotated[int, Bounds(gt=0)]


@dataclass(frozen=True, slots=True)
class WorkflowLimits(Section):
    """`limits` of a Workflow. `steps` is how many steps an instance may run."""

    steps: PositiveInt | None = None


@dataclass(frozen=True, slots=True)
class WorkflowConcurrency(Section):
    """`concurrency` of a Workflow. `limit` is how many instances run at once; the others are queued."""

    limit: PositiveInt | None = None


@dataclass(frozen=True, slots=True)
class WorkflowRetention(Section):
    """`default_retention` of a Workflow, in milliseconds: how long instances that ended are kept."""

    success_retention: RetentionMs | None = None
    error_retention: RetentionMs | None = None


@dataclass(frozen=True, slots=True)
class WorkflowSection(Section):
    """One element of `workflows`."""

    binding: str
    name: str
    class_name: str
    script_name: str | None = None
    limits: WorkflowLimits = WorkflowLimits()
    concurrency: WorkflowConcurrency = WorkflowConcurrency()
    schedules: Schedules = field(default_factory=list)
    default_retention: WorkflowRetention = WorkflowRetention()
    jurisdiction: Literal["eu", "fedramp", "us"] | None = None
    remote: bool | None = None

    def is_of(self, worker: str) -> bool:
        """Whether the Worker `worker`, which has this section, defines the Workflow, rather than uses another's."""
        return self.script_name in (None, worker)
