"""An instance as the Local Explorer shows it."""

from typing import Any

from cfworkflows.errors import ErrorRecord
from cfworkflows.step.config import DYNAMIC_DELAY
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.views.history import DoStep, History, Step, Wait
from cfworkflows_emulator.views.plain import iso, plain, printable


def describe_instance(history: History) -> dict[str, Any]:
    """What `describe_summary` returns, with `steps` in the order they started in, and `step_count`."""
    steps = [describe_step(step) for step in history.steps]
    return {**describe_summary(history), "steps": steps, "step_count": len(steps)}


def describe_summary(history: History) -> dict[str, Any]:
    """`{status, params, queued, start, end, output, error, rollback, diagnosis}`.

    `rollback` is `{outcome, error}` once it is over, else None. The platform has no `diagnosis`: the sentences that say
    where the code no longer does what the journal says, or None.
    """
    state = history.state
    return {
        "status": str(state.visible_status),
        "params": plain(state.queued.value) if state.queued else None,
        "queued": iso(state.queued.time) if state.queued else None,
        "start": _iso(history.started),
        "end": _iso(history.ended),
        "output": plain(state.output),
        "error": _error(state.error),
        "rollback": _rollback(state),
        "diagnosis": [str(diagnosis) for diagnosis in state.diagnoses] or None,
    }


def describe_step(step: Step) -> dict[str, Any]:
    """A step. A step of the type `step` has an `output` if it returned something."""
    bounds = {"name": step.name, "start": iso(step.start), "end": _iso(step.end)}
    if isinstance(step, DoStep):
        return {
            **bounds,
            "success": step.success,
            "type": step.type,
            "config": step.state.config,
            "attempts": [
                {
                    "start": iso(attempt.start),
                    "end": _iso(attempt.end),
                    "success": attempt.success,
                    "error": _error(attempt.error),
                }
                for attempt in step.attempts
            ],
            **({"output": printable(step.output)} if step.has_output else {}),
        }
    shown = {**bounds, "finished": step.state.done, "type": step.type, "error": None}
    return {**shown, **_waited(step)} if isinstance(step, Wait) else shown


def _waited(wait: Wait) -> dict[str, Any]:
    error = output = None
    if wait.state.timed_out:
        message = f"Execution timed out after {wait.state.timeout_ms:g}ms"
        error = {"name": "WorkflowTimeoutError", "message": message}
    elif (event := wait.state.event) is not None:
        output = {"type": event.data["eventType"], "payload": plain(event.value), "timestamp": iso(event.time)}
    return {"error": error, "output": output}


def describe_undoing(history: History) -> list[dict[str, Any]]:
    """The rollback handlers that ran, in that order: steps of the type `rollback`, without outputs."""
    return [{**describe_step(step), "output": None} for step in history.undone]


def without_functions(shown: dict[str, Any]) -> dict[str, Any]:
    """What `describe_instance` returned, as the Local Explorer shows it: a delay that is a function is left out."""
    for step in shown["steps"]:
        retries = step.get("config", {}).get("retries", {})
        if retries.get("delay") == DYNAMIC_DELAY:
            step["config"] = {**step["config"], "retries": {k: v for k, v in retries.items() if k != "delay"}}
    return shown


def _iso(time: int | None) -> str | None:
    return iso(time) if time is not None else None


def _error(error: ErrorRecord | None) -> dict[str, str] | None:
    return {"name": error.name, "message": error.message} if error is not None else None


def _rollback(state: InstanceState) -> dict[str, Any] | None:
    if state.rollback is None or state.rollback.outcome is None:
        return None
    return {"outcome": state.rollback.outcome, "error": _error(state.rollback.failure)}
