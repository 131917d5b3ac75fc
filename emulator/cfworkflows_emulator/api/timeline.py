"""An instance with everything that its journal knows: what `cfwf workflows instances describe` draws."""

from collections.abc import Sequence
from typing import Any

from cfworkflows.errors import ErrorRecord
from cfworkflows.values import decode
from cfworkflows_emulator.api.details import iso, printable
from cfworkflows_emulator.engine.journal.state import InstanceState, SleepState, Status, StepState, Verb, WaitState
from cfworkflows_emulator.engine.results import REDACTED, is_sensitive
from cfworkflows_emulator.storage import Entry, InstanceRow

_TYPES = {"do": "step", "sleep": "sleep", "wait": "waitForEvent"}


def timeline(row: InstanceRow, entries: Sequence[Entry], size: int, now: int) -> dict[str, Any]:
    """A `results.Timeline`. `size` is in bytes, `now` in ms."""
    state = InstanceState.fold(entries)
    queued = state.queued
    begun = {entry.type: entry for entry in reversed(entries)}
    steps = [
        *(("do", name, known) for name, known in state.steps.items()),
        *(("sleep", name, known) for name, known in state.sleeps.items()),
        *(("wait", name, known) for name, known in state.waits.items()),
    ]
    journal = _Journal(entries)
    data = queued.data if queued is not None else {}
    return {
        "workflow": row.workflow,
        "id": row.id,
        "status": str(state.visible_status),
        "trigger": {"source": data.get("trigger", "unknown")},
        "schedule": data.get("schedule"),
        "now": iso(now),
        "queued": iso(queued.time) if queued is not None else None,
        "start": iso(begun["workflow_started"].time) if "workflow_started" in begun else None,
        "end": iso(state.ended_at) if state.ended_at is not None and state.status.finite else None,
        "wake": _time(state.next_deadline()) if state.visible_status is Status.WAITING else None,
        "expires": _time(row.expires_at),
        "bytes": size,
        "params": _value(queued.value if queued is not None else None),
        "output": _value(state.output),
        "error": _error(state.error),
        "steps": [
            journal.verb(kind, name, known) for kind, name, known in sorted(steps, key=lambda each: each[2].began)
        ],
        "rollback": _rollback(state, journal),
        "events": [
            {"type": event.data["eventType"], "payload": _value(event.value), "timestamp": iso(event.time)}
            for event in state.events
        ],
        "diagnosis": [str(diagnosis) for diagnosis in state.diagnoses],
    }


class _Journal:
    """The entries of a journal, to be found by the step that they are about."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._times = {entry.seq: entry.time for entry in entries}
        self._attempts: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._bounds: dict[tuple[str, str], list[int]] = {}
        self._skipped = {(entry.data["kind"], entry.step) for entry in entries if entry.type == "delay_skipped"}
        for entry in entries:
            kind = "rollback" if entry.type.startswith("rollback_") else "do"
            type = entry.type.removeprefix("rollback_")
            if entry.step is None or not type.startswith(("step_", "attempt_")):
                continue
            self._bounds.setdefault((kind, entry.step), []).append(entry.time)
            attempts = self._attempts.setdefault((kind, entry.step), [])
            if type == "attempt_started":
                attempts.append({"attempt": entry.data["attempt"], **_OPEN, "start": iso(entry.time)})
            elif type in ("attempt_completed", "attempt_errored"):
                error = entry.data.get("error")
                attempts[-1] |= {
                    "end": iso(entry.time),
                    "success": type == "attempt_completed",
                    "error": _error(ErrorRecord(**error)) if error is not None else None,
                    "retry_delay_ms": entry.data.get("retryDelayMs"),
                }

    def verb(self, kind: str, name: str, verb: Verb) -> dict[str, Any]:
        """A `results.TimelineStep`."""
        shown = {
            "name": name,
            "type": _TYPES[kind],
            "at": verb.at,
            "inside": verb.inside,
            "start": iso(self._times[verb.began]),
            "end": iso(self._times[verb.ended]) if verb.ended is not None else None,
            "skipped": (kind, name) in self._skipped,
        }
        if isinstance(verb, StepState):
            return {**shown, **self._step("do", name, verb)}
        if isinstance(verb, SleepState):
            state = "complete" if verb.done else "sleeping"
            return {**shown, "state": state, "until": _time(verb.until), "absolute": verb.absolute}
        assert isinstance(verb, WaitState)
        event = verb.event
        return {
            **shown,
            "state": ("timedOut" if verb.timed_out else "complete") if verb.done else "waiting",
            "until": _time(verb.until),
            "event_type": verb.event_type,
            "timeout_ms": verb.timeout_ms,
            "output": _value(event.value) if event is not None else None,
            "received": iso(event.time) if event is not None else None,
        }

    def undo(self, name: str, step: StepState) -> dict[str, Any]:
        """The undoing of a step, as a `results.TimelineStep`."""
        bounds = self._bounds[("rollback", name)]
        return {
            "name": name,
            "type": "rollback",
            "at": None,
            "inside": None,
            "start": iso(bounds[0]),
            "end": iso(bounds[-1]) if step.done else None,
            "skipped": ("rollback", name) in self._skipped,
            **self._step("rollback", name, step),
        }

    def _step(self, kind: str, name: str, step: StepState) -> dict[str, Any]:
        output = _value(step.value)
        if step.stream is not None:
            output = step.stream.preview
        if is_sensitive(step.config) and (step.value is not None or step.stream is not None):
            output = REDACTED
        size = step.stream.size if step.stream is not None else len((step.value or "").encode("utf-8", "replace"))
        return {
            "state": _state(step),
            "until": _time(step.retry_at),
            "config": step.config,
            "attempts": self._attempts.get((kind, name), []),
            "stream": step.stream is not None,
            "bytes": size,
            "output": output,
            "error": _error(step.error),
        }


_OPEN: dict[str, Any] = {"end": None, "success": None, "error": None, "retry_delay_ms": None}


def _state(step: StepState) -> str:
    if step.done:
        return "errored" if step.error is not None else "complete"
    return "retrying" if step.retry_at is not None else "running"


def _rollback(state: InstanceState, journal: _Journal) -> dict[str, Any] | None:
    rollback = state.rollback
    if rollback is None:
        return None
    return {
        "outcome": rollback.outcome,
        "cause": _error(rollback.cause),
        "error": _error(rollback.failure),
        "steps": [journal.undo(name, step) for name, step in rollback.steps.items()],
    }


def _error(error: ErrorRecord | None) -> dict[str, Any] | None:
    return {"name": error.name, "message": error.message, "traceback": error.traceback} if error is not None else None


def _value(text: str | None) -> Any:
    return printable(decode(text)) if text is not None else None


def _time(milliseconds: float | None) -> str | None:
    return iso(-int(-milliseconds // 1)) if milliseconds is not None else None
