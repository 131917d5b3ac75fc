"""Carries out the verbs of a run. Each is allotted its identity; then it begins, if it is new, and is settled, if it is
done, or else started.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from cfworkflows.errors import WorkflowFatalError
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step import StepCall
from cfworkflows_emulator.engine.journal.entries import StepKind
from cfworkflows_emulator.engine.journal.state import Status
from cfworkflows_emulator.engine.run import kept, step_do, step_sleep, step_wait
from cfworkflows_emulator.engine.run.branch import CallOrder, current_branch
from cfworkflows_emulator.engine.run.code import Code
from cfworkflows_emulator.engine.run.execution import Execution, settled
from cfworkflows_emulator.engine.run.host import Journalled
from cfworkflows_emulator.engine.run.naming import Names
from cfworkflows_emulator.engine.run.tasks import MOST_REFUSALS
from cfworkflows_emulator.tracebacks import caller_location, context_of_caller

T = TypeVar("T")


class Calls:
    """The calls that one execution of `run()` makes: which step each is, and what a rollback needs of it."""

    __slots__ = ("_handlers", "_host", "_loop", "_names", "_refusals", "_steps")

    def __init__(self, host: Journalled, handlers: dict[str, StepCall]) -> None:
        self._host = host
        self._handlers = handlers
        self._names = Names(host.state)
        self._loop = asyncio.get_running_loop()
        self._refusals = 0
        self._steps = 0

    def allot(self, kind: StepKind, name: str, inside: str | None) -> str:
        """The identity of a call that is made in the callback of the step `inside`. Raises what `check` does."""
        self.check(name)
        return self._names.allot(kind, name, inside)

    def check(self, name: str) -> None:
        """Raise WorkflowFatalError for a call from a thread."""
        if asyncio._get_running_loop() is not self._loop:
            raise WorkflowFatalError(
                f'Step "{name}" was called from a thread: a plain `def` callback runs in one. '
                "Make the callback an `async def` to call steps in it."
            )

    def refuse(self, name: str) -> bool:
        """Refuse a call that comes when all is over, and say whether that is worth another try: code that catches every
        refusal may call for ever. Raises what `check` does, and WorkflowFatalError during a rollback.
        """
        self.check(name)
        self._refusals += 1
        is_worth = self._refusals <= MOST_REFUSALS
        if is_worth and self._host.state.status is Status.ROLLING_BACK:
            raise WorkflowFatalError("Cannot execute steps during rollback phase")
        return is_worth

    def count(self, step: str, call: StepCall) -> None:
        """Count a call of `step.do`, and keep its rollback handler. Raises WorkflowFatalError beyond the limit."""
        self._steps += 1
        limit = self._host.definition.step_limit
        if self._steps > limit:
            error = WorkflowFatalError(
                f"The limit of {limit} steps has been reached. This limit can be changed in your worker configuration."
            )
            error.add_note(
                f'Step "{step}" is number {self._steps:,}. Raise limits.steps of the workflow, to 25,000 at most, '
                "or split the work among several instances."
            )
            raise error
        if call.rollback is not None:
            self._handlers[step] = call


class Driver:
    """The StepDriver of a run whose code is `code`."""

    __slots__ = ("_calls", "_code", "_order", "_run")

    def __init__(self, run: Execution, code: Code) -> None:
        self._run = run
        self._code = code
        self._calls = Calls(run.host, run.handlers)
        self._order = CallOrder()

    def do(self, call: StepCall) -> asyncio.Future[Any]:
        run = self._run
        if run.closed:
            return self._refused(call.name)
        step = self._allot("do", call.name)
        self._calls.count(step, call)
        known = run.state.steps.get(step)
        at = caller_location() if known is None else None
        if known is None and run.admits():
            step_do.begin(run, step, call, at)
        elif known is not None and known.done:
            return self._settled("do", step, partial(step_do.outcome, run.host, step, call))
        return run.operate(step, step_do.perform(run, step, call, at, is_new=known is None), "do")

    def sleep(self, name: str, duration_ms: float) -> asyncio.Future[None]:
        if self._run.closed:
            return self._refused(name)
        step = self._allot("sleep", name)
        known = self._run.state.sleeps.get(step)
        if known is None:
            step_sleep.begin(self._run, step, duration_ms, caller_location(), absolute=False)
        elif not known.done:
            kept.tell_of_sleep(self._run.host, step, known, duration_ms)
        return self._slept(step)

    def sleep_until(self, name: str, timestamp_ms: float) -> asyncio.Future[None]:
        if self._run.closed:
            return self._refused(name)
        step = self._allot("sleep", name)
        if step not in self._run.state.sleeps:
            now = self._run.clock.now()
            if timestamp_ms < now:
                return settled(step_sleep.refuse_past)
            step_sleep.begin(self._run, step, timestamp_ms - now, caller_location(), absolute=True)
        return self._slept(step)

    def _slept(self, step: str) -> asyncio.Future[None]:
        if self._run.state.sleeps[step].done:
            return self._settled("sleep", step, step_sleep.outcome)
        return self._run.operate(step, step_sleep.perform(self._run, step), "sleep")

    def wait_for_event(
        self, name: str, event_type: str, timeout_ms: float, returns: Any
    ) -> asyncio.Future[WorkflowStepEvent[Any]]:
        run = self._run
        if run.closed:
            return self._refused(name)
        step = self._allot("wait", name)
        wait = run.state.waits.get(step)
        if wait is None:
            step_wait.begin(run, step, event_type, timeout_ms, caller_location())
        elif wait.done:
            return self._settled("wait", step, partial(step_wait.outcome, run.host, step, returns))
        else:
            kept.tell_of_wait(run.host, step, wait, event_type, timeout_ms)
        run.parking.expect(step)
        return run.operate(step, step_wait.perform(run, step, returns), "wait")

    def task(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        return self._run.tasks.start(work, None, context_of_caller())

    def _allot(self, kind: StepKind, name: str) -> str:
        run = self._run
        inside = run.parking.inside()
        step = self._calls.allot(kind, name, inside)
        run.parking.called()
        if run.follower is not None and inside is None:
            run.follower = run.follower.called(kind, step, self._code.calls)
        branch = current_branch()
        if branch is None or branch.is_alone or inside is not None:
            return step
        if self._order.depends_on_time(kind, name, branch):
            run.host.suspect()
        return step

    def _settled(self, kind: StepKind, step: str, outcome: Callable[[], T]) -> asyncio.Future[T]:
        if self._run.state.abandoned and (kind, step) in self._run.state.abandoned:
            self._run.host.suspect(raced=True)
        return settled(outcome)

    def _refused(self, name: str) -> asyncio.Future[Any]:
        """What a call gives that comes when the run is over: the cancellation, if its task has not been told of it."""
        if self._calls.refuse(name):
            task = asyncio.current_task()
            if self._run.outlasted and (task is None or not task.cancelling()):
                future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
                future.cancel()
                return future
        return self._code.strand()
