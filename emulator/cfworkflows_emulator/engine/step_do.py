"""`step.do`: attempts until one succeeds, each durable before its callback starts."""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from cfworkflows.durations import parse_duration
from cfworkflows.errors import (
    DurationError,
    ErrorRecord,
    NonRetryableDelayError,
    SerializationError,
    WorkflowFatalError,
    WorkflowInternalError,
    WorkflowTimeoutError,
)
from cfworkflows.step import StepCall, StepContext, StepInfo
from cfworkflows.step.call import DelayRequest, resolve_awaitable
from cfworkflows.step.config import DYNAMIC_DELAY, DelayFunction, ResolvedConfig
from cfworkflows.values import encode
from cfworkflows_emulator.engine import sizes
from cfworkflows_emulator.engine.results import result_of
from cfworkflows_emulator.engine.retries import FinalError, may_retry, retry_delay
from cfworkflows_emulator.engine.sizes import size_of, too_large
from cfworkflows_emulator.engine.state import StepState
from cfworkflows_emulator.engine.streams import READ_FAILED, StreamIntake, StreamTaken
from cfworkflows_emulator.storage import Entry
from cfworkflows_emulator.tracebacks import format_error

if TYPE_CHECKING:
    from cfworkflows_emulator.engine.run import Run

T = TypeVar("T")
log = logging.getLogger("cfworkflows.engine")

DELAY_FUNCTION_TIMEOUT_MS = 5_000
_INTERRUPTED = ErrorRecord("WorkflowInternalError", "Attempt failed due to internal workflows error")


def begin(run: "Run", step: str, call: StepCall) -> None:
    """Start a step and its first attempt, at the call: steps side by side start in the order of their calls."""
    undo = {"rollback": call.rollback.config.as_dict()} if call.rollback is not None else {}
    run.append_start("step_started", step, config=call.config.as_dict(), at=call.location, **undo)
    run.append("attempt_started", step, attempt=1)


async def perform(run: "Run", step: str, call: StepCall) -> Any:
    """Carry a step on from where its journal ends: to its result, or its last error."""
    if step not in run.state.steps:
        await run.admitted()
        begin(run, step, call)
    await attempt_until_done(run, step, run.state.steps[step], call)
    return outcome(run, step, call)


async def attempt_until_done(run: "Run", step: str, state: StepState, call: StepCall) -> None:
    """Try until an attempt succeeds, or none is left."""
    config = _stored_config(state, call)
    while not state.done:
        while state.retry_at is not None and run.clock.now() < state.retry_at:
            await run.park(state.retry_at)
        if not state.attempt_open:
            await run.admitted()
            run.append("attempt_started", step, attempt=state.attempts + 1)
        await _attempt(run, step, state, call, config)


def interrupt(steps: Mapping[str, StepState], append: Callable[..., Entry]) -> None:
    """End the attempts that were under way when the process died: each counts, as one that failed."""
    for step, state in steps.items():
        if state.attempt_open:
            limit = ResolvedConfig.from_dict(state.config).limit
            retry = may_retry(limit, state.attempts, interrupted=True)
            _record_failure(append, step, state.attempts, _INTERRUPTED, 0 if retry else None)


def outcome(run: "Run", step: str, call: StepCall) -> Any:
    """The stored result of a finished step, as first run and replay both see it. Raises its stored error."""
    state = run.state.steps[step]
    if state.error is not None:
        raise state.error.rebuild()
    return result_of(run.store, run.instance.key, step, state, call.returns)


def _stored_config(state: StepState, call: StepCall) -> ResolvedConfig:
    """What was stored when the step was first met; a function cannot be stored, so the live one is taken."""
    config = ResolvedConfig.from_dict(state.config)
    if config.delay == DYNAMIC_DELAY:
        return dataclasses.replace(config, delay=call.config.delay)
    return config


async def _attempt(run: "Run", step: str, state: StepState, call: StepCall, config: ResolvedConfig) -> None:
    name, _, count = step.rpartition("-")
    attempt = state.attempts
    await run.durable()
    context = StepContext(step=StepInfo(name=name, count=int(count)), attempt=attempt, config=visible_config(config))
    stream = StreamIntake(run, step, attempt)
    run.witness("before", step, attempt)
    try:
        intervention = run.intervention
        stand_in = intervention.stand_in(step, attempt) if intervention is not None else None
        work = _ordinary(stream.of, stand_in or _invoke, run, call, context)
        result = await _within(run, work, config.timeout_ms, step)
        run.witness("after", step, attempt)
        value = _encode(step, result, config) if not isinstance(result, StreamTaken) else None
        if value is not None and run.state.stored_bytes + len(value) > sizes.MAX_STATE_BYTES:
            what = f"the output of step {step} has {sizes.shown_size(len(value))} more"
            raise FinalError(WorkflowInternalError(sizes.no_room(run.state.stored_bytes, what)))
    except FinalError as final:
        _end(run, step, attempt, ErrorRecord.of(final.error), final.error)
    except Exception as error:  # noqa: BLE001 - whatever the callback raises is the attempt's error
        run.witness("after", step, attempt)
        if not run.closed and run.instance.abandoned(error):
            raise asyncio.CancelledError from None
        stream.give_up()
        record = ErrorRecord.of(error, format_error(error))
        # A step that was called wrongly inside of the callback will be called wrongly again.
        hopeless = record.non_retryable or isinstance(error, WorkflowFatalError)
        if stream.failed:
            record = dataclasses.replace(record, message=READ_FAILED + record.message)
        if hopeless or run.closed or not may_retry(config.limit, attempt, interrupted=False):
            _end(run, step, attempt, record, error)
            return
        try:
            delay = await _delay(run, step, config, context, error)
            if intervention is not None and intervention.skips_delay(step):
                delay = 0
        except NonRetryableDelayError as failure:
            if not run.closed and run.instance.abandoned(failure):
                raise asyncio.CancelledError from None
            _end(run, step, attempt, record, failure)
            return
        log.warning(
            "%s attempt %d of %s %s failed, next in %g s: %s: %s",
            run.instance, attempt, run.carries_out, step, delay / 1000, record.name, record.message,
        )  # fmt: skip
        _record_failure(run.append, step, attempt, record, delay)
        run.instance.attempt_ended()
    else:
        run.append("attempt_completed", step, attempt=attempt)
        taken = {"stream": result.as_dict(hidden=config.sensitive)} if isinstance(result, StreamTaken) else {}
        run.append("step_completed", step, value, **taken)
        run.instance.attempt_ended()


def _end(run: "Run", step: str, attempt: int, record: ErrorRecord, error: BaseException) -> None:
    """The last attempt failed as `record` says; the step fails with `error`, which a delay function may have raised."""
    if not run.closed:
        log.warning("%s %s %s failed after %d attempt(s)", run.instance, run.carries_out, step, attempt, exc_info=error)
    final = ErrorRecord.of(error) if isinstance(error, NonRetryableDelayError) else record
    _record_failure(run.append, step, attempt, record, None, final)
    run.instance.attempt_ended()


def _record_failure(
    append: Callable[..., Entry],
    step: str,
    attempt: int,
    record: ErrorRecord,
    retry_in_ms: float | None,
    final: ErrorRecord | None = None,
) -> None:
    """Write down that an attempt failed and, if it is not repeated, the step with it: with `final`, if that differs."""
    retry = {"retryDelayMs": retry_in_ms} if retry_in_ms is not None else {}
    append("attempt_errored", step, attempt=attempt, error=record.as_dict(), **retry)
    if retry_in_ms is None:
        append("step_errored", step, error=(final or record).as_dict())


def visible_config(config: ResolvedConfig) -> dict[str, Any]:
    """The configuration as `ctx.config` shows it."""
    shown = config.as_dict()
    if callable(config.delay) or config.delay == DYNAMIC_DELAY:
        del shown["retries"]["delay"]
    return shown


async def _invoke(run: "Run", call: StepCall, context: StepContext) -> Any:
    if call.runs_in_thread:
        return await _ordinary(run.instance.in_thread, call.invoke, context)
    return await _ordinary(call.invoke, context)


async def _ordinary(function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function` gives in the end; instead of an error that would stop more than the attempt, an ordinary one."""
    try:
        return await resolve_awaitable(function(*arguments))
    except SystemExit as stop:
        raise RuntimeError(f"The callback called sys.exit({stop.code!r}).") from stop
    except (Exception, asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise RuntimeError(f"The callback raised {type(error).__name__}: {error}") from error


async def _within(run: "Run", work: Coroutine[Any, Any, T], timeout_ms: float, step: str) -> T:
    """The result of `work`. After the timeout nobody waits for it any more, but it goes on: the platform's rule."""
    with run.callback_of(step) as context:
        callback = run.instance.spawn(work, f"callback of {step}", context)
        ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        timer = run.clock.call_at(run.clock.now() + timeout_ms, lambda: _tell(ended, True))
        callback.add_done_callback(lambda _: _tell(ended, False))
        try:
            timed_out = await ended
        except asyncio.CancelledError:  # the run ended; whether the callback may go on is the instance's to say
            callback.add_done_callback(_discard)
            raise
        finally:
            timer.cancel()
    if timed_out:
        callback.add_done_callback(_discard)
        run.instance.late(callback)
        raise WorkflowTimeoutError(f"Execution timed out after {timeout_ms:.15g}ms")
    if callback.cancelled():
        if run.closed:  # it called a step of a run that has ended, or the instance was stopped
            raise asyncio.CancelledError
        raise RuntimeError("The callback was cancelled from within.")
    return callback.result()


def _tell(ended: asyncio.Future[bool], timed_out: bool) -> None:
    if not ended.done():
        ended.set_result(timed_out)


def _discard(callback: asyncio.Task[Any]) -> None:
    if not callback.cancelled() and (error := callback.exception()) is not None:
        log.debug("A callback that had timed out failed later.", exc_info=error)


def _encode(step: str, result: Any, config: ResolvedConfig) -> str | None:
    try:
        text = encode(result)
    except SerializationError as error:
        name = step.rpartition("-")[0]
        if config.sensitive:  # its keys are part of it
            raise FinalError(
                SerializationError(
                    f'Value returned from step "{name}" is not serialisable. What and where is not shown, because the '
                    "output is sensitive."
                )
            ) from None
        raise FinalError(
            SerializationError(f'Value returned from step "{name}" is not serialisable. {error}', path=error.path)
        ) from error
    size = size_of(result, text)
    if too_large(size):
        raise FinalError(
            WorkflowInternalError(
                f"Step {step} output is too large. Maximum allowed size is 1MiB. It has {size / 1024 / 1024:.2f} MiB: "
                "store it elsewhere (R2, KV) and return its key, or split the step."
            )
        )
    return text


async def _delay(run: "Run", step: str, config: ResolvedConfig, context: StepContext, error: Exception) -> float:
    """The ms until the next attempt. Raises NonRetryableDelayError if a delay function fails to tell."""
    delay: Any = config.delay
    prefix = f'The delay function for step "{step}" '
    if callable(delay):
        answer = _ask(prefix, delay, DelayRequest(ctx=context, error=error))
        try:
            delay = await _within(run, answer, DELAY_FUNCTION_TIMEOUT_MS, step)
        except WorkflowTimeoutError:
            raise NonRetryableDelayError(prefix + "did not return within 5 seconds") from None
    try:
        milliseconds = parse_duration(delay)
    except DurationError:
        raise NonRetryableDelayError(
            prefix + 'returned an invalid delay value (expected a number of ms or a duration string like "30 seconds")'
        ) from None
    return retry_delay(milliseconds, config.backoff, context.attempt)


async def _ask(prefix: str, delay: DelayFunction, request: DelayRequest) -> Any:
    try:
        return await _ordinary(delay, request)
    except Exception as failure:
        raise NonRetryableDelayError(f"{prefix}threw an error: {failure}") from failure
