"""Errors as the platform shows them.

There an error that leaves a step, a run or a binding keeps its class if it is one of the language's own; of any other
class it becomes an Error with the name in front of the message. Here the name has a place of its own. A Worker that
wants the platform's text puts it together again, as this one does, for every error alike.
"""

from collections.abc import Callable
from typing import Any

from cfworkflows import CfworkflowsError, NonRetryableError, WorkflowInstance

NATIVE = {
    "Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError", "AggregateError",
}  # fmt: skip


PLATFORMS = {"WorkflowTimeoutError", "WorkflowFatalError", "WorkflowInternalError", "NonRetryableDelayError"}
"""Errors of attempts that the platform raises itself, which cross no boundary on their way into events."""


class CustomError(Exception):
    """A class of the Worker's own, with a property."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = 42


class _Raised:
    """What an error is given that this Worker raises: nothing of it is left once the error has crossed a boundary."""


RAISED = _Raised()


def raised_here(error: Exception) -> Exception:
    error.raised = RAISED  # type: ignore[attr-defined]  # exceptions take any attribute
    return error


def name_and_message(error: BaseException) -> tuple[str, str]:
    """The name by which the SDK knows an error, and its text. A plain Exception is an Error."""
    if isinstance(error, (CfworkflowsError, NonRetryableError)):
        return error.name, error.message
    if isinstance(error, ExceptionGroup):
        return "AggregateError", str(error.message)
    name = type(error).__name__
    return "Error" if name == "Exception" else name, str(error.args[0]) if len(error.args) == 1 else str(error)


def folded(name: str, message: str) -> tuple[str, str]:
    """Name and message on the other side of a boundary."""
    return (name, message) if name in NATIVE else ("Error", f"{name}: {message}")


def described(error: BaseException, describe: Callable[[Any], Any]) -> dict[str, Any]:
    name, message = name_and_message(error)
    if getattr(error, "raised", None) is not RAISED:
        name, message = folded(name, message)
        return {"name": name, "message": message}
    shown: dict[str, Any] = {"name": name, "message": message}
    if not isinstance(error, NonRetryableError):
        properties = {key: describe(value) for key, value in vars(error).items() if key != "raised"}
        if properties:
            shown["props"] = properties
    if error.__cause__ is not None:
        shown["cause"] = describe(error.__cause__)
    return shown


async def status_of(instance: WorkflowInstance) -> dict[str, Any]:
    """The status of an instance, its error as the platform shows it: folded, but for a NonRetryableError."""
    status = dict(await instance.status())
    error = status.get("error")
    if error and error["name"] != "NonRetryableError":
        name, message = folded(error["name"], error["message"])
        status["error"] = {"name": name, "message": message}
    return status


def folded_event(event: dict[str, Any]) -> dict[str, Any]:
    """An event, its error as the platform shows it: an attempt's is folded if it is the Worker's own."""
    error = event.get("error")
    own = error is not None and (event["type"] == "workflow_errored" or error["name"] not in PLATFORMS)
    if error is None or not own or error["name"] == "NonRetryableError":
        return event
    name, message = folded(error["name"], error["message"])
    return {**event, "error": {"name": name, "message": message}}
