"""`WorkflowStep`: the object that `run()` receives as its second argument."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from types import UnionType
from typing import Any, Literal, TypeVar, Unpack, cast, overload

from cfworkflows.durations import Duration, parse_duration
from cfworkflows.errors import WorkflowFatalError
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step.arguments import (
    MISSING,
    in_one_form,
    milliseconds,
    positional_form,
    rollback_options,
    wait_options,
)
from cfworkflows.step.call import StepDriver, check_name
from cfworkflows.step.config import WorkflowRetryConfig, WorkflowStepConfig
from cfworkflows.step.decorated import StepDecorator, StepFunction
from cfworkflows.step.options import (
    AnyCallback,
    AsyncCallback,
    AsyncContextCallback,
    Callback,
    Configuring,
    ConfiguringDecorating,
    ContextCallback,
    Decorating,
    RollbackConfig,
    RollbackHandler,
    RollbackOptions,
    Undoing,
    WaitForEventOptions,
)

T = TypeVar("T")
R = TypeVar("R")


class WorkflowStep:
    """Durable steps. Each verb starts at the call, like a promise, and returns a future.

    A finished verb is never run again: on a replay of `run()` its stored result is returned, or its error raised.
    """

    def __init__(self, driver: StepDriver) -> None:
        self._driver = driver
        self._functions: dict[str, StepFunction[Any]] = {}

    @overload
    def do(
        self,
        name: str,
        callback: AsyncCallback[T],
        undo: RollbackOptions | None = ...,
        /,
        **options: Unpack[Configuring],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        callback: Callback[T],
        undo: RollbackOptions | None = ...,
        /,
        **options: Unpack[Configuring],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        callback: AsyncContextCallback[T],
        undo: RollbackOptions | None = ...,
        /,
        **options: Unpack[Configuring],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        callback: ContextCallback[T],
        undo: RollbackOptions | None = ...,
        /,
        **options: Unpack[Configuring],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        config: WorkflowStepConfig,
        callback: AsyncCallback[T],
        undo: RollbackOptions | None = ...,
        /,
        **options: Unpack[Undoing],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        config: WorkflowStepConfig,
        callback: Callback[T],
        undo: RollbackOptions | None = ...,
        /,
        **options: Unpack[Undoing],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        config: WorkflowStepConfig,
        callback: AsyncContextCallback[T],
        undo: RollbackOptions | None = ...,
        /,
        **options: Unpack[Undoing],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        config: WorkflowStepConfig,
        callback: ContextCallback[T],
        undo: RollbackOptions | None = ...,
        /,
        **options: Unpack[Undoing],
    ) -> asyncio.Future[T]: ...

    @overload
    def do(
        self,
        name: str,
        callback: AnyCallback,
        undo: RollbackOptions | None = ...,
        /,
        *,
        returns: type[R],
        **options: Unpack[Configuring],
    ) -> asyncio.Future[R]: ...

    @overload
    def do(
        self,
        name: str,
        callback: AnyCallback,
        undo: RollbackOptions | None = ...,
        /,
        *,
        returns: UnionType,
        **options: Unpack[Configuring],
    ) -> asyncio.Future[Any]: ...

    @overload
    def do(
        self,
        name: str,
        config: WorkflowStepConfig,
        callback: AnyCallback,
        undo: RollbackOptions | None = ...,
        /,
        *,
        returns: type[R],
        **options: Unpack[Undoing],
    ) -> asyncio.Future[R]: ...

    @overload
    def do(
        self,
        name: str,
        config: WorkflowStepConfig,
        callback: AnyCallback,
        undo: RollbackOptions | None = ...,
        /,
        *,
        returns: UnionType,
        **options: Unpack[Undoing],
    ) -> asyncio.Future[Any]: ...

    @overload
    def do(self, name: str | None = ..., /, **options: Unpack[ConfiguringDecorating]) -> StepDecorator: ...

    @overload
    def do(
        self, name: str | None = ..., /, *, returns: type[R], **options: Unpack[ConfiguringDecorating]
    ) -> Callable[[Callable[..., object]], StepFunction[R]]: ...

    @overload
    def do(self, name: str, config: WorkflowStepConfig, /, **options: Unpack[Decorating]) -> StepDecorator: ...

    @overload
    def do(
        self, name: str, config: WorkflowStepConfig, /, *, returns: type[R], **options: Unpack[Decorating]
    ) -> Callable[[Callable[..., object]], StepFunction[R]]: ...

    def do(
        self,
        name: str | None = None,
        *arguments: Any,
        config: WorkflowStepConfig | None = None,
        depends: Sequence[StepFunction[Any]] | None = None,
        concurrent: bool = False,
        retries: WorkflowRetryConfig | None = None,
        timeout: Duration | None = None,
        sensitive: Literal["output"] | None = None,
        rollback: RollbackHandler | None = None,
        rollback_config: RollbackConfig | None = None,
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
        everywhere but in the Workflow's code.

        A callback may return a stream of bytes: an async generator, or a ReadableStream. It is stored chunk by chunk,
        and the step returns a ReadableStream that reads it again, on every replay. A chunk has at most 16 MiB, all that
        is stored of an instance 1 GiB; other results have at most 1 MiB.

        `rollback` undoes the step if the instance fails later, or is terminated with `{"rollback": True}`. It is called
        with a RollbackContext, or without arguments, and tried as often as `rollback_config` says; the handlers of all
        steps that were started are called one after the other, the latest step's first.

        Raises WorkflowFatalError for a name over 256 characters or with control characters, a configuration in an
        invalid format, and a missing callback. The future raises the error of the last attempt: a builtin class or
        NonRetryableError keeps its type, WorkflowTimeoutError is a timeout, any other arrives as StepError.
        """
        if callable(name):
            raise WorkflowFatalError('step.do is called with a name: step.do("name", callback), or @step.do("name").')
        config, callback, undo = positional_form(name, arguments, config)
        if retries is not None or timeout is not None or sensitive is not None:
            options = {"retries": retries, "timeout": timeout, "sensitive": sensitive}
            given = {key: value for key, value in options.items() if value is not None}
            if config is not None:
                raise TypeError(f"step.do() got its configuration twice: as an object and as {', '.join(given)}=")
            config = cast(WorkflowStepConfig, given)
        rollback, rollback_config = rollback_options(name, undo, rollback, rollback_config)
        if callback is MISSING:
            decorator_options = {
                "config": config,
                "rollback": rollback,
                "rollback_config": rollback_config,
                "returns": returns,
            }
            return StepDecorator(
                self.do, self._driver.task, self._functions, name, depends, concurrent, decorator_options
            )
        if depends is not None or concurrent:
            raise TypeError("depends= and concurrent= belong to the decorator form, @step.do(…).")
        return self._driver.do(in_one_form(check_name(name), config, callback, rollback, rollback_config, returns))

    def sleep(self, name: str, duration: Duration) -> asyncio.Future[None]:
        """Wait for `duration`: `"5 minutes"`, milliseconds, or a timedelta, up to 365 days.

        Raises DurationError for anything else.
        """
        return self._driver.sleep(check_name(name), parse_duration(duration))

    def sleep_until(self, name: str, timestamp: datetime | int | float) -> asyncio.Future[None]:
        """Wait until `timestamp`: a datetime (a naive one is UTC) or milliseconds since the epoch.

        The future raises an Exception if the time has passed already when the step is first met.
        """
        return self._driver.sleep_until(check_name(name), milliseconds(timestamp))

    @overload
    def wait_for_event(
        self, name: str, options: WaitForEventOptions, /, *, returns: type[R]
    ) -> asyncio.Future[WorkflowStepEvent[R]]: ...

    @overload
    def wait_for_event(
        self, name: str, type: str, /, *, timeout: Duration = ..., returns: type[R]
    ) -> asyncio.Future[WorkflowStepEvent[R]]: ...

    @overload
    def wait_for_event(
        self, name: str, /, *, type: str, timeout: Duration = ..., returns: type[R]
    ) -> asyncio.Future[WorkflowStepEvent[R]]: ...

    @overload
    def wait_for_event(
        self, name: str, options: WaitForEventOptions, /, *, returns: object = ...
    ) -> asyncio.Future[WorkflowStepEvent[Any]]: ...

    @overload
    def wait_for_event(
        self, name: str, type: str, /, *, timeout: Duration = ..., returns: object = ...
    ) -> asyncio.Future[WorkflowStepEvent[Any]]: ...

    @overload
    def wait_for_event(
        self, name: str, /, *, type: str, timeout: Duration = ..., returns: object = ...
    ) -> asyncio.Future[WorkflowStepEvent[Any]]: ...

    def wait_for_event(
        self,
        name: str,
        options: WaitForEventOptions | str | None = None,
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
        event_type, wait_for = wait_options(options, {"type": type, "timeout": timeout})
        return self._driver.wait_for_event(check_name(name), event_type, parse_duration(wait_for), returns)

    sleepUntil = sleep_until  # noqa: N815 - the platform's name
    waitForEvent = wait_for_event  # noqa: N815 - the platform's name
