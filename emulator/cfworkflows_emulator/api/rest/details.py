"""An instance as the REST API shows it: outputs are text, and what is under way has its planned end."""

import json
from typing import Any

from cfworkflows_emulator.api.requests import StepQuery
from cfworkflows_emulator.api.rest.refusals import refusal
from cfworkflows_emulator.engine import REDACTED, Status, StoredStream, is_sensitive
from cfworkflows_emulator.views import (
    DoStep,
    History,
    Sleep,
    Step,
    Wait,
    describe_step,
    describe_summary,
    describe_undoing,
    iso,
)

LONGEST_OUTPUT = 1024
TRUNCATED = "[truncated output]"


def describe(history: History, version_id: str, *, simple: bool, newest_first: bool) -> dict[str, Any]:
    """The details of an instance. `simple` leaves the steps out."""
    shown = describe_summary(history)
    status = history.state.visible_status
    queued = history.state.queued.data if history.state.queued is not None else {}
    details = {
        **{key: shown[key] for key in ("status", "params", "queued", "start", "end", "error", "rollback")},
        "trigger": {"source": queued.get("trigger", "unknown")},
        "versionId": version_id,
        "success": status is Status.COMPLETE if status.finite else None,
        "output": _output(shown["output"]),
        "step_count": len(history.steps),
        "steps": [] if simple else _steps(history, newest_first=newest_first),
    }
    if "schedule" in queued:
        details["schedule"] = queued["schedule"]
    return details


def step_output(history: History, asked: StepQuery) -> dict[str, Any]:
    """The status, the error and the whole output of a step, or of one of its attempts. Raises ApiError."""
    step = next((step for step in history.steps if (step.name, step.type) == (asked.name, asked.type)), None)
    if step is None:
        raise refusal("step.not_found", f"The instance has no {asked.type} called {asked.name!r}.")
    shown = describe_step(step)
    if isinstance(step, Wait):
        status = ("errored" if step.state.timed_out else "complete") if step.state.done else "waiting"
        output = shown["output"]["payload"] if shown["output"] is not None else None
        return {"status": status, "error": shown["error"], "output": output, "event_type": step.state.event_type}
    attempts = shown["attempts"]
    if asked.attempt is not None and asked.attempt > len(attempts):
        raise refusal("step.not_found", f"{asked.name!r} has had {len(attempts)} attempts, not {asked.attempt}.")
    attempt = attempts[(asked.attempt or 0) - 1] if attempts else None
    outcome = shown["success"] if asked.attempt is None or attempt is None else attempt["success"]
    # A step that has not ended and shows an error waits for its next attempt.
    status = {True: "complete", False: "errored", None: "running"}[outcome]
    error = attempt["error"] if attempt is not None else None
    return {"status": status, "error": error, "output": shown.get("output") if outcome else None}


def step_stream(history: History, asked: StepQuery) -> StoredStream | None:
    """The stream that a step, or one of its attempts, returned. None for any other result, and if it is sensitive."""
    step = next((step for step in history.steps if (step.name, step.type) == (asked.name, asked.type)), None)
    if not isinstance(step, DoStep) or is_sensitive(step.state.config) or not step.success:
        return None
    stream = step.state.stream
    return stream if stream is not None and asked.attempt in (None, len(step.attempts)) else None


def _steps(history: History, *, newest_first: bool) -> list[dict[str, Any]]:
    steps = [_step(step) for step in history.steps] + describe_undoing(history)
    if history.state.status is Status.TERMINATED:
        steps.append({"type": "termination", "trigger": {"source": history.terminated_by}})
    return steps[::-1] if newest_first else steps


def _step(step: Step) -> dict[str, Any]:
    shown = describe_step(step)
    match step:
        case DoStep():
            return {**shown, "output": _text(shown["output"]) if step.has_output else None}
        case Sleep(state=sleep):
            return {**shown, "end": shown["end"] or iso(round(sleep.until))}
        case Wait(state=wait):
            output = _text(shown["output"]["payload"]) if shown["output"] is not None else None
            end = shown["end"] or iso(round(wait.until))
            return {**shown, "end": end, "output": output, "event_type": wait.event_type}
    raise TypeError(f"The REST API has no form for a {type(step).__name__}.")


def _text(value: Any) -> str:
    text = REDACTED if value == REDACTED else _json(value)
    return text if len(text) <= LONGEST_OUTPUT else f"{text[:LONGEST_OUTPUT]} {TRUNCATED}"


def _output(value: Any) -> Any:
    if value is None or isinstance(value, str) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    return _json(value)


def _json(value: Any) -> str:
    """As JavaScript writes it: without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
