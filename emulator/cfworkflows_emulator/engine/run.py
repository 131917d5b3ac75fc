"""One execution of a workflow's `run()`: the first, or a replay over the journal. Both take the same path."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from cfworkflows.errors import WorkflowFatalError
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step import StepCall, WorkflowStep
from cfworkflows.step.call import resolve_awaitable
from cfworkflows_emulator.clock import TimerHandle
from cfworkflows_emulator.engine import step_do, step_sleep, step_wait
from cfworkflows_emulator.engine.state import InstanceState
from cfworkflows_emulator.storage import Entry

if TYPE_CHECKING:
    from cfworkflows_emulator.engine.instance import Instance

T = TypeVar("T")
log = logging.getLogger("cfworkflows.engine")

# Turns of the event loop that code between two steps may take (a gather, a task of its own) before a run in which
# every step waits counts as parked. Too early does no harm: the run is taken up again by its next step.
SETTLE_TURNS = 10


class Run:
    """Drives one execution, and is the `StepDriver` of its `step` object.

    It is *parked* when every verb that was called and has not finished waits for a time or an event. After `close`
    nothing of it reaches the journal any more: its futures are cancelled, and new calls wait for ever.
    """

    def __init__(self, instance: "Instance") -> None:
        self.instance = instance
        self.clock = instance.clock
        self.store = instance.store
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._step_calls = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._futures: set[asyncio.Future[Any]] = set()
        self._parked = 0
        self._activity = 0
        self._holds_clock = False
        self._gate = asyncio.Event()
        self._gate.set()
        self._main: asyncio.Task[None] | None = None

    @property
    def state(self) -> InstanceState:
        return self.instance.state

    def start(self) -> None:
        self._active()
        self._main = self._loop.create_task(self._execute())

    async def _execute(self) -> None:
        instance = self.instance
        try:
            entrypoint = instance.definition.entrypoint()
            output = await resolve_awaitable(entrypoint.run(instance.event(), WorkflowStep(self)))
        except asyncio.CancelledError as error:
            stopped = (task := asyncio.current_task()) is not None and task.cancelling()
            if self.closed or stopped:  # from outside: the process ends, the instance goes on in the next one
                raise
            instance.fail(error)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever run() raises is the instance's error
            if not self.closed:
                instance.fail(error)
        else:
            if not self.closed:
                instance.complete(output, unawaited=self._unfinished())

    def _unfinished(self) -> list[str]:
        return [task.get_name() for task in self._tasks if not task.done()]

    # The StepDriver

    def do(self, call: StepCall) -> asyncio.Future[Any]:
        self._step_calls += 1
        limit = self.instance.definition.step_limit
        if self._step_calls > limit:
            raise WorkflowFatalError(
                f"The limit of {limit} steps has been reached. This limit can be changed in your worker configuration."
            )
        name = self._allot("do", call.name)
        done = self.state.steps.get(name)
        if done is not None and done.done:
            return self._settled(lambda: step_do.outcome(self, name, call))
        return self._start(name, step_do.perform(self, name, call))

    def sleep(self, name: str, duration_ms: float) -> asyncio.Future[None]:
        return self._sleep(name, lambda: duration_ms, absolute=False)

    def sleep_until(self, name: str, timestamp_ms: float) -> asyncio.Future[None]:
        return self._sleep(name, lambda: step_sleep.time_until(self.clock.now(), timestamp_ms), absolute=True)

    def _sleep(self, name: str, duration_ms: Callable[[], float], *, absolute: bool) -> asyncio.Future[None]:
        step = self._allot("sleep", name)
        sleep = self.state.sleeps.get(step)
        if sleep is None:
            step_sleep.begin(self, step, duration_ms(), absolute=absolute)
        elif sleep.done:
            return self._settled(lambda: None)
        return self._start(step, step_sleep.perform(self, step))

    def wait_for_event(
        self, name: str, event_type: str, timeout_ms: float, returns: Any
    ) -> asyncio.Future[WorkflowStepEvent[Any]]:
        step = self._allot("wait", name)
        wait = self.state.waits.get(step)
        if wait is None:
            step_wait.begin(self, step, event_type, timeout_ms)
        elif wait.done:
            return self._settled(lambda: step_wait.outcome(self, step, returns))
        return self._start(step, step_wait.perform(self, step, returns))

    # What the verbs are made of

    def append(self, type: str, step: str | None = None, value: str | None = None, **data: Any) -> Entry:  # noqa: A002
        """Add an entry to the journal: it counts at once, and is durable after `durable()`."""
        if self.closed:
            raise asyncio.CancelledError
        self._active()
        return self.instance.append(type, step, value, **data)

    async def durable(self) -> None:
        """The output gate: wait until everything appended so far is on disk."""
        await self.store.flushed()

    async def admitted(self) -> None:
        """Wait until new work may start: at once, unless the instance is being paused."""
        await self._gate.wait()

    async def park(self, arm: Callable[[Callable[[], None]], TimerHandle | None]) -> None:
        """Wait until the callback that `arm` is given has been called: for a time, or for an event."""
        woken = self._loop.create_future()

        def wake() -> None:
            if not woken.done():
                self._active()
                woken.set_result(None)

        timer = arm(wake)
        self._parked += 1
        self._consider_parking()
        try:
            await woken
        finally:
            self._parked -= 1
            if timer is not None:
                timer.cancel()

    def close_gate(self) -> None:
        self._gate.clear()

    def open_gate(self) -> None:
        self._gate.set()

    def close(self) -> None:
        """End this execution without a trace in the journal. The instance can be run again at any time."""
        self.closed = True
        for task in (self._main, *self._tasks):
            if task is not None and not task.done() and task is not asyncio.current_task():
                task.cancel()
        for future in self._futures:
            future.cancel()
        self.release_clock()

    # Bookkeeping

    def _allot(self, kind: str, name: str) -> str:
        if asyncio._get_running_loop() is not self._loop:
            raise WorkflowFatalError(
                f'Step "{name}" was called from a thread: a plain `def` callback runs in one. '
                "Make the callback an `async def` to call steps in it."
            )
        self._active()
        self._counts[kind, name] += 1
        return f"{name}-{self._counts[kind, name]}"

    def _start(self, step: str, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """A future of `work`. Cancelling it only means that nobody waits: like a promise, the step itself goes on."""
        future: asyncio.Future[T] = self._loop.create_future()
        if self.closed:
            work.close()
            future.cancel()
            return future
        task = self._loop.create_task(work, name=step)
        self._tasks.add(task)
        self._futures.add(future)

        def finish(task: asyncio.Task[T]) -> None:
            self._tasks.discard(task)
            self._futures.discard(future)
            if task.cancelled() or self.closed:
                future.cancel()
            elif (error := task.exception()) is not None:
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # a step that nobody awaits fails quietly, its error is in the journal
            elif not future.done():
                future.set_result(task.result())
            self._consider_parking()

        task.add_done_callback(finish)
        return future

    def _settled(self, outcome: Callable[[], T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        try:
            future.set_result(outcome())
        except Exception as error:  # noqa: BLE001 - the stored error of the step, to be raised where it is awaited
            future.set_exception(error)
            future.exception()
        return future

    def _active(self) -> None:
        self._activity += 1
        if not self._holds_clock and not self.closed:
            self._holds_clock = True
            self.clock.hold()
            self.instance.taken_up()

    def release_clock(self) -> None:
        if self._holds_clock:
            self._holds_clock = False
            self.clock.release()

    def _consider_parking(self) -> None:
        if self._parked and self._parked == len(self._tasks) and not self.closed:
            self._settle(self._activity, SETTLE_TURNS)

    def _settle(self, activity: int, turns: int) -> None:
        if self.closed or activity != self._activity or self._parked != len(self._tasks) or not self._holds_clock:
            return
        if turns:
            self._loop.call_soon(self._settle, activity, turns - 1)
        else:
            self.instance.parked()
            self.release_clock()
