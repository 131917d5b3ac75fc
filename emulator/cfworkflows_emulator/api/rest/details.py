"""An instance's journal as the REST API shows it: outputs are text, and what goes on has the end that is planned."""

import json
from collections.abc import Sequence
from typing import Any

from cfworkflows_emulator.api.details import describe_instance, describe_rollback, iso
from cfworkflows_emulator.api.requests import StepQuery
from cfworkflows_emulator.api.rest.refusals import refusal
from cfworkflows_emulator.engine.journal.state import InstanceState, Status
from cfworkflows_emulator.storage import Entry

LONGEST_OUTPUT = 1024
TRUNCATED = "[truncated output]"


def describe(entries: Sequence[Entry], version_id: str, *, simple: bool, newest_first: bool) -> dict[str, Any]:
    """The details of an instance. `simple` leaves the steps out."""
    state = InstanceState.fold(entries)
    shown = describe_instance(entries)
    status = Status(shown["status"])
    queued = state.queued.data if state.queued is not None else {}
    steps = [_step(step, state) for step in shown["steps"]] + describe_rollback(entries)
    if status is Status.TERMINATED:
        steps.append({"type": "termination", "trigger": {"source": "unknown"}})
    if newest_first:
        steps.reverse()
    details = {
        **{key: shown[key] for key in ("status", "params", "queued", "start", "end", "error", "rollback")},
        "trigger": {"source": queued.get("trigger", "unknown")},
        "versionId": version_id,
        "success": status is Status.COMPLETE if status.finite else None,
        "output": _output(shown["output"]),
        "step_count": shown["step_count"],
        "steps": [] if simple else steps,
    }
    if "schedule" in queued:
        details["schedule"] = queued["schedule"]
    return details


def describe_step(entries: Sequence[Entry], asked: StepQuery) -> dict[str, Any]:
    """The status, the error and the whole output of a step, or of one of its attempts. Raises ApiError."""
    steps = describe_instance(entries)["steps"]
    step = next((step for step in steps if (step["name"], step["type"]) == (asked.name, asked.type)), None)
    if step is None:
        raise refusal("step.not_found", f"The instance has no {asked.type} called {asked.name!r}.")
    if step["type"] == "waitForEvent":
        return _wait_output(step, InstanceState.fold(entries))
    attempts = step["attempts"]
    attempt = attempts[-1] if attempts else None
    if asked.attempt is not None:
        if asked.attempt > len(attempts):
            text = f"{asked.name!r} has had {len(attempts)} attempts, not {asked.attempt}."
            raise refusal("step.not_found", text)
        attempt = attempts[asked.attempt - 1]
    outcome = attempt["success"] if asked.attempt is not None and attempt is not None else step["success"]
    # A step that goes on and shows an error waits for its next attempt.
    status = {True: "complete", False: "errored", None: "running"}[outcome]
    error = attempt["error"] if attempt is not None else None
    return {"status": status, "error": error, "output": step.get("output") if outcome else None}


def _wait_output(step: dict[str, Any], state: InstanceState) -> dict[str, Any]:
    status = ("errored" if step["error"] else "complete") if step["finished"] else "waiting"
    output = step["output"]["payload"] if step["output"] is not None else None
    event_type = state.waits[step["name"]].event_type
    return {"status": status, "error": step["error"], "output": output, "event_type": event_type}


def _step(step: dict[str, Any], state: InstanceState) -> dict[str, Any]:
    match step["type"]:
        case "sleep":
            return {**step, "end": step["end"] or iso(round(state.sleeps[step["name"]].until))}
        case "waitForEvent":
            wait = state.waits[step["name"]]
            output = step["output"]
            return {
                **step,
                "end": step["end"] or iso(round(wait.until)),
                "output": _text(output["payload"]) if output is not None else None,
                "event_type": wait.event_type,
            }
        case _:
            return {**step, "output": _text(step["output"]) if "output" in step else None}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) and value == "[REDACTED]" else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_OUTPUT else f"{text[:LONGEST_OUTPUT]} {TRUNCATED}"


def _output(value: Any) -> Any:
    if value is None or isinstance(value, str) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    return json.dumps(value, ensure_ascii=False)
