"""An instance with everything that its journal says: what `cfwf workflows instances describe` shows."""

from typing import Any

from cfworkflows.errors import ErrorRecord
from cfworkflows_emulator.engine import InstanceRow, Status
from cfworkflows_emulator.engine.journal.state import StepState
from cfworkflows_emulator.views.history import Attempt, DoStep, History, Sleep, Step, Wait
from cfworkflows_emulator.views.plain import iso, plain, printable


def describe_timeline(row: InstanceRow, history: History, size: int, now: int) -> dict[str, Any]:
    """A `results.Timeline`. `size` is in bytes, `now` in ms."""
    state = history.state
    queued = state.queued
    data = queued.data if queued is not None else {}
    return {
        "workflow": row.workflow,
        "id": row.id,
        "status": str(state.visible_status),
        "trigger": {"source": data.get("trigger", "unknown")},
        "schedule": data.get("schedule"),
        "now": iso(now),
        "queued": iso(queued.time) if queued is not None else None,
        "start": _time(history.started),
        "end": _time(history.ended),
        "wake": _time(state.next_deadline()) if state.visible_status is Status.WAITING else None,
        "expires": _time(row.expires_at),
        "bytes": size,
        "params": plain(queued.value) if queued is not None else None,
        "output": plain(state.output),
        "error": _error(state.error),
        "steps": [_step(step) for step in history.steps],
        "rollback": _rollback(history),
        "events": [
            {"type": event.data["eventType"], "payload": plain(event.value), "timestamp": iso(event.time)}
            for event in state.events
        ],
        "diagnosis": [str(diagnosis) for diagnosis in state.diagnoses],
    }


def _step(step: Step) -> dict[str, Any]:
    """A `results.TimelineStep`."""
    shown = {
        "name": step.name,
        "type": step.type,
        "at": step.state.at,
        "inside": step.state.inside,
        "start": iso(step.start),
        "end": _time(step.end),
        "skipped": step.skipped,
    }
    match step:
        case DoStep():
            return {**shown, **_done(step)}
        case Sleep(state=sleep):
            state = "complete" if sleep.done else "sleeping"
            return {**shown, "state": state, "until": _time(sleep.until), "absolute": sleep.absolute}
        case Wait(state=wait):
            event = wait.event
            return {
                **shown,
                "state": ("timedOut" if wait.timed_out else "complete") if wait.done else "waiting",
                "until": _time(wait.until),
                "event_type": wait.event_type,
                "timeout_ms": wait.timeout_ms,
                "output": plain(event.value) if event is not None else None,
                "received": iso(event.time) if event is not None else None,
            }
    raise TypeError(f"There is no timeline of a {type(step).__name__}.")


def _done(step: DoStep) -> dict[str, Any]:
    state = step.state
    size = state.stream.size if state.stream is not None else len((state.value or "").encode("utf-8", "replace"))
    return {
        "state": _state(state),
        "until": _time(state.retry_at),
        "config": state.config,
        "attempts": [_attempt(attempt) for attempt in step.attempts],
        "stream": state.stream is not None,
        "bytes": size,
        "output": printable(step.output),
        "error": _error(state.error),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    """A `results.TimelineAttempt`."""
    return {
        "attempt": attempt.number,
        "end": _time(attempt.end),
        "success": attempt.success,
        "error": _error(attempt.error),
        "retry_delay_ms": attempt.retry_delay_ms,
        "start": iso(attempt.start),
    }


def _state(step: StepState) -> str:
    if step.done:
        return "errored" if step.error is not None else "complete"
    return "retrying" if step.retry_at is not None else "running"


def _rollback(history: History) -> dict[str, Any] | None:
    rollback = history.state.rollback
    if rollback is None:
        return None
    return {
        "outcome": rollback.outcome,
        "cause": _error(rollback.cause),
        "error": _error(rollback.failure),
        "steps": [_step(step) for step in history.undone],
    }


def _error(error: ErrorRecord | None) -> dict[str, Any] | None:
    return {"name": error.name, "message": error.message, "traceback": error.traceback} if error is not None else None


def _time(milliseconds: float | None) -> str | None:
    return iso(-int(-milliseconds // 1)) if milliseconds is not None else None
