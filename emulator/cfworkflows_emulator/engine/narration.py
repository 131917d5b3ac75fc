"""What becomes of an instance, in the log at DEBUG: that it was created, sleeps, waits, is replayed, and the rest.

Nothing is said here of what the log has anyway: failed attempts, and how the instance ended by itself.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from cfworkflows_emulator.engine.journal.entries import Entry, EntryType
from cfworkflows_emulator.engine.journal.state import InstanceState

log = logging.getLogger("cfworkflows.engine")


class Told(Protocol):
    """An instance; as text it is `workflow/id`."""

    state: InstanceState


def is_heard() -> bool:
    return log.isEnabledFor(logging.DEBUG)


def created(instance: Told, entry: Entry) -> None:
    """`entry` is the first one of its journal."""
    cron = entry.data.get("schedule", {}).get("cron")
    log.debug("%s created%s", instance, f" by its schedule {cron}" if cron is not None else "")


def appended(instance: Told, entry: Entry) -> None:
    """`entry` has just been added to its journal."""
    tell = _TOLD.get(entry.type)
    if tell is not None:
        log.debug("%s %s", instance, tell(entry.step, entry.data))


def begins(instance: Told) -> None:
    """Its code is called: for the first time, or again over what its journal has."""
    if not is_heard():
        return
    state = instance.state
    stored = sum(verb.done for verbs in (state.steps, state.sleeps, state.waits) for verb in verbs.values())
    if stored:
        log.debug("%s is replayed: %d finished step%s stored", instance, stored, " is" if stored == 1 else "s are")


def left(instance: Told) -> None:
    """It only waits, and left memory."""
    log.debug("%s leaves memory until its time comes, or an event", instance)


def _for(milliseconds: float) -> str:
    """`3 days, 0:00:00`."""
    return str(timedelta(milliseconds=round(milliseconds)))


_TOLD: Mapping[str, Callable[[str | None, Mapping[str, Any]], str]] = {
    EntryType.WORKFLOW_QUEUED: lambda step, data: "is queued: there is no slot for it",
    EntryType.WORKFLOW_RESTARTED: lambda step, data: "is restarted",
    EntryType.WORKFLOW_RUNNING: lambda step, data: "runs",
    EntryType.WORKFLOW_WAITING_FOR_PAUSE: lambda step, data: "is to be paused",
    EntryType.WORKFLOW_PAUSED: lambda step, data: "is paused",
    EntryType.WORKFLOW_TERMINATED: lambda step, data: "is terminated",
    EntryType.STEP_STARTED: lambda step, data: f"step {step} starts",
    EntryType.STEP_COMPLETED: lambda step, data: f"step {step} complete",
    EntryType.SLEEP_STARTED: lambda step, data: f"sleeps for {_for(data['durationMs'])} ({step})",
    EntryType.SLEEP_COMPLETED: lambda step, data: f"has slept ({step})",
    EntryType.WAIT_STARTED: lambda step, data: (
        f'waits for an event "{data["eventType"]}", {_for(data["timeoutMs"])} at most ({step})'
    ),
    EntryType.WAIT_COMPLETED: lambda step, data: f"has its event ({step})",
    EntryType.WAIT_TIMED_OUT: lambda step, data: f"got no event in time ({step})",
    EntryType.EVENT_RECEIVED: lambda step, data: f'receives an event "{data["eventType"]}"',
    EntryType.DELAY_SKIPPED: lambda step, data: f"skips a delay ({step})",
    EntryType.ROLLBACK_STEP_COMPLETED: lambda step, data: f"step {step} is undone",
}
