"""`step.do`: attempts until one succeeds, each durable before its callback starts."""

import asyncio
import dataclasses
import inspect
import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from cfworkflows.durations import parse_duration
from cfworkflows.errors import (
    DurationError,
    ErrorRecord,
    NonRetryableDelayError,
    SerializationError,
    WorkflowInternalError,
    WorkflowTimeoutError,
)
from cfworkflows.step import StepCall, StepContext, StepInfo
from cfworkflows.step.call import DelayRequest, resolve_awaitable
from cfworkflows.step.config import DYNAMIC_DELAY, ResolvedConfig
from cfworkflows.typed import coerce
from cfworkflows.values import decode, encode
from cfworkflows_emulator.engine.definition import ENCODING_OVERHEAD, MAX_VALUE_BYTES
from cfworkflows_emulator.engine.retries import may_retry, retry_delay
from cfworkflows_emulator.engine.state import StepState
from cfworkflows_emulator.tracebacks import format_error

if TYPE_CHECKING:
    from cfworkflows_emulator.engine.run import Run

log = logging.getLogger("cfworkflows.engine")

DELAY_FUNCTION_TIMEOUT_MS = 5_000
_INTERRUPTED = ErrorRecord("WorkflowInternalError", "Attempt failed due to internal workflows error")


class _FinalError(Exception):
    """The error of an attempt after which there is none, whatever the configuration says."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


async def perform(run: "Run", step: str, call: StepCall) -> Any:
    """Carry a step on from where its journal ends: to its result, or its last error."""
    state = run.state.steps.get(step)
    if state is None:
        await run.admitted()
        run.append("step_started", step, config=call.config.as_dict(), at=call.location)
        state = run.state.steps[step]
    config = _stored_config(state, call)
    if state.attempt_open:  # the process died in the middle of it
        _fail(run, step, state, _INTERRUPTED, may_retry(config.limit, state.attempts, interrupted=True), 0)
    while not state.done:
        while state.retry_at is not None and run.clock.now() < state.retry_at:
            due = state.retry_at
            await run.park(lambda wake, due=due: run.clock.call_at(due, wake))
        await run.admitted()
        await _attempt(run, step, state, call, config)
    return outcome(run, step, call)


def outcome(run: "Run", step: str, call: StepCall) -> Any:
    """The stored result of a finished step, as first run and replay both see it. Raises its stored error."""
    state = run.state.steps[step]
    if state.error is not None:
        raise state.error.rebuild()
    value = decode(state.value) if state.value is not None else None
    return coerce(call.returns, value) if call.returns is not None else value


def _stored_config(state: StepState, call: StepCall) -> ResolvedConfig:
    """What was stored when the step was first met; a function cannot be stored, so the live one is taken."""
    config = ResolvedConfig.from_dict(state.config)
    if config.delay == DYNAMIC_DELAY:
        return dataclasses.replace(config, delay=call.config.delay)
    return config


async def _attempt(run: "Run", step: str, state: StepState, call: StepCall, config: ResolvedConfig) -> None:
    name, _, count = step.rpartition("-")
    attempt = state.attempts + 1
    run.append("attempt_started", step, attempt=attempt)
    await run.durable()
    context = StepContext(step=StepInfo(name=name, count=int(count)), attempt=attempt, config=_visible_config(config))
    try:
        result = await _within(run, _invoke(run, call, context), config.timeout_ms, step)
        value = _encode(step, result)
    except _FinalError as final:
        _end(run, step, attempt, ErrorRecord.of(final.error), final.error)
    except Exception as error:  # noqa: BLE001 - whatever the callback raises is the attempt's error
        record = ErrorRecord.of(error, format_error(error))
        if record.non_retryable or not may_retry(config.limit, attempt, interrupted=False):
            _end(run, step, attempt, record, error)
            return
        try:
            delay = await _delay(run, step, config, context, error)
        except NonRetryableDelayError as failure:
            _end(run, step, attempt, ErrorRecord.of(failure), failure)
            return
        log.warning(
            "%s attempt %d of step %s failed, next in %g s: %s: %s",
            run.instance, attempt, step, delay / 1000, record.name, record.message,
        )  # fmt: skip
        _fail(run, step, state, record, True, delay)
    else:
        run.append("attempt_completed", step, attempt=attempt)
        run.append("step_completed", step, value)
        run.instance.attempt_ended()


def _end(run: "Run", step: str, attempt: int, record: ErrorRecord, error: BaseException) -> None:
    log.warning("%s step %s failed after %d attempt(s)", run.instance, step, attempt, exc_info=error)
    _fail(run, step, run.state.steps[step], record, False, 0)


def _fail(run: "Run", step: str, state: StepState, record: ErrorRecord, retry: bool, delay_ms: float) -> None:
    error = {"name": record.name, "message": record.message, "traceback": record.traceback}
    retry_in = {"retryDelayMs": delay_ms} if retry else {}
    run.append("attempt_errored", step, attempt=state.attempts, error=error, **retry_in)
    if not retry:
        run.append("step_errored", step, error=error)
    run.instance.attempt_ended()


def _visible_config(config: ResolvedConfig) -> dict[str, Any]:
    shown = config.as_dict()
    if callable(config.delay):
        del shown["retries"]["delay"]
    return shown


async def _invoke(run: "Run", call: StepCall, context: StepContext) -> Any:
    try:
        if call.runs_in_thread:
            result = await run.instance.in_thread(call.invoke, context)
        else:
            result = call.invoke(context)
        return await resolve_awaitable(result) if isinstance(result, Awaitable) else result
    except SystemExit as stop:
        raise RuntimeError(f"The callback called sys.exit({stop.code!r}).") from stop


async def _within(run: "Run", work: Any, timeout_ms: float, step: str) -> Any:
    """The result of `work`. After the timeout nobody waits for it any more, but it goes on: the platform's rule."""
    callback = run.instance.spawn(work, f"callback of {step}")
    ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    timer = run.clock.call_at(run.clock.now() + timeout_ms, lambda: ended.done() or ended.set_result(True))
    callback.add_done_callback(lambda _: ended.done() or ended.set_result(False))
    try:
        timed_out = await ended
    except asyncio.CancelledError:  # the run ended; whether the callback may go on is the instance's to say
        callback.add_done_callback(_discard)
        raise
    finally:
        timer.cancel()
    if timed_out:
        callback.add_done_callback(_discard)
        raise WorkflowTimeoutError(f"Execution timed out after {timeout_ms:g}ms")
    if callback.cancelled():
        raise RuntimeError("The callback was cancelled from within.")
    return callback.result()


def _discard(callback: asyncio.Task[Any]) -> None:
    if not callback.cancelled() and (error := callback.exception()) is not None:
        log.debug("A callback that had timed out failed later.", exc_info=error)


def _encode(step: str, result: Any) -> str | None:
    if inspect.iscoroutine(result) or asyncio.isfuture(result):
        raise _FinalError(SerializationError(f'Step "{step}" returned something that has to be awaited.'))
    try:
        text = encode(result)
    except SerializationError as error:
        name = step.rpartition("-")[0]
        raise _FinalError(
            SerializationError(f'Value returned from step "{name}" is not serialisable. {error}', path=error.path)
        ) from error
    size = len(text.encode()) if len(text) * 4 > MAX_VALUE_BYTES else len(text)
    if size > MAX_VALUE_BYTES + ENCODING_OVERHEAD:
        raise _FinalError(
            WorkflowInternalError(
                f"Step {step} output is too large. Maximum allowed size is 1MiB. It has {size / 1024 / 1024:.2f} MiB: "
                "store it elsewhere (R2, KV) and return its key, or split the step."
            )
        )
    return text


async def _delay(run: "Run", step: str, config: ResolvedConfig, context: StepContext, error: Exception) -> float:
    """The ms until the next attempt. Raises NonRetryableDelayError if a delay function fails to tell."""
    delay = config.delay
    if callable(delay):
        prefix = f'The delay function for step "{step}" '
        try:
            request = DelayRequest(ctx=context, error=error)
            delay = await _within(run, resolve_awaitable(delay(request)), DELAY_FUNCTION_TIMEOUT_MS, step)
        except WorkflowTimeoutError:
            raise NonRetryableDelayError(prefix + "did not return within 5 seconds") from None
        except Exception as failure:  # noqa: BLE001 - the user's function may raise anything
            raise NonRetryableDelayError(f"{prefix}threw an error: {failure}") from failure
    try:
        milliseconds = parse_duration(delay)
    except DurationError:
        raise NonRetryableDelayError(
            f'The delay function for step "{step}" returned an invalid delay value '
            '(expected a number of ms or a duration string like "30 seconds")'
        ) from None
    return retry_delay(milliseconds, config.backoff, context.attempt)
