"""Rollback: the handlers of the steps that were started, called one after the other, the latest step first.

What sets it off is an error that leaves `run()`, or `terminate({"rollback": True})`; not an output that cannot be
stored. A step is undone if it was given a handler when it was first met, whether it succeeded, failed or was still at
work: what is at work is cut off first (only a plain `def` in its thread goes on). Each handler is tried like a step,
under its own `rollback_config`, and the first that fails for good ends the rollback.

Handlers are not stored. After a crash or an eviction `run()` is replayed as far as the journal goes, to find them
again. Those of steps called within the callback of a finished step are not found: callbacks are not called again.

While an instance rolls back, pause and resume do nothing, and events are refused. A restart is allowed, and begins
anew. Terminate gives up what is left; to ask for a rollback then is refused.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from cfworkflows.errors import ErrorRecord, WorkflowError
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step import RollbackContext, StepCall, StepContext, StepInfo
from cfworkflows.step.call import resolve_awaitable
from cfworkflows.step.config import ResolvedConfig
from cfworkflows_emulator.engine.journal.entries import UNDOING, EntryType
from cfworkflows_emulator.engine.journal.state import InstanceState, RollbackState, Status, StepState
from cfworkflows_emulator.engine.operation import Latch
from cfworkflows_emulator.engine.run import step_do
from cfworkflows_emulator.engine.run.results import result_of
from cfworkflows_emulator.engine.run.run import Run
from cfworkflows_emulator.storage import Entry, InstanceStore

if TYPE_CHECKING:
    from cfworkflows_emulator.engine.instance import Instance

T = TypeVar("T")
log = logging.getLogger("cfworkflows.engine")

TERMINATED = ErrorRecord("Terminated", "Instance terminated during rollback")
MISSING = ErrorRecord("RollbackMissing", "Rollback function not available in registry")


def steps_to_undo(state: InstanceState) -> list[str]:
    """The steps that were started and have a handler, the latest first."""
    return [step for step, known in reversed(state.steps.items()) if known.rollback is not None]


def note(instance: "Instance", cause: ErrorRecord, ending: Status) -> None:
    """Write down that the steps are to be undone: `ending` is what the instance becomes afterwards."""
    instance.append(EntryType.ROLLBACK_STARTED, error=cause.as_dict(), ending=ending)


def take_up(instance: "Instance") -> "Rollback":
    """What goes on with a rollback that a crash or an eviction cut off."""
    step_do.interrupt(_of(instance.state).steps, partial(_append, instance))
    return Rollback(instance, {})


def end(instance: "Instance") -> None:
    """Write down the outcome, and how the instance ends."""
    rollback = _of(instance.state)
    failure = next((step.error for step in rollback.steps.values() if step.error is not None), None)
    if failure is None:
        instance.append(EntryType.ROLLBACK_COMPLETED)
    else:
        instance.append(EntryType.ROLLBACK_ERRORED, error=failure.as_dict())
    if rollback.ending is Status.TERMINATED:
        instance.append(EntryType.WORKFLOW_TERMINATED)
    else:
        instance.append(EntryType.WORKFLOW_ERRORED, error=rollback.cause.as_dict())
    log.info("%s %s, rollback %s", instance, rollback.ending, rollback.outcome)


def abandon(instance: "Instance", *, again: bool) -> None:
    """Give the rest up. Raises WorkflowError if a rollback was asked for: there is one."""
    if again:
        raise WorkflowError(
            "Cannot terminate instance with a rollback since it is rolling back already. "
            "Without the option the rest of the rollback is given up.",
            code="instance.cannot_terminate",
        )
    instance.append(EntryType.ROLLBACK_ERRORED, error=TERMINATED.as_dict())


class Rollback(Run):
    """Takes the place of the run that it undoes. `handlers` are those that are known without a replay."""

    carries_out = "rollback of step"
    compares = False

    def __init__(self, instance: "Instance", handlers: Mapping[str, StepCall]) -> None:
        super().__init__(instance)
        self.handlers.update(handlers)

    @property
    def intervention(self) -> None:
        """None: the handler of a step is not the step."""

    def append(self, type: EntryType, step: str | None = None, value: str | None = None, **data: Any) -> Entry:
        return super().append(UNDOING[type], step, value, **data)

    async def _execute(self) -> None:
        steps = steps_to_undo(self.state)
        if not self.handlers.keys() >= set(steps):
            await self._find_handlers()
        for step in steps:
            if not await self._start(step, self._undo(step)):
                break
        self.instance.rolled_back()

    async def _find_handlers(self) -> None:
        replay = Replay(self.instance)
        replay.start(self.instance.world.context.copy())
        try:
            await replay.over.wait()
        finally:
            replay.close()
        # The run itself may know handlers that a replay does not find, of steps within a callback.
        self.handlers = {**replay.handlers, **self.handlers}

    async def _undo(self, step: str) -> bool:
        """Whether the step is undone now."""
        rollback = _of(self.state)
        if step not in rollback.steps:
            self.append(EntryType.STEP_STARTED, step, config=self.state.steps[step].rollback)
        state = rollback.steps[step]
        if state.done:
            return state.error is None
        call = self.handlers.get(step)
        if call is None or call.rollback is None:
            self.append(EntryType.STEP_ERRORED, step, error=MISSING.as_dict())
            log.error("%s step %s cannot be undone: run() did not call it with a handler again", self.instance, step)
            return False
        undo = _Undo(
            name=call.name,
            callback=call.rollback.handler,
            context=call.rollback.context,
            config=call.rollback.config,
            rollback=None,
            returns=call.returns,
            location=call.location,
            store=self.store,
            key=self.instance.key,
            step=step,
            state=self.state.steps[step],
            cause=rollback.cause,
        )
        await step_do.attempt_until_done(self, step, state, undo, step_do.stored_config(state, undo))
        return state.error is None


@dataclass(slots=True)
class _Undo(StepCall):
    """A call of the handler of `step`, in the form of a step whose result is of no interest."""

    store: InstanceStore
    key: int
    step: str
    state: StepState
    cause: ErrorRecord

    def invoke(self, context: StepContext | None) -> Any:
        result = self._handle()
        return _without_result(result) if isinstance(result, Awaitable) else None

    def _handle(self) -> Any:
        if self.context is None:
            return self.callback()
        argument = self._argument()
        return self.callback(ctx=argument) if self.context == "keyword" else self.callback(argument)

    def _argument(self) -> RollbackContext:
        config = step_do.visible_config(ResolvedConfig.from_dict(self.state.config))
        info = StepInfo(name=self.name, count=int(self.step.rpartition("-")[2]))
        return RollbackContext(
            ctx=StepContext(step=info, attempt=self.state.attempts, config=config),
            # The platform loses this name on the way to the handler.
            error=Exception(TERMINATED.message) if self.cause == TERMINATED else self.cause.rebuild(),
            output=result_of(self.store, self.key, self.step, self.state, self.returns),
        )


async def _without_result(awaitable: Awaitable[Any]) -> None:
    await resolve_awaitable(awaitable)


class _NotThereYet(Exception):
    """A verb that the journal does not know: its replay ends here."""


class Replay(Run):
    """`run()` once more, as far as the journal goes, to learn the handlers: nothing of it gets into the journal.

    What is not done never ends, and no callback is called. `over` is set when `run()` ends, or when all of it waits;
    `ended` is then what `run()` returned and what it raised, None if it waits.
    """

    compares = False

    def __init__(self, instance: "Instance") -> None:
        super().__init__(instance)
        self.over = asyncio.Event()
        self.ended: tuple[Any, BaseException | None] | None = None

    async def _execute(self) -> None:
        try:
            self.ended = (await self._outcome(), None)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            if self.is_stopped():
                raise
            log.debug("%s ended again, in a replay: %r", self.instance, error)
            self.ended = (None, error)
        self.over.set()

    def do(self, call: StepCall) -> asyncio.Future[Any]:
        try:
            return super().do(call)
        except _NotThereYet:
            return self._pending(call.name)

    def sleep(self, name: str, duration_ms: float) -> asyncio.Future[None]:
        try:
            return super().sleep(name, duration_ms)
        except _NotThereYet:
            return self._pending(name)

    def sleep_until(self, name: str, timestamp_ms: float) -> asyncio.Future[None]:
        try:
            return super().sleep_until(name, timestamp_ms)
        except _NotThereYet:
            return self._pending(name)

    def wait_for_event(
        self, name: str, event_type: str, timeout_ms: float, returns: Any
    ) -> asyncio.Future[WorkflowStepEvent[Any]]:
        try:
            return super().wait_for_event(name, event_type, timeout_ms, returns)
        except _NotThereYet:
            return self._pending(name)

    def append(self, type: EntryType, step: str | None = None, value: str | None = None, **data: Any) -> Entry:
        raise _NotThereYet(type, step)

    def parked(self, until: float) -> None:
        self.over.set()

    def _start(self, step: str, work: Coroutine[Any, Any, T], *, attempts: bool = False) -> asyncio.Future[T]:
        work.close()
        return self._pending(step)

    def _pending(self, step: str) -> asyncio.Future[Any]:
        return super()._start(step, self._wait_for_ever())

    async def _wait_for_ever(self) -> None:
        never: Latch[None] = Latch()
        self._parked[never] = math.inf
        self._consider_parking()
        try:
            await never
        finally:
            del self._parked[never]


def _of(state: InstanceState) -> RollbackState:
    if state.rollback is None:
        raise ValueError("The journal knows of no rollback.")
    return state.rollback


def _append(instance: "Instance", type: EntryType, step: str, **data: Any) -> Entry:
    return instance.append(UNDOING[type], step, **data)
