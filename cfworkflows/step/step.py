"""`WorkflowStep`: the object that `run()` gets as its second argument."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict, TypeVar, Unpack, overload

from cfworkflows.durations import Duration, parse_duration
from cfworkflows.errors import WorkflowFatalError
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step.call import Rollback, StepCall, StepDriver, caller_location, check_name, context_style
from cfworkflows.step.config import WorkflowRetryConfig, WorkflowStepConfig, resolve
from cfworkflows.step.decorated import StepDecorator, StepFunction
from cfworkflows.typed import return_type

T = TypeVar("T")

StepConfigLike = WorkflowStepConfig | Mapping[str, Any]
RollbackOptions = Mapping[str, Any]
Retries = WorkflowRetryConfig | Mapping[str, Any]

DEFAULT_EVENT_TIMEOUT: Duration = "24 hours"
_MISSING: Any = object()


class _ResultOptions(TypedDict, total=False):
    rollback: Callable[..., Any] | None
    rollback_config: StepConfigLike | None
    returns: Any


class _Options(_ResultOptions, total=False):
    retries: Retries | None
    timeout: Duration | None
    sensitive: Literal["output"] | None


class _DecoratorOptions(_Options, total=False):
    config: StepConfigLike | None
    depends: Sequence[StepFunction[Any]] | None
    concurrent: bool


class WorkflowStep:
    """Durable steps. Each verb starts at the call, like a promise, and gives something to await.

    A finished verb is never run again: on a replay of `run()` its stored result is returned, or its error raised.
    """

    def __init__(self, driver: StepDriver) -> None:
        self._driver = driver
        self._functions: dict[str, StepFunction[Any]] = {}

    @overload
    def do(
        self,
        name: str,
        callback: Callable[..., Awaitable[T]],
        rollback_options: RollbackOptions | None = ...,
        /,
        **options: Unpack[_Options],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        callback: Callable[..., T],
        rollback_options: RollbackOptions | None = ...,
        /,
        **options: Unpack[_Options],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        config: StepConfigLike,
        callback: Callable[..., Awaitable[T]],
        rollback_options: RollbackOptions | None = ...,
        /,
        **options: Unpack[_ResultOptions],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        config: StepConfigLike,
        callback: Callable[..., T],
        rollback_options: RollbackOptions | None = ...,
        /,
        **options: Unpack[_ResultOptions],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(self, name: str | None = ..., /, **options: Unpack[_DecoratorOptions]) -> StepDecorator: ...

    @overload
    def do(self, name: str, config: StepConfigLike, /, **options: Unpack[_DecoratorOptions]) -> StepDecorator: ...

    def do(
        self,
        name: str | None = None,
        *arguments: Any,
        config: StepConfigLike | None = None,
        depends: Sequence[StepFunction[Any]] | None = None,
        concurrent: bool = False,
        retries: Retries | None = None,
        timeout: Duration | None = None,
        sensitive: Literal["output"] | None = None,
        rollback: Callable[..., Any] | None = None,
        rollback_config: StepConfigLike | None = None,
        returns: Any = None,
    ) -> Any:
        """Run `callback` as a durable step, retried on failure, and store its result.

            await step.do("name", callback)
            await step.do("name", {"retries": {"limit": 3, "delay": "1 second"}, "timeout": "30 seconds"}, callback)
            await step.do("name", callback, retries={"limit": 3, "delay": "1 second"}, timeout="30 seconds")
            await step.do("name", callback, {"rollback": undo})

            @step.do("name")
            async def fetch_order(): ...
            order = await fetch_order()

        `callback` may be an `async def`, a lambda (called inline) or a plain `def` (called in a worker thread), and
        may take the step context. `returns` names the type that the result is rebuilt as: a pydantic model, a
        dataclass or a TypedDict; by default the callback's own annotation. `sensitive="output"` hides the result
        wherever it can be seen from outside; the code gets it all the same.

        A callback may give a stream of bytes: an async generator, or a ReadableStream. It is stored chunk by chunk, and
        the step gives a ReadableStream that reads it again, on every replay. A chunk has at most 16 MiB, all that is
        stored of an instance 1 GiB; other results have at most 1 MiB.

        `rollback` undoes the step if the instance fails later, or is terminated with `{"rollback": True}`. It is called
        with a RollbackContext, or without arguments, and tried as often as `rollback_config` says; the handlers of all
        steps that were started are called one after the other, the latest step's first.

        Raises WorkflowFatalError for a name over 256 characters or with control characters, a configuration in an
        invalid format, and a missing callback. The future raises the error of the last attempt: a builtin class or
        NonRetryableError keeps its type, WorkflowTimeoutError tells a timeout, any other arrives as StepError.
        """
        if callable(name):
            raise WorkflowFatalError('step.do is called with a name: step.do("name", callback), or @step.do("name").')
        options = {"retries": retries, "timeout": timeout, "sensitive": sensitive}
        given = {key: value for key, value in options.items() if value is not None}
        config, callback, rollback_options = _positional_form(name, arguments, config)
        if given:
            if config is not None:
                raise TypeError(f"step.do() got its configuration twice: as an object and as {', '.join(given)}=")
            config = given
        rollback, rollback_config = _rollback_options(name, rollback_options, rollback, rollback_config)
        if callback is _MISSING:
            decorator_options = {
                "config": config,
                "rollback": rollback,
                "rollback_config": rollback_config,
                "returns": returns,
            }
            return StepDecorator(self, name, depends, concurrent, decorator_options)
        if depends is not None or concurrent:
            raise TypeError("depends= and concurrent= belong to the decorator form, @step.do(…).")
        return self._driver.do(_call(check_name(name), config, callback, rollback, rollback_config, returns))

    def sleep(self, name: str, duration: Duration) -> asyncio.Future[None]:
        """Wait for `duration`: `"5 minutes"`, milliseconds, or a timedelta, up to 365 days.

        Raises DurationError for anything else.
        """
        return self._driver.sleep(check_name(name), parse_duration(duration))

    def sleep_until(self, name: str, timestamp: datetime | int | float) -> asyncio.Future[None]:
        """Wait until `timestamp`: a datetime (a naive one is UTC) or milliseconds since the epoch.

        The future raises an Exception if the time has passed already when the step is first met.
        """
        return self._driver.sleep_until(check_name(name), _milliseconds(timestamp))

    def wait_for_event(
        self,
        name: str,
        options: Mapping[str, Any] | str | None = None,
        /,
        *,
        type: str | None = None,
        timeout: Duration | None = None,
        returns: Any = None,
    ) -> asyncio.Future[WorkflowStepEvent[Any]]:
        """Wait for an event sent with `instance.send_event`: its payload, type and timestamp.

            approval = await step.wait_for_event("wait for approval", {"type": "approval", "timeout": "7 days"})
            approval = await step.wait_for_event("wait for approval", type="approval", timeout="7 days")

        An event that arrived before the wait is taken at once. `timeout` is 24 hours by default and 365 days at most;
        after it the future raises WorkflowTimeoutError. `returns` names the type that the payload is rebuilt as.
        """
        given = {"type": type, "timeout": timeout}
        if isinstance(options, str):
            options = {"type": options}
        elif options is not None and not isinstance(options, Mapping):
            raise WorkflowFatalError(f"waitForEvent options must be an object with type and timeout, not {options!r}.")
        merged = {**(options or {}), **{key: value for key, value in given.items() if value is not None}}
        unknown = merged.keys() - {"type", "timeout"}
        if unknown:
            raise WorkflowFatalError(
                f"waitForEvent does not know {', '.join(sorted(unknown))}; it takes type and timeout."
            )
        wait_for = merged.get("timeout")
        if wait_for is None:
            wait_for = DEFAULT_EVENT_TIMEOUT
        return self._driver.wait_for_event(check_name(name), merged.get("type", ""), parse_duration(wait_for), returns)

    sleepUntil = sleep_until  # noqa: N815 - the platform's name
    waitForEvent = wait_for_event  # noqa: N815 - the platform's name


def _positional_form(
    name: object, arguments: tuple[Any, ...], config: StepConfigLike | None
) -> tuple[StepConfigLike | None, Any, RollbackOptions | None]:
    """Sort out `(callback)`, `(config)`, `(config, callback)`, each with rollback options behind the callback."""
    callback: Any = _MISSING
    rest = list(arguments)
    if rest and not callable(rest[0]) and (len(rest) > 1 or isinstance(rest[0], (Mapping, WorkflowStepConfig))):
        if config is not None:
            raise TypeError("step.do() got its configuration twice: as an object and as config=")
        config = rest.pop(0)
        resolve(str(name), config)  # what is wrong, before who is missing
    if rest:
        callback = rest.pop(0)
        if not callable(callback):
            raise WorkflowFatalError(f'Step "{name}" requires a callback function')
    rollback_options = rest.pop(0) if rest else None
    if rest:
        raise TypeError(f'step.do("{name}") takes at most a configuration, a callback and rollback options')
    return config, callback, rollback_options


def _rollback_options(
    name: object, options: object, rollback: object, rollback_config: StepConfigLike | None
) -> tuple[Any, StepConfigLike | None]:
    if options is not None:
        if not isinstance(options, Mapping):
            raise WorkflowFatalError(f'Rollback options for "{name}" must be an object')
        rollback = options.get("rollback", rollback)
        rollback_config = options.get("rollbackConfig", options.get("rollback_config", rollback_config))
    if rollback is not None and not callable(rollback):
        raise WorkflowFatalError(f'Rollback for "{name}" must be a function')
    return rollback, rollback_config


def _call(
    name: str,
    config: StepConfigLike | None,
    callback: Callable[..., Any],
    rollback: Callable[..., Any] | None,
    rollback_config: StepConfigLike | None,
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
        location=caller_location(),
    )


def _milliseconds(timestamp: datetime | int | float) -> float:
    if isinstance(timestamp, datetime):
        moment = timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=UTC)
        return moment.timestamp() * 1000
    if isinstance(timestamp, bool) or not isinstance(timestamp, (int, float)) or timestamp - timestamp != 0:
        raise WorkflowFatalError(
            f"sleepUntil takes a datetime, or a number of milliseconds since the epoch, not {timestamp!r}."
        )
    return float(timestamp)
