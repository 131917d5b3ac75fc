"""An instance's journal as the Local Explorer shows it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cfworkflows.errors import ErrorRecord
from cfworkflows.step.config import DYNAMIC_DELAY
from cfworkflows.values import decode
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.results import REDACTED, is_sensitive
from cfworkflows_emulator.storage import Entry, StoredStream


def describe_instance(entries: Sequence[Entry]) -> dict[str, Any]:
    """`{status, params, queued, start, end, output, error, rollback, diagnosis, steps, step_count}`.

    The steps come in the order they started in. `rollback` is `{outcome, error}` once it is over, else None. The
    `diagnosis` is ours: the sentences that tell where the code does not do any more what the journal says, or None.
    """
    state = InstanceState.fold(entries)
    steps: dict[tuple[str, str | None], dict[str, Any]] = {}
    events = {entry.seq: entry for entry in entries if entry.type == "event_received"}
    shown: dict[str, Any] = {"start": None, "end": None}
    for entry in entries:
        kind = entry.type.partition("_")[0]
        if kind in ("step", "attempt"):
            _step(steps, entry)
        elif kind == "sleep":
            _sleep(steps, entry)
        elif kind == "wait":
            _wait(steps, entry, events, state)
        elif entry.type == "workflow_started":
            shown["start"] = iso(entry.time)
        elif entry.type in ("workflow_completed", "workflow_errored", "workflow_terminated"):
            shown["end"] = iso(entry.time)
    return {
        "status": str(state.visible_status),
        "params": _value(state.queued) if state.queued else None,
        "queued": iso(state.queued.time) if state.queued else None,
        **shown,
        "output": printable(decode(state.output)) if state.output is not None else None,
        "error": _record(state.error),
        "rollback": _rollback(state),
        "diagnosis": [str(diagnosis) for diagnosis in state.diagnoses] or None,
        "steps": list(steps.values()),
        "step_count": len(steps),
    }


def describe_rollback(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The rollback handlers that ran, in that order: steps of the type `rollback`, without outputs."""
    handlers: dict[tuple[str, str | None], dict[str, Any]] = {}
    for entry in entries:
        kind = entry.type.removeprefix("rollback_")
        if kind != entry.type and kind.partition("_")[0] in ("step", "attempt"):
            _step(handlers, entry._replace(type=kind))
    return [{**handler, "type": "rollback", "output": None} for handler in handlers.values()]


def _step(steps: dict[tuple[str, str | None], dict[str, Any]], entry: Entry) -> None:
    key = ("do", entry.step)
    if entry.type == "step_started":
        steps[key] = {
            "name": entry.step,
            "start": iso(entry.time),
            "end": None,
            "success": None,
            "type": "step",
            "config": entry.data["config"],
            "attempts": [],
        }
        return
    step = steps[key]
    if entry.type == "attempt_started":
        step["attempts"].append({"start": iso(entry.time), "end": None, "success": None, "error": None})
    elif entry.type in ("attempt_completed", "attempt_errored"):
        step["attempts"][-1].update(end=iso(entry.time), success=entry.type == "attempt_completed", error=_error(entry))
    else:
        step.update(end=iso(entry.time), success=entry.type == "step_completed")
        stream = StoredStream.of(entry.seq, entry.data)
        if (entry.value is not None or stream is not None) and is_sensitive(step["config"]):
            step["output"] = REDACTED
        elif stream is not None:
            step["output"] = stream.preview
        elif entry.value is not None:
            step["output"] = _value(entry)


def _sleep(steps: dict[tuple[str, str | None], dict[str, Any]], entry: Entry) -> None:
    key = ("sleep", entry.step)
    if entry.type == "sleep_started":
        steps[key] = {
            "name": entry.step,
            "start": iso(entry.time),
            "end": None,
            "finished": False,
            "type": "sleep",
            "error": None,
        }
    else:
        steps[key].update(end=iso(entry.time), finished=True)


def _wait(
    steps: dict[tuple[str, str | None], dict[str, Any]], entry: Entry, events: dict[int, Entry], state: InstanceState
) -> None:
    key = ("wait", entry.step)
    if entry.type == "wait_started":
        steps[key] = {
            "name": entry.step,
            "start": iso(entry.time),
            "end": None,
            "finished": False,
            "type": "waitForEvent",
            "error": None,
            "output": None,
        }
        return
    wait = steps[key]
    wait.update(end=iso(entry.time), finished=True)
    if entry.type == "wait_timed_out":
        timeout_ms = state.waits[str(entry.step)].timeout_ms
        wait["error"] = {"name": "WorkflowTimeoutError", "message": f"Execution timed out after {timeout_ms:g}ms"}
    else:
        event = events[entry.data["event"]]
        wait["output"] = {"type": event.data["eventType"], "payload": _value(event), "timestamp": iso(event.time)}


def _error(entry: Entry) -> dict[str, str] | None:
    error = entry.data.get("error")
    return {"name": error["name"], "message": error["message"]} if error else None


def _record(error: ErrorRecord | None) -> dict[str, str] | None:
    return {"name": error.name, "message": error.message} if error is not None else None


def _rollback(state: InstanceState) -> dict[str, Any] | None:
    if state.rollback is None or state.rollback.outcome is None:
        return None
    return {"outcome": state.rollback.outcome, "error": _record(state.rollback.failure)}


def _value(entry: Entry) -> Any:
    return printable(decode(entry.value)) if entry.value is not None else None


def without_functions(shown: dict[str, Any]) -> dict[str, Any]:
    """What `describe_instance` gave, as the Local Explorer shows it: a delay that is a function is left out."""
    for step in shown["steps"]:
        retries = step.get("config", {}).get("retries", {})
        if retries.get("delay") == DYNAMIC_DELAY:
            step["config"] = {**step["config"], "retries": {k: v for k, v in retries.items() if k != "delay"}}
    return shown


def iso(time_ms: int) -> str:
    """A time as `2026-11-22T10:00:00.000Z`."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def printable(value: Any) -> Any:
    """`value` as plain JSON: what JSON has no form for is shown as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, dict):
        return {str(key): printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [printable(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return f"[{len(value)} bytes]"
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo is None else iso(round(value.timestamp() * 1000))
    if hasattr(value, "model_dump"):
        return printable(value.model_dump())
    if hasattr(value, "__dataclass_fields__"):
        return {name: printable(getattr(value, name)) for name in value.__dataclass_fields__}
    return str(value)
