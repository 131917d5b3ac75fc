"""The kind `workflows`: its section, and its description."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from cfworkflows.cron import LONGEST, CronExpression
from cfworkflows.durations import parse_duration
from cfworkflows.errors import CronError, DurationError
from cfworkflows.types import MAX_RETENTION_MS
from cfworkflows_emulator.config.diagnostics import Diagnostic, Path, closest, did_you_mean, show
from cfworkflows_emulator.config.kinds.kind import Configured, Elsewhere, Kind, Layer
from cfworkflows_emulator.config.markers import Bounds, Rule, Section
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.resolved import Resolved


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


class WorkflowKind(Kind[WorkflowSection]):
    """Workflows. The engine has their instances, so there is no store."""

    key = "workflows"
    friendly = "Workflow"
    section = WorkflowSection
    layers = frozenset({Layer.TYPES, Layer.BINDING, Layer.RUNTIME, Layer.ANALYSIS, Layer.EXPLORER, Layer.KIT})

    def resource(self, section: WorkflowSection, /) -> str:
        of = "" if section.script_name is None else f", defined in {section.script_name}"
        return f"{section.class_name}{of}"

    def elsewhere(self, section: WorkflowSection, /) -> Elsewhere | None:
        if section.script_name is None:
            return None
        return Elsewhere(section.script_name, f'the Workflow "{section.name}" of Worker "{section.script_name}"')

    def check(self, report: Report, path: Path, element: Mapping[str, Any], /) -> None:
        from cfworkflows_emulator.config.kinds.workflow import rules

        rules.check(report, path, element)

    def check_whole(self, resolved: Resolved, /) -> None:
        from cfworkflows_emulator.config.kinds.workflow import rules

        rules.check_whole(resolved)

    def check_session(self, configs: Sequence[Configured], /) -> Iterator[Diagnostic]:
        yield from _check_session([(loaded, loaded.sections(self)) for loaded in configs])


WORKFLOWS = WorkflowKind()

_Workflows = tuple[Configured, Sequence[WorkflowSection]]
"""A Worker, and its `workflows`."""


def _check_session(workers: Sequence[_Workflows]) -> Iterator[Diagnostic]:
    """Names are unique, and what one Worker takes from another, by `script_name`, has to be there."""
    yield from _repeated(workers)
    by_name = {worker.config.name: (worker, sections) for worker, sections in workers}
    for worker, sections in workers:
        for index, section in enumerate(sections):
            other = by_name.get(section.script_name or worker.config.name)
            if other is not None and other[0] is not worker:
                yield from _misfit(worker, index, section, other)


def _repeated(workers: Sequence[_Workflows]) -> Iterator[Diagnostic]:
    seen: dict[str, tuple[Configured, Path]] = {}
    for worker, sections in workers:
        for index, section in enumerate(sections):
            path = ("workflows", index, "name")
            if not section.is_of(worker.config.name):
                continue
            if section.name in seen and seen[section.name][0] is not worker:
                other, where = seen[section.name]
                yield worker.problem(
                    f'Two Workers, "{other.config.name}" and "{worker.config.name}", define a Workflow called '
                    f'"{section.name}". The names of Workflows are unique in an account.',
                    path,
                    f"The other one is at {other.place(where)}. Rename one of them; to use that of another Worker, set "
                    f'"script_name" to "{other.config.name}".',
                )
            seen.setdefault(section.name, (worker, path))


def _misfit(worker: Configured, index: int, section: WorkflowSection, other: _Workflows) -> Iterator[Diagnostic]:
    """What is wrong with a Workflow that `worker` takes from `other`."""
    owner, sections = other
    name = owner.config.name
    theirs = {each.name: each for each in sections if each.is_of(name)}
    there = f"it defines: {', '.join(theirs)}" if theirs else "it defines none"
    if section.name not in theirs:
        by_class = [each.name for each in theirs.values() if each.class_name == section.class_name]
        close = closest(section.name, theirs) or next(iter(by_class), None)
        yield worker.problem(
            f'Worker "{name}" ({owner.shown}) has no Workflow called "{section.name}"; {there}.',
            ("workflows", index, "name"),
            f'Did you mean "{close}"?' if close is not None else f"Add it to the `workflows` of {owner.shown}.",
        )
    elif (expected := theirs[section.name].class_name) != section.class_name:
        yield worker.problem(
            f'The class of the Workflow "{section.name}" of Worker "{name}" ({owner.shown}) is {expected}, not '
            f"{section.class_name}.",
            ("workflows", index, "class_name"),
            did_you_mean(section.class_name, [expected]) or f"Set it to {show(expected)}.",
        )
