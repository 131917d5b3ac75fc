"""`step.wait_for_event`."""

import re
from datetime import UTC, datetime
from typing import Any

from cfworkflows.caller import on_behalf_of
from cfworkflows.errors import WorkflowError, WorkflowFatalError, WorkflowTimeoutError
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.typed import coerce
from cfworkflows.values import decode
from cfworkflows_emulator.engine.journal.entries import EntryType
from cfworkflows_emulator.engine.journal.sizes import over
from cfworkflows_emulator.engine.run.host import Journalled, VerbContext
from cfworkflows_emulator.engine.run.step_sleep import MAX_SLEEP_MS

MAX_TYPE_LENGTH = 100
MIN_TIMEOUT_MS = 1_000
MAX_TIMEOUT_MS = MAX_SLEEP_MS
_TYPE = re.compile(rf"[a-zA-Z0-9_][a-zA-Z0-9_-]{{0,{MAX_TYPE_LENGTH - 1}}}")


def is_event_type(value: object) -> bool:
    """Whether it matches the platform's pattern, 1 to 100 characters."""
    return isinstance(value, str) and _TYPE.fullmatch(value) is not None


def check_event_type(value: object) -> None:
    """Raises WorkflowError for anything that is no event type."""
    if not is_event_type(value):
        raise WorkflowError(no_event_type(value), code="workflow.invalid_event_type")


def no_event_type(value: object) -> str:
    """What is wrong with something that is no event type."""
    return (
        f"{value!r} is no event type: 1 to {MAX_TYPE_LENGTH} letters, digits, hyphens and underscores that start with "
        f"no hyphen{over(value, MAX_TYPE_LENGTH)}."
    )


def check(step: str, event_type: str, timeout_ms: float) -> None:
    """Raise WorkflowFatalError for a timeout under a second or over a year, and for a type that is none."""
    if not is_event_type(event_type):
        raise WorkflowFatalError(f"(workflow.invalid_event_type) {no_event_type(event_type)}")
    if not MIN_TIMEOUT_MS <= timeout_ms <= MAX_TIMEOUT_MS:
        raise WorkflowFatalError(
            f'The timeout of wait "{step}" is {timeout_ms / 1000:.15g} seconds; the platform allows 1 second to 365 '
            "days. Wait in a loop for longer."
        )


def begin(run: VerbContext, step: str, event_type: str, timeout_ms: float, at: str | None) -> None:
    """Fix when the wait times out: a replay never computes it again. Raises what `check` does."""
    check(step, event_type, timeout_ms)
    until = run.clock.now() + timeout_ms
    run.append_start(EntryType.WAIT_STARTED, step, eventType=event_type, until=until, timeoutMs=timeout_ms, at=at)


async def perform(run: VerbContext, step: str, returns: Any) -> WorkflowStepEvent[Any]:
    wait = run.state.waits[step]
    while not wait.done:
        await run.admitted()
        if (intervention := run.intervention) is not None and intervention.times_out(step):
            run.append(EntryType.WAIT_TIMED_OUT, step)
        elif (event := run.event_for(step)) is not None:
            run.append(EntryType.WAIT_COMPLETED, step, event=event.seq)
        elif run.clock.now() >= wait.until:
            run.append(EntryType.WAIT_TIMED_OUT, step)
        else:
            await run.park(wait.until, event_for=step)
    on_behalf_of.set(wait.at)
    return outcome(run.host, step, returns)


def outcome(host: Journalled, step: str, returns: Any) -> WorkflowStepEvent[Any]:
    """What a finished wait returns. Raises WorkflowTimeoutError if it timed out."""
    wait = host.state.waits[step]
    if wait.event is None:
        raise WorkflowTimeoutError(f"Execution timed out after {wait.timeout_ms:.15g}ms")
    payload = decode(wait.event.value) if wait.event.value is not None else None
    return WorkflowStepEvent(
        payload=coerce(returns, payload) if returns is not None else payload,
        type=wait.event_type,
        timestamp=datetime.fromtimestamp(wait.event.time / 1000, UTC),
    )
