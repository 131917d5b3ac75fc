"""One execution of a workflow's `run()`: the first, or a replay over the journal. Both take the same path."""

import asyncio
import contextvars
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from cfworkflows.errors import WorkflowFatalError
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step import StepCall, WorkflowStep
from cfworkflows.step.call import resolve_awaitable
from cfworkflows_emulator.engine.divergence.comparison import Comparison
from cfworkflows_emulator.engine.interventions import Intervention
from cfworkflows_emulator.engine.journal.entries import ENTRIES, EntryType, StepKind
from cfworkflows_emulator.engine.journal.state import InstanceState, Status
from cfworkflows_emulator.engine.operation import Latch, Operation
from cfworkflows_emulator.engine.run import step_do, step_sleep, step_wait
from cfworkflows_emulator.engine.run.naming import Names
from cfworkflows_emulator.engine.witness import Moment
from cfworkflows_emulator.storage import Entry, StateError

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
    nothing of it reaches the journal any more: its futures are cancelled, and so is every new call.
    """

    carries_out = "step"
    compares = True

    def __init__(self, instance: "Instance") -> None:
        self.instance = instance
        self.clock = instance.clock
        self.store = instance.store
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._names = Names(instance.state)
        self._comparison = Comparison.of(instance.state, instance.diagnose) if self.compares else None
        self._step_calls = 0
        self.handlers: dict[str, StepCall] = {}
        self._operations: set[Operation] = set()
        self._futures: set[asyncio.Future[Any]] = set()
        self._parked: dict[Latch[None], float] = {}
        self._waiting: dict[str, Callable[[], None]] = {}
        self._passed_over: set[str] = set()
        self._doing: set[Operation] = set()
        self._let_go = False
        self._nested: defaultdict[_Callback, int] = defaultdict(int)
        self._activity = 0
        self._holds_clock = False
        self._gate = asyncio.Event()
        self._gate.set()
        self._main: Operation | None = None
        self._code: asyncio.Task[None] | None = None

    @property
    def state(self) -> InstanceState:
        return self.instance.state

    @property
    def intervention(self) -> Intervention | None:
        """What a test asks for the steps that this carries out."""
        return self.instance.intervention

    def start(self, context: contextvars.Context) -> None:
        self._active()
        context.run(_running.set, self.instance)
        self._main = Operation(self._execute(), str(self.instance), self._executed, context)
        self._main.start()

    def _executed(self, _: None, error: BaseException | None) -> None:
        self._main = None
        if error is not None and not isinstance(error, asyncio.CancelledError):
            self._loop.call_exception_handler({"message": f"{self.instance} could not be run.", "exception": error})

    async def _execute(self) -> None:
        instance = self.instance
        try:
            output = await self._outcome()
            await self._ended(failed=False)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            if not self.closed and instance.abandoned(error):
                return
            if self.is_stopped():
                raise
            await self._ended(failed=True)
            instance.fail(error)
        else:
            if not self.is_stopped():
                instance.complete(output, unawaited=[operation.name for operation in self._operations])

    async def _outcome(self) -> Any:
        """What `run()` returns. That its task is being cancelled says nothing of who does it.

        A TaskGroup that fails cancels the task it is in and, before Python 3.13, does not always take it back.
        """
        over: Latch[Any] = Latch()
        self._code = self._loop.create_task(self._call(over), name=f"run() of {self.instance}")
        try:
            return await over
        finally:
            self._code = None

    async def _call(self, over: "Latch[Any]") -> None:
        try:
            entrypoint = self.instance.definition.entrypoint()
            output = await resolve_awaitable(entrypoint.run(self.instance.event(), WorkflowStep(self)))
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a SystemExit that left the task would end the process
            over.fail(error)
        else:
            over.open(output)

    def is_stopped(self) -> bool:
        """Whether what `run()` does no longer counts, such as when the process ends: the next one goes on."""
        return self.closed or self.instance.world.lifeline.is_cut

    # The StepDriver

    def do(self, call: StepCall) -> asyncio.Future[Any]:
        name = self._allot("do", call.name)
        self._step_calls += 1
        limit = self.instance.definition.step_limit
        if self._step_calls > limit:
            error = WorkflowFatalError(
                f"The limit of {limit} steps has been reached. This limit can be changed in your worker configuration."
            )
            error.add_note(
                f'Step "{name}" is number {self._step_calls:,}. Raise limits.steps of the workflow, to 25,000 at most, '
                "or split the work among several instances."
            )
            raise error
        if call.rollback is not None:
            self.handlers[name] = call
        done = self.state.steps.get(name)
        if done is None and self._admits():
            step_do.begin(self, name, call)
        elif done is not None and done.done:
            return self._settled(lambda: step_do.outcome(self, name, call))
        return self._start(name, step_do.perform(self, name, call, is_new=done is None), attempts=True)

    def sleep(self, name: str, duration_ms: float) -> asyncio.Future[None]:
        step = self._allot("sleep", name)
        if step not in self.state.sleeps:
            step_sleep.begin(self, step, duration_ms, absolute=False)
        return self._sleep(step)

    def sleep_until(self, name: str, timestamp_ms: float) -> asyncio.Future[None]:
        step = self._allot("sleep", name)
        if step not in self.state.sleeps:
            now = self.clock.now()
            if timestamp_ms < now:
                return self._settled(step_sleep.refuse_past)
            step_sleep.begin(self, step, timestamp_ms - now, absolute=True)
        return self._sleep(step)

    def _sleep(self, step: str) -> asyncio.Future[None]:
        if self.state.sleeps[step].done:
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
        self._passed_over.discard(step)
        return self._start(step, step_wait.perform(self, step, returns))

    # What the verbs are made of

    def append(self, type: EntryType, step: str | None = None, value: str | None = None, **data: Any) -> Entry:
        """Add an entry to the journal: it counts at once, and is durable after `durable()`."""
        if self.closed and not self._goes_on(type, step):
            raise asyncio.CancelledError
        self._active()
        return self.instance.append(type, step, value, **data)

    def append_start(self, type: EntryType, step: str, **data: Any) -> Entry:
        """Like `append`, for the first entry of a verb: it says in which step's callback the verb was called."""
        if (inside := self._inside()) is not None:
            return self.append(type, step, **data, inside=inside)
        if not self._gate.is_set():
            data["heldBack"] = True
        entry = self.append(type, step, **data)
        if self._comparison is not None:
            self._comparison.began(entry)
        return entry

    async def durable(self) -> None:
        """The output gate: wait until everything appended so far is on disk. If it cannot be, the run ends here.

        For verbs; `flushed` is the same for what has a task.
        """
        durable: Latch[None] = Latch()
        self.store.when_durable(durable.settle)
        try:
            await durable
        except StateError:
            self.instance.stop()
            raise asyncio.CancelledError from None
        if self.closed and not self._let_go:
            raise asyncio.CancelledError

    async def flushed(self) -> None:
        """See `durable`."""
        try:
            await self.store.flushed()
        except StateError:
            self.instance.stop()
            raise asyncio.CancelledError from None
        if self.closed and not self._let_go:
            raise asyncio.CancelledError

    def witness(self, phase: Literal["before", "after"], step: str, attempt: int) -> None:
        """Tell a test that a callback is about to start, or has ended. The run ends here if that kills the engine."""
        if (witness := self.instance.world.witness) is None or self.closed:
            return
        undoes = self.state.status is Status.ROLLING_BACK
        witness(Moment(phase, self.instance.definition.name, self.instance.key, step, attempt, undoes))
        if self.closed:
            raise asyncio.CancelledError

    async def admitted(self) -> None:
        """Wait until new work may start: at once, unless the instance is being paused, or has no slot.

        What a callback calls belongs to the attempt that runs, whose end the pause waits for.
        """
        if not self._admits():
            await self._gate.wait()
        if self.closed:
            raise asyncio.CancelledError

    def _admits(self) -> bool:
        return not self.closed and (self._gate.is_set() or self._inside() is not None)

    async def park(self, until: float, event_for: str | None = None) -> None:
        """Wait until `until`, in ms, or until there is an event for the wait `event_for`."""
        if self.closed:
            raise asyncio.CancelledError
        woken: Latch[None] = Latch()

        def wake() -> None:
            if not woken.is_open:
                self._active()
                woken.open(None)

        timer = self.clock.call_at(until, wake)
        self._parked[woken] = until
        if event_for is not None:
            self._waiting[event_for] = wake
        self._consider_parking()
        try:
            await woken
        finally:
            timer.cancel()
            del self._parked[woken]
            if event_for is not None:
                del self._waiting[event_for]

    def look_again(self) -> None:
        """Have all that waits for a time see whether it has come: the journal may say another one now."""
        for woken in list(self._parked):
            if not woken.is_open:
                self._active()
                woken.open(None)

    def event_for(self, step: str) -> Entry | None:
        """The buffered event that the wait `step` gets, if there is one."""
        return self.state.event_for(step, self._passed_over)

    def hand_over_events(self) -> bool:
        """Wake the waits that have got an event; whether there were any."""
        ready = [wake for step, wake in self._waiting.items() if self.event_for(step) is not None]
        for wake in ready:
            wake()
        return bool(ready)

    def callback_of(self, step: str) -> "_Callback":
        """The context in which a callback of `step` runs: it tells the steps that the callback calls from others."""
        return _Callback(self, step)

    def go_on(self) -> None:
        """Try to leave the queue: the instance has got a slot, or may get one now."""
        if self._holds_clock:  # it was queued in the midst of its work
            self.instance.taken_up()
        self._active()
        self._loop.call_soon(self._consider_parking)  # it may have nothing to do but to wait

    def close_gate(self) -> None:
        self._gate.clear()

    def open_gate(self) -> None:
        self._gate.set()

    def close(self, *, let_go: bool = False) -> None:
        """End this execution without a trace in the journal. The instance can be run again at any time.

        With `let_go`, `run()` has ended: attempts that it did not await go on, and how they end is written down. So it
        stays until they are over, or until a `close` without.
        """
        self.closed = True
        self._let_go = let_go
        if self._code is not None and self._code is not asyncio.current_task():
            self._code.cancel()
        if self._main is not None:
            self._main.cancel()
        for operation in list(self._operations):
            if not (let_go and self._has_attempt(operation)):
                operation.cancel()
        for future in list(self._futures):
            future.cancel()
        self.release_clock()

    # Bookkeeping

    def forget(self, callback: "_Callback") -> None:
        """A callback is over: what it called and did not await is as if `run()` had called it."""
        self._nested.pop(callback, None)

    def _has_attempt(self, operation: Operation) -> bool:
        step = self.state.steps.get(operation.name) if operation in self._doing else None
        return step is not None and step.attempt_open

    def _goes_on(self, type: EntryType, step: str | None) -> bool:
        """Whether an entry is about an attempt that has outlived `run()`."""
        is_about_one = ENTRIES[type].step == "do"
        return self._let_go and is_about_one and any(operation.name == step for operation in self._doing)

    @property
    def lingering(self) -> set[Operation]:
        """The steps of it whose attempts go on, though it is closed."""
        if not self._let_go:
            return set()
        return {operation for operation in self._operations if self._has_attempt(operation)}

    def _inside(self) -> str | None:
        """The step whose callback is calling, None outside of callbacks."""
        callback = _enclosing.get()
        return callback.step if callback is not None and callback.run is self else None

    def _allot(self, kind: StepKind, name: str) -> str:
        if asyncio._get_running_loop() is not self._loop:
            raise WorkflowFatalError(
                f'Step "{name}" was called from a thread: a plain `def` callback runs in one. '
                "Make the callback an `async def` to call steps in it."
            )
        if self.closed and self.state.status is Status.ROLLING_BACK:
            raise WorkflowFatalError("Cannot execute steps during rollback phase")
        self._active()
        if self._parked:  # the call may come to nothing that ends or parks: it was done before, or is refused
            self._loop.call_soon(self._consider_parking)
        inside = self._inside()
        step = self._names.allot(kind, name, inside)
        if self._comparison is not None and inside is None:
            self._comparison = self._comparison.called(kind, step, asyncio.current_task() is self._code)
        return step

    async def _ended(self, *, failed: bool) -> None:
        for _ in range(SETTLE_TURNS if self._comparison is not None else 0):  # for calls again in tasks of the user's
            self._gate.clear()
            await asyncio.sleep(0)  # noqa: TID251 - a turn of the event loop, no time
        if self._comparison is not None and not self.is_stopped():
            self._comparison.ended(failed=failed)

    def _start(self, step: str, work: Coroutine[Any, Any, T], *, attempts: bool = False) -> asyncio.Future[T]:
        """A future of `work`, a step's: `attempts` if those are what it consists of.

        Cancelling it only means that nobody waits: like a promise, the step itself goes on.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if self.closed:
            work.close()
            future.cancel()
            return future
        callback = _enclosing.get()
        if callback is not None and callback.run is self and not callback.over:
            self._nested[callback] += 1

        def ended(result: T, error: BaseException | None) -> None:
            self._operations.discard(operation)
            self._doing.discard(operation)
            self._futures.discard(future)
            if callback is not None and callback in self._nested:
                self._nested[callback] -= 1
                if not self._nested[callback]:
                    del self._nested[callback]
            if self.closed or isinstance(error, asyncio.CancelledError):
                future.cancel()
                if self._let_go:
                    self.instance.attempt_outlived()
            elif future.done():  # nobody waits for it any more
                pass
            elif error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
                future.exception()  # a step that nobody awaits fails quietly, its error is in the journal
            self.store.write_behind()
            self._consider_parking()

        operation = Operation(work, step, ended)
        self._operations.add(operation)
        if attempts:
            self._doing.add(operation)
        self._futures.add(future)
        operation.start()
        return future

    def _settled(self, outcome: Callable[[], T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        if self.closed:
            future.cancel()
            return future
        try:
            future.set_result(outcome())
        except Exception as error:  # noqa: BLE001 - the stored error of the step, to be raised where it is awaited
            future.set_exception(error)
            future.exception()
        return future

    def _active(self) -> None:
        self._activity += 1
        if not self._holds_clock and not self.closed and self.instance.taken_up():
            self._holds_clock = True
            self.clock.hold()

    def release_clock(self) -> None:
        if self._holds_clock:
            self._holds_clock = False
            self.clock.release()

    def _is_quiet(self) -> bool:
        """Whether all verbs wait: for a time, for an event, or, in a callback, for verbs that it called."""
        return bool(self._parked) and len(self._parked) + len(self._nested) == len(self._operations) and not self.closed

    def _consider_parking(self) -> None:
        if self._is_quiet():
            self._settle(self._activity, SETTLE_TURNS)

    def _settle(self, activity: int, turns: int) -> None:
        if activity != self._activity or not self._is_quiet() or not self._holds_clock:
            return
        if turns:
            self._loop.call_soon(self._settle, activity, turns - 1)
            return
        # A wait that the journal knows, and that was not called again although all is quiet, has gone from the code
        # (it was changed meanwhile): it keeps no event from the others.
        self._passed_over = {step for step, wait in self.state.waits.items() if not wait.done} - self._waiting.keys()
        if self.hand_over_events():
            return
        if not self._nested:
            self.parked(min(self._parked.values()))
        self.release_clock()

    def parked(self, until: float) -> None:
        """Everything waits now, and the first of it until `until`, in ms."""
        if self._comparison is not None:
            self._comparison.parked()
        self.instance.parked(until)

    def evicted(self) -> None:
        """It leaves memory as it waits."""
        if self._comparison is not None:
            self._comparison.evicted()


def running_here() -> "Instance | None":
    """The instance whose code, in `run()` or in a callback, is calling."""
    return _running.get()


def running_in(context: contextvars.Context) -> "tuple[Instance | None, str | None]":
    """The instance whose code runs in `context`, and the step in whose callback it is, None in `run()`."""
    callback = context.get(_enclosing)
    return context.get(_running), callback.step if callback is not None else None


class _Callback:
    """One call of a step's callback, for the verbs that are called in it."""

    __slots__ = ("over", "run", "step")

    def __init__(self, run: Run, step: str) -> None:
        self.run = run
        self.step = step
        self.over = False

    def __enter__(self) -> contextvars.Context:
        context = contextvars.copy_context()
        context.run(_enclosing.set, self)
        return context

    def __exit__(self, *error: object) -> None:
        self.over = True
        self.run.forget(self)


_enclosing: contextvars.ContextVar[_Callback | None] = contextvars.ContextVar("cfworkflows_enclosing", default=None)
_running: contextvars.ContextVar["Instance | None"] = contextvars.ContextVar("cfworkflows_running", default=None)
