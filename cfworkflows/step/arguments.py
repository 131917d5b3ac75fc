"""The arguments of a verb, parsed and checked."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cfworkflows.durations import Duration
from cfworkflows.errors import WorkflowFatalError
from cfworkflows.step.call import Rollback, StepCall, context_style
from cfworkflows.step.config import WorkflowStepConfig, resolve
from cfworkflows.step.options import RollbackConfig, RollbackOptions
from cfworkflows.typed import return_type

MISSING: Any = object()
DEFAULT_EVENT_TIMEOUT: Duration = "24 hours"
_OF_WAITS = ("type", "timeout")


def positional_form(
    name: object, arguments: tuple[Any, ...], config: WorkflowStepConfig | None
) -> tuple[WorkflowStepConfig | None, Any, RollbackOptions | None]:
    """Parse `(callback)`, `(config)`, `(config, callback)`, each with rollback options behind the callback."""
    callback: Any = MISSING
    rest = list(arguments)
    if rest and not callable(rest[0]) and (len(rest) > 1 or isinstance(rest[0], Mapping)):
        if config is not None:
            raise TypeError("step.do() got its configuration twice: as an object and as config=")
        config = rest.pop(0)
        resolve(str(name), config)  # errors of the configuration first, then the missing callback
    if rest:
        callback = rest.pop(0)
        if not callable(callback):
            raise _no_callback(name, callback)
    undo = rest.pop(0) if rest else None
    if rest:
        raise TypeError(f'step.do("{name}") takes at most a configuration, a callback and rollback options')
    return config, callback, undo


def _no_callback(name: object, given: object) -> WorkflowFatalError:
    error = WorkflowFatalError(f'Step "{name}" requires a callback function')
    if isinstance(given, Coroutine):
        made = getattr(given, "__name__", "f")
        error.add_note(
            f"{made}() is called before the step begins, and the step gets its coroutine instead of a function.\n"
            f"Pass a function: lambda: {made}(…)"
        )
        given.close()
    else:
        error.add_note(f"What it got is of the type {type(given).__name__}.")
    return error


def rollback_options(
    name: object, options: object, rollback: object, rollback_config: RollbackConfig | None
) -> tuple[Any, RollbackConfig | None]:
    if options is not None:
        if not isinstance(options, Mapping):
            raise WorkflowFatalError(f'Rollback options for "{name}" must be an object')
        rollback = options.get("rollback", rollback)
        rollback_config = options.get("rollbackConfig", options.get("rollback_config", rollback_config))
    if rollback is not None and not callable(rollback):
        raise WorkflowFatalError(f'Rollback for "{name}" must be a function')
    return rollback, rollback_config


def in_one_form(
    name: str,
    config: WorkflowStepConfig | None,
    callback: Callable[..., Any],
    rollback: Callable[..., Any] | None,
    rollback_config: RollbackConfig | None,
    returns: Any,
) -> StepCall:
    undo = None
    if rollback is not None:
        undo = Rollback(
            rollback,
            resolve(name, rollback_config, kind="Rollback config"),
            context_style(name, rollback, "rollback handler", "rollback context"),
        )
    return StepCall(
        name=name,
        callback=callback,
        context=context_style(name, callback),
        config=resolve(name, config),
        rollback=undo,
        returns=returns if returns is not None else return_type(callback),
    )


def wait_options(options: object, keywords: Mapping[str, Any]) -> tuple[Any, Duration]:
    """The type of event and the timeout of a wait. A keyword replaces what the object says."""
    if isinstance(options, str):
        options = {"type": options}
    elif options is not None and not isinstance(options, Mapping):
        raise WorkflowFatalError(f"waitForEvent options must be an object with type and timeout, not {options!r}.")
    given = {**(options or {}), **{key: value for key, value in keywords.items() if value is not None}}
    unknown = sorted(str(key) for key in given if key not in _OF_WAITS)
    if given.get("type") is None:
        raise WorkflowFatalError(f"(workflow.invalid_event_type) {' '.join(no_type_of_event(unknown))}")
    if unknown:
        raise WorkflowFatalError(f"waitForEvent does not know {', '.join(unknown)}; it takes type and timeout.")
    timeout = given.get("timeout")
    return given["type"], timeout if timeout is not None else DEFAULT_EVENT_TIMEOUT


def no_type_of_event(keys: Iterable[str]) -> tuple[str, str]:
    """What is wrong with a wait whose options have these keys but no type, and what to do."""
    fix = 'Add one: step.wait_for_event("…", {"type": "approval"})'
    wrong = next((key for key in keys if key not in _OF_WAITS), None)
    if wrong is not None:
        fix = f'"{wrong}" is no option of a wait, which has type and timeout. {fix}'
    return "The wait has no type of event: nothing can end it.", fix


def milliseconds(timestamp: datetime | int | float) -> float:
    if isinstance(timestamp, datetime):
        moment = timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=UTC)
        return moment.timestamp() * 1000
    if isinstance(timestamp, bool) or not isinstance(timestamp, (int, float)) or timestamp - timestamp != 0:
        raise WorkflowFatalError(
            f"sleepUntil takes a datetime, or a number of milliseconds since the epoch, not {timestamp!r}."
        )
    return float(timestamp)
