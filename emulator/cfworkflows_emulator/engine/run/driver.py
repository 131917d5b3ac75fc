"""Carries out the verbs of a run. Each is allotted its identity; then it begins, if it is new, and is settled, if it is
done, or else started.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from cfworkflows.errors import WorkflowFatalError
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step import StepCall
from cfworkflows_emulator.engine.journal.entries import StepKind
from cfworkflows_emulator.engine.journal.state import Status
from cfworkflows_emulator.engine.run import step_do, step_sleep, step_wait
from cfworkflows_emulator.engine.run.code import Code
from cfworkflows_emulator.engine.run.execution import Execution
from cfworkflows_emulator.engine.run.host import Journalled
from cfworkflows_emulator.engine.run.naming import Names
from cfworkflows_emulator.tracebacks import caller_location, task_for_caller

T = TypeVar("T")


class Calls:
    """The calls that one execution of `run()` makes: which step each is, and what a rollback needs of it."""

    __slots__ = ("_handlers", "_host", "_loop", "_names", "_steps")

    def __init__(self, host: Journalled, handlers: dict[str, StepCall]) -> None:
        self._host = host
        self._handlers = handlers
        self._names = Names(host.state)
        self._loop = asyncio.get_running_loop()
        self._steps = 0

    def allot(self, kind: StepKind, name: str, inside: str | None, *, closed: bool) -> str:
        """The identity of a call made in the callback of the step `inside`. `closed` says that no call counts any
        more. Raises WorkflowFatalError for a call from a thread, or during a rollback.
        """
        if asyncio._get_running_loop() is not self._loop:
            raise WorkflowFatalError(
                f'Step "{name}" was called from a thread: a plain `def` callback runs in one. '
                "Make the callback an `async def` to call steps in it."
            )
        if closed and self._host.state.status is Status.ROLLING_BACK:
            raise WorkflowFatalError("Cannot execute steps during rollback phase")
        return self._names.allot(kind, name, inside)

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

    __slots__ = ("_calls", "_code", "_run")

    def __init__(self, run: Execution, code: Code) -> None:
        self._run = run
        self._code = code
        self._calls = Calls(run.host, run.handlers)

    def do(self, call: StepCall) -> asyncio.Future[Any]:
        run = self._run
        step = self._allot("do", call.name)
        self._calls.count(step, call)
        known = run.state.steps.get(step)
        at = caller_location() if known is None else None
        if known is None and run.admits():
            step_do.begin(run, step, call, at)
        elif known is not None and known.done:
            return run.settled(partial(step_do.outcome, run.host, step, call))
        return run.operate(step, step_do.perform(run, step, call, at, is_new=known is None), attempts=True)

    def sleep(self, name: str, duration_ms: float) -> asyncio.Future[None]:
        step = self._allot("sleep", name)
        if step not in self._run.state.sleeps:
            step_sleep.begin(self._run, step, duration_ms, caller_location(), absolute=False)
        return self._slept(step)

    def sleep_until(self, name: str, timestamp_ms: float) -> asyncio.Future[None]:
        step = self._allot("sleep", name)
        if step not in self._run.state.sleeps:
            now = self._run.clock.now()
            if timestamp_ms < now:
                return self._run.settled(step_sleep.refuse_past)
            step_sleep.begin(self._run, step, timestamp_ms - now, caller_location(), absolute=True)
        return self._slept(step)

    def _slept(self, step: str) -> asyncio.Future[None]:
        if self._run.state.sleeps[step].done:
            return self._run.settled(step_sleep.outcome)
        return self._run.operate(step, step_sleep.perform(self._run, step))

    def wait_for_event(
        self, name: str, event_type: str, timeout_ms: float, returns: Any
    ) -> asyncio.Future[WorkflowStepEvent[Any]]:
        run = self._run
        step = self._allot("wait", name)
        wait = run.state.waits.get(step)
        if wait is None:
            step_wait.begin(run, step, event_type, timeout_ms, caller_location())
        elif wait.done:
            return run.settled(partial(step_wait.outcome, run.host, step, returns))
        run.parking.expect(step)
        return run.operate(step, step_wait.perform(run, step, returns))

    def task(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        return task_for_caller(work)

    def _allot(self, kind: StepKind, name: str) -> str:
        run = self._run
        inside = run.parking.inside()
        step = self._calls.allot(kind, name, inside, closed=run.closed)
        run.parking.called()
        if run.follower is not None and inside is None:
            run.follower = run.follower.called(kind, step, self._code.calls)
        return step
