"""`step.do`: attempts until one succeeds, each durable before its callback starts."""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Mapping
from functools import partial
from types import CoroutineType
from typing import Any, NoReturn

from cfworkflows.caller import on_behalf_of
from cfworkflows.durations import parse_duration
from cfworkflows.errors import (
    DurationError,
    ErrorRecord,
    NonRetryableDelayError,
    PortabilityWarning,
    SerializationError,
    UnsupportedBindingError,
    WorkflowFatalError,
    WorkflowInternalError,
    WorkflowTimeoutError,
    is_a,
    name_of,
    text_of,
)
from cfworkflows.step import DelayRequest, StepCall, StepContext, StepInfo
from cfworkflows.step.call import resolve_awaitable
from cfworkflows.step.config import DYNAMIC_DELAY, DelayFunction, ResolvedConfig
from cfworkflows.values import encode
from cfworkflows_emulator.actors import Latch, called_in
from cfworkflows_emulator.engine.journal import sizes
from cfworkflows_emulator.engine.journal.entries import Entry, EntryType
from cfworkflows_emulator.engine.journal.sizes import size_of, too_large
from cfworkflows_emulator.engine.journal.state import StepState
from cfworkflows_emulator.engine.run.host import Journalled, VerbContext
from cfworkflows_emulator.engine.run.results import result_of
from cfworkflows_emulator.engine.run.retries import FinalError, may_retry, retry_delay, warn_of_retry
from cfworkflows_emulator.engine.run.streams import READ_FAILED, StreamIntake, StreamTaken
from cfworkflows_emulator.tracebacks import ends_more, format_error, printable_error

log = logging.getLogger("cfworkflows.engine")

DELAY_FUNCTION_TIMEOUT_MS = 5_000
_INTERRUPTED = ErrorRecord("WorkflowInternalError", "Attempt failed due to internal workflows error")


def begin(run: VerbContext, step: str, call: StepCall, at: str | None) -> None:
    """Start a step and its first attempt, at the call: parallel steps start in the order of their calls."""
    undo = {"rollback": call.rollback.config.as_dict()} if call.rollback is not None else {}
    run.append_start(EntryType.STEP_STARTED, step, config=call.config.as_dict(), at=at, **undo)
    run.append(EntryType.ATTEMPT_STARTED, step, attempt=1)


async def perform(run: VerbContext, step: str, call: StepCall, at: str | None, *, is_new: bool) -> Any:
    """Continue a step where its journal ends: to its result, or its last error."""
    if step not in run.state.steps:
        await run.admitted()
        begin(run, step, call, at)
    state = run.state.steps[step]
    await attempt_until_done(run, step, state, call, call.config if is_new else stored_config(state, call))
    if state.value is not None and '"$":' in state.value:  # it may warn of a class; to set it takes half a µs
        on_behalf_of.set(state.at)
    return outcome(run.host, step, call)


async def attempt_until_done(
    run: VerbContext, step: str, state: StepState, call: StepCall, config: ResolvedConfig
) -> None:
    """Try until an attempt succeeds, or none is left."""
    while not state.done:
        while state.retry_at is not None and run.clock.now() < state.retry_at:
            await run.park(state.retry_at)
        if not state.attempt_open:
            await run.admitted()
            run.append(EntryType.ATTEMPT_STARTED, step, attempt=state.attempts + 1)
        await _attempt(run, step, state, call, config)


def interrupt(steps: Mapping[str, StepState], append: Callable[..., Entry]) -> None:
    """End the attempts that were under way when the process died: each counts, as one that failed."""
    for step, state in steps.items():
        if state.attempt_open:
            limit = ResolvedConfig.from_dict(state.config).limit
            retry = may_retry(limit, state.attempts, interrupted=True)
            _record_failure(append, step, state.attempts, _INTERRUPTED, 0 if retry else None)


def outcome(host: Journalled, step: str, call: StepCall) -> Any:
    """The stored result of a finished step, as first run and replay both see it. Raises its stored error."""
    state = host.state.steps[step]
    if state.error is not None:
        raise state.error.rebuild()
    return result_of(host.store, host.key, step, state, call.returns)


def stored_config(state: StepState, call: StepCall) -> ResolvedConfig:
    """What was stored when the step was first met; a function cannot be stored, so the live one is taken."""
    config = ResolvedConfig.from_dict(state.config)
    if config.delay == DYNAMIC_DELAY:
        return dataclasses.replace(config, delay=call.config.delay)
    return config


async def _attempt(run: VerbContext, step: str, state: StepState, call: StepCall, config: ResolvedConfig) -> None:
    attempt = state.attempts
    await run.durable()
    stream = StreamIntake(run, step, attempt)
    run.witness("before", step, attempt)
    try:
        intervention = run.intervention
        stand_in = intervention.stand_in(step, attempt) if intervention is not None else None
        invoke = stand_in or partial(_invoke, run, step, attempt, call, config)
        result = await _within(run, step, config.timeout_ms, invoke, stream.of)
        run.witness("after", step, attempt)
        value = _encode(step, result, config) if not isinstance(result, StreamTaken) else None
        if value is not None and run.state.stored_bytes + len(value) > sizes.MAX_STATE_BYTES:
            what = f"the output of step {step} has {sizes.shown_size(len(value))} more"
            raise FinalError(WorkflowInternalError(sizes.no_room(run.state.stored_bytes, what)))
    except FinalError as final:
        _end(run, step, attempt, ErrorRecord.of(final.error).limited(), final.error)
    except Exception as error:  # noqa: BLE001 - whatever the callback raises is the attempt's error
        run.witness("after", step, attempt)
        if not run.closed and run.host.abandoned(error):
            raise asyncio.CancelledError from None
        stream.give_up()
        record = ErrorRecord.of(error, format_error(error)).limited()
        # A step that was called wrongly in the callback will be called wrongly again; no binding comes by itself.
        hopeless = record.non_retryable or is_a(error, (WorkflowFatalError, UnsupportedBindingError))
        if stream.failed:
            record = dataclasses.replace(record, message=READ_FAILED + record.message).limited()
        if hopeless or run.closed or not may_retry(config.limit, attempt, interrupted=False):
            _end(run, step, attempt, record, error)
            return
        try:
            warn_of_retry(error)
        except PortabilityWarning as warning:  # warnings are errors here
            _end(run, step, attempt, ErrorRecord.of(warning), warning)
            return
        try:
            delay = await _delay(run, step, attempt, config, error)
            if intervention is not None and intervention.skips_delay(step):
                delay = 0
        except NonRetryableDelayError as failure:
            if not run.closed and run.host.abandoned(failure):
                raise asyncio.CancelledError from None
            _end(run, step, attempt, record, failure)
            return
        log.warning(
            "%s attempt %d of %s %s failed, next in %g s: %s: %s",
            run.host, attempt, run.noun, step, delay / 1000, record.name, record.message,
        )  # fmt: skip
        _record_failure(run.append, step, attempt, record, delay)
        run.host.attempt_ended()
    else:
        run.append(EntryType.ATTEMPT_COMPLETED, step, attempt=attempt)
        taken = {"stream": result.as_dict(hidden=config.sensitive)} if isinstance(result, StreamTaken) else {}
        run.append(EntryType.STEP_COMPLETED, step, value, **taken)
        run.host.attempt_ended()


def _end(run: VerbContext, step: str, attempt: int, record: ErrorRecord, error: BaseException) -> None:
    """The last attempt failed as `record` says; the step fails with `error`, which a delay function may have raised."""
    if not run.closed:
        log.warning(
            "%s %s %s failed after %d attempt(s)", run.host, run.noun, step, attempt, exc_info=printable_error(error)
        )
    final = ErrorRecord.of(error).limited() if is_a(error, NonRetryableDelayError) else record
    _record_failure(run.append, step, attempt, record, None, final)
    run.host.attempt_ended()


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
    append(EntryType.ATTEMPT_ERRORED, step, attempt=attempt, error=record.as_dict(), **retry)
    if retry_in_ms is None:
        # The traceback is in the attempt's entry already.
        append(EntryType.STEP_ERRORED, step, error=dataclasses.replace(final or record, traceback=None).as_dict())


def visible_config(config: ResolvedConfig) -> dict[str, Any]:
    """The configuration as `ctx.config` shows it."""
    shown = config.as_dict()
    if callable(config.delay) or config.delay == DYNAMIC_DELAY:
        del shown["retries"]["delay"]
    return shown


def _invoke(run: VerbContext, step: str, attempt: int, call: StepCall, config: ResolvedConfig) -> Any:
    context = _context(step, attempt, config) if call.context is not None else None
    return run.host.in_thread(call.invoke, context) if call.runs_in_thread else call.invoke(context)


def _context(step: str, attempt: int, config: ResolvedConfig) -> StepContext:
    name, _, count = step.rpartition("-")
    return StepContext(step=StepInfo(name=name, count=int(count)), attempt=attempt, config=visible_config(config))


class _Ordinary:
    """Lets an ordinary error out of the block instead of one that would stop more than the attempt."""

    def __enter__(self) -> None:
        """There is nothing to set up."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or is_a(error, (Exception, asyncio.CancelledError)) or ends_more(error):
            return
        if is_a(error, SystemExit):
            raise RuntimeError(f"The callback called sys.exit({text_of(error)}).") from error
        raise RuntimeError(f"The callback raised {name_of(type(error))}: {text_of(error)}") from error


_ORDINARY = _Ordinary()


async def _within(
    run: VerbContext, step: str, timeout_ms: float, invoke: Callable[[], Any], finish: Callable[[Any], Awaitable[Any]]
) -> Any:
    """What `invoke()` returns, called as a callback of `step`: a value, or something that `finish` makes a value of.

    After the timeout it is not awaited any more, but it continues: the platform's rule.
    """
    began = run.clock.now()
    with run.callback_of(step) as context:
        try:
            with _ORDINARY:
                given = called_in(context, invoke)
        except asyncio.CancelledError:
            _refuse_cancelled(run)
        if type(given) is not CoroutineType and not isinstance(given, (Awaitable, AsyncIterable)):
            return given
        over: Latch[Any] = Latch()
        callback = run.host.spawn(_carried_out(finish, given, over), f"callback of {step}", context)
        timer = run.clock.call_at(began + timeout_ms, lambda: over.fail(_TimedOut()))
        callback.add_done_callback(partial(_ended, given, over))
        try:
            return await over
        except _CancelledWithin:
            _refuse_cancelled(run)
        except _TimedOut:
            run.host.late(callback)
            raise WorkflowTimeoutError(f"Execution timed out after {timeout_ms:.15g}ms") from None
        finally:
            timer.cancel()


class _TimedOut(Exception):
    """The callback is not awaited any more."""


class _CancelledWithin(Exception):
    """The callback ended with CancelledError, which by its own name would cancel the operation."""


async def _carried_out(finish: Callable[[Any], Awaitable[Any]], given: Any, over: Latch[Any]) -> None:
    try:
        with _ORDINARY:
            result = await finish(given)
    except asyncio.CancelledError:
        over.fail(_CancelledWithin())
        raise
    except Exception as error:  # noqa: BLE001 - its waiter gets it
        if over.is_open:
            log.debug("A callback that had timed out failed later: %s", text_of(error))
        over.fail(error)
    else:
        over.open(result)


def _ended(given: Any, over: Latch[Any], callback: asyncio.Task[None]) -> None:
    """Handle a callback that was cancelled before it began, or that raised what no attempt takes."""
    if isinstance(given, Coroutine):
        given.close()
    if callback.cancelled():
        over.fail(_CancelledWithin())
    elif (error := callback.exception()) is not None:
        over.fail(error)


def _refuse_cancelled(run: VerbContext) -> NoReturn:
    """A callback ended with CancelledError."""
    if run.is_stopped():  # it called a step of a run that has ended, or the process ends
        raise asyncio.CancelledError
    raise RuntimeError("The callback was cancelled from within.") from None


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


async def _delay(run: VerbContext, step: str, attempt: int, config: ResolvedConfig, error: Exception) -> float:
    """The ms until the next attempt. Raises NonRetryableDelayError if a delay function fails to return them."""
    delay: Any = config.delay
    prefix = f'The delay function for step "{step}" '
    if callable(delay):
        ask = partial(_ask, prefix, delay, DelayRequest(ctx=_context(step, attempt, config), error=error))
        try:
            delay = await _within(run, step, DELAY_FUNCTION_TIMEOUT_MS, ask, resolve_awaitable)
        except WorkflowTimeoutError:
            raise NonRetryableDelayError(prefix + "did not return within 5 seconds") from None
    try:
        milliseconds = parse_duration(delay)
    except DurationError:
        raise NonRetryableDelayError(
            prefix + 'returned an invalid delay value (expected a number of ms or a duration string like "30 seconds")'
        ) from None
    return retry_delay(milliseconds, config.backoff, attempt)


async def _ask(prefix: str, delay: DelayFunction, request: DelayRequest) -> Any:
    try:
        with _ORDINARY:
            return await resolve_awaitable(delay(request))
    except Exception as failure:
        raise NonRetryableDelayError(f"{prefix}threw an error: {text_of(failure)}") from failure
