"""What unfinished instances wait for, and until when: the report of a test that would wait for ever."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.engine import Engine, Status
from cfworkflows_emulator.engine.journal.entries import EntryType
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.storage import Entry, Selection

UNFINISHED = Selection([status for status in Status if not status.finite])
SHOWN = 20


class StalledError(CfworkflowsError):
    """A test would wait for ever. The text says what each unfinished instance waits for, and until when."""


async def situation(engine: Engine) -> str:
    """A line for each thing that an unfinished instance waits for or does."""
    lines = [line for workflow in engine.definitions for line in await _of_workflow(engine, workflow)]
    return "\n".join(lines) or "No instance is unfinished."


async def unfinished(engine: Engine) -> list[tuple[str, str]]:
    """The workflow and the id of each instance that has not ended, the oldest first; at most 100 of each workflow."""
    return [
        (workflow, row.id)
        for workflow in engine.definitions
        for row in reversed(await engine.list(workflow, UNFINISHED))
    ]


async def _of_workflow(engine: Engine, workflow: str) -> list[str]:
    rows = await engine.list(workflow, UNFINISHED)
    lines = []
    for row in reversed(rows[-SHOWN:]):
        _, entries = await engine.history(workflow, row.id)
        lines += [f"{workflow}/{row.id} {text}" for text in waits_for(entries)]
    if len(rows) > SHOWN:
        lines.append(f"and {len(rows) - SHOWN} or more instances of {workflow}")
    return lines


def waits_for(entries: Sequence[Entry]) -> list[str]:
    """What the instance with this journal waits for: `waits for event "approval" (step …) until 2026-01-08 00:00`."""
    state = InstanceState.fold(entries)
    places = {(entry.type, entry.step): entry.data.get("at") for entry in entries}
    if state.status in (Status.QUEUED, Status.PAUSED):
        return [f"is {state.status}"]
    return list(_waits(state, places)) or [f"is {state.status}: run() itself is at work, or awaits something else"]


def _waits(state: InstanceState, places: dict[tuple[str, str | None], str | None]) -> Iterator[str]:
    for name, wait in state.waits.items():
        if not wait.done:
            where = _step(name, places.get((EntryType.WAIT_STARTED, name)))
            yield f'waits for event "{wait.event_type}" ({where}) until {moment(wait.until)}'
    for name, sleep in state.sleeps.items():
        if not sleep.done:
            yield f"sleeps ({_step(name, places.get((EntryType.SLEEP_STARTED, name)))}) until {moment(sleep.until)}"
    for name, step in state.steps.items():
        where = _step(name, places.get((EntryType.STEP_STARTED, name)))
        if step.retry_at is not None:
            yield f"waits for attempt {step.attempts + 1} ({where}) until {moment(step.retry_at)}"
        elif step.attempt_open:
            yield f"is in attempt {step.attempts} ({where})"
    if state.rollback is not None:
        for name, step in state.rollback.steps.items():
            if step.retry_at is not None:
                yield f"waits for attempt {step.attempts + 1} of undoing step {name!r} until {moment(step.retry_at)}"
            elif step.attempt_open:
                yield f"is in attempt {step.attempts} of undoing step {name!r}"


def _step(name: str, at: str | None) -> str:
    return f'step "{name}", {place(at)}' if at is not None else f'step "{name}"'


def place(at: str) -> str:
    """`file:line`, relative to the working directory where the file is below it."""
    path = Path(at)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else at


def moment(ms: float) -> str:
    """A time in UTC, as precise as it needs to be: `2026-01-08 00:00`."""
    when = datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None)
    precision = "milliseconds" if when.microsecond else "seconds" if when.second else "minutes"
    return when.isoformat(" ", precision)
