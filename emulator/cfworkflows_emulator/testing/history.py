"""The history of an instance, as typed records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cfworkflows.errors import ErrorRecord
from cfworkflows.values import decode
from cfworkflows_emulator.clock import LAST_MS
from cfworkflows_emulator.engine import REDACTED, Entry, is_sensitive
from cfworkflows_emulator.engine.journal.entries import EntryType


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to an instance.

    `type` is the event's name as in `instance.subscribe()`, such as `step_completed`. `step` is the step's name without
    its number, `count` its occurrence, from 1, both None where no step is concerned. `attempt` is counted from 1.
    `value` is the decoded params, result, payload or output; `[REDACTED]` for the result of a step whose output is
    sensitive. `event_type` is that of an event, or of a wait.
    `until` is when a sleep ends or a wait times out, in the year 9999 at the latest, `retry_delay_ms` how long a failed
    attempt is waited after; `at` the `file:line` of the call. `data` has all that is stored beside the value.
    """

    event_id: int
    time: datetime
    type: str
    step: str | None = None
    count: int | None = None
    attempt: int | None = None
    value: Any = None
    error: ErrorRecord | None = None
    event_type: str | None = None
    until: datetime | None = None
    retry_delay_ms: float | None = None
    at: str | None = None
    data: Mapping[str, Any] | None = None

    @classmethod
    def all_of(cls, entries: Iterable[Entry]) -> "list[HistoryEntry]":
        """Those of a journal, in its order."""
        hidden: set[str | None] = set()
        found = []
        for entry in entries:
            if entry.type == EntryType.STEP_STARTED and is_sensitive(entry.data["config"]):
                hidden.add(entry.step)
            redacted = entry.type == EntryType.STEP_COMPLETED and entry.step in hidden
            found.append(cls._of(entry, redacted=redacted))
        return found

    @classmethod
    def _of(cls, entry: Entry, *, redacted: bool) -> "HistoryEntry":
        data = entry.data
        value = entry.value
        name, _, count = entry.step.rpartition("-") if entry.step is not None else (None, "", "")
        return cls(
            event_id=entry.seq,
            time=_moment(entry.time),
            type=entry.type,
            step=name,
            count=int(count) if count else None,
            attempt=data.get("attempt"),
            value=None if value is None else REDACTED if redacted else decode(value),
            error=ErrorRecord(**data["error"]) if "error" in data else None,
            event_type=data.get("eventType"),
            until=_moment(data["until"]) if "until" in data else None,
            retry_delay_ms=data.get("retryDelayMs"),
            at=data.get("at"),
            data=data,
        )


def _moment(ms: float) -> datetime:
    return datetime.fromtimestamp(min(ms, LAST_MS) / 1000, UTC)
