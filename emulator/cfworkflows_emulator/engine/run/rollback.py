"""Rollback: the handlers of the steps that were started, called one after the other, the latest step first.

An error that leaves `run()` starts it, or `terminate({"rollback": True})`; not an output that cannot be stored. A step
is undone if it had a handler when it was first called, whether it succeeded, failed or was still under way. Each
handler is tried like a step, under its own `rollback_config`, and the first that fails for good ends the rollback.

An attempt that is under way when an error leaves `run()` goes on, as on the platform, with handlers or without: what it
does may come after it was undone, and a warning says so. How it ends is written down, and nothing is tried again. A
terminate cuts off what is under way (only a plain `def` in its thread continues).

Handlers are not stored. After a crash or an eviction `run()` is replayed as far as the journal goes, to find them
again. Those of steps called within the callback of a finished step are not found: callbacks are not called again.

While an instance rolls back, pause and resume do nothing, and events are refused. A restart is allowed. Terminate gives
up what is left; with a rollback it is then refused.
"""

import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cfworkflows.errors import ErrorRecord, WorkflowError
from cfworkflows.step import RollbackContext, StepCall, StepContext, StepInfo
from cfworkflows.step.call import resolve_awaitable
from cfworkflows.step.config import ResolvedConfig
from cfworkflows_emulator.engine.journal.entries import UNDOING, Entry, EntryType
from cfworkflows_emulator.engine.journal.state import InstanceState, RollbackState, Status, StepState
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.engine.run import step_do
from cfworkflows_emulator.engine.run.execution import Execution
from cfworkflows_emulator.engine.run.host import Host
from cfworkflows_emulator.engine.run.replay import Replay
from cfworkflows_emulator.engine.run.results import result_of

log = logging.getLogger("cfworkflows.engine")

TERMINATED = ErrorRecord("Terminated", "Instance terminated during rollback")
MISSING = ErrorRecord("RollbackMissing", "Rollback function not available in registry")


def steps_to_undo(state: InstanceState) -> list[str]:
    """The steps that were started and have a handler, the latest first."""
    return [step for step, known in reversed(state.steps.items()) if known.rollback is not None]


def note(host: Host, cause: ErrorRecord, ending: Status, **terminated: str) -> None:
    """Write down that the steps are to be undone: `ending` is what the instance becomes afterwards.

    `terminated` is `trigger`, what asked for it, if it is terminated.
    """
    host.append(EntryType.ROLLBACK_STARTED, error=cause.as_dict(), ending=ending, **terminated)


def resumed(host: Host) -> "Rollback":
    """The continuation of a rollback that a crash or an eviction cut off."""
    step_do.interrupt(_of(host.state).steps, partial(_append, host))
    return Rollback(host, {})


def end(host: Host) -> None:
    """Write down the outcome, and how the instance ends."""
    rollback = _of(host.state)
    failure = next((step.error for step in rollback.steps.values() if step.error is not None), None)
    if failure is None:
        host.append(EntryType.ROLLBACK_COMPLETED)
    else:
        host.append(EntryType.ROLLBACK_ERRORED, error=failure.as_dict())
    if rollback.ending is Status.TERMINATED:
        terminated = {} if rollback.trigger is None else {"trigger": rollback.trigger}
        host.append(EntryType.WORKFLOW_TERMINATED, **terminated)
    else:
        host.append(EntryType.WORKFLOW_ERRORED, error=rollback.cause.as_dict())
    host.store.once_written(partial(log.info, "%s %s, rollback %s", host, rollback.ending, rollback.outcome))


def abandon(host: Host, *, again: bool) -> None:
    """Give the rest up. Raises WorkflowError if a rollback was asked for: it is under way."""
    if again:
        raise WorkflowError(
            "Cannot terminate instance with a rollback since it is rolling back already. "
            "Without the option the rest of the rollback is given up.",
            code="instance.cannot_terminate",
        )
    host.append(EntryType.ROLLBACK_ERRORED, error=TERMINATED.as_dict())


class Rollback(Execution):
    """Takes the place of the run that it undoes. `handlers` are the ones known without a replay."""

    def __init__(self, host: Host, handlers: Mapping[str, StepCall]) -> None:
        super().__init__(host, noun="rollback of step")
        self.handlers.update(handlers)

    @property
    def intervention(self) -> None:
        """None: the handler of a step is not the step."""

    def append(self, type: EntryType, step: str | None = None, value: str | None = None, **data: Any) -> Entry:
        return super().append(UNDOING[type], step, value, **data)

    async def execute(self) -> None:
        steps = steps_to_undo(self.state)
        if not self.handlers.keys() >= set(steps):
            await self._find_handlers()
        for step in steps:
            if not await self.operate(step, self._undo(step)):
                break
        self.host.rolled_back()

    async def _find_handlers(self) -> None:
        replay = Replay(self.host)
        replay.start(self.host.context())
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
            log.error("%s step %s cannot be undone: run() did not call it with a handler again", self.host, step)
            return False
        undo = _Undo(
            name=call.name,
            callback=call.rollback.handler,
            context=call.rollback.context,
            config=call.rollback.config,
            rollback=None,
            returns=call.returns,
            store=self.store,
            key=self.host.key,
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


def _of(state: InstanceState) -> RollbackState:
    if state.rollback is None:
        raise ValueError("The journal knows of no rollback.")
    return state.rollback


def _append(host: Host, type: EntryType, step: str, **data: Any) -> Entry:
    return host.append(UNDOING[type], step, **data)
