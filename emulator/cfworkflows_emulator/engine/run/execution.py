"""What is executed of an instance, whether its `run()` or its rollback: operations that wait, write, and are closed."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any, Literal, NoReturn, TypeVar

from cfworkflows.step import StepCall
from cfworkflows_emulator.actors import Latch, Operation
from cfworkflows_emulator.engine.journal.entries import ENTRIES, Entry, EntryType, StepKey, StepKind
from cfworkflows_emulator.engine.journal.state import InstanceState, Status
from cfworkflows_emulator.engine.probe import NO_PROBE, Intervention, Moment
from cfworkflows_emulator.engine.run.branch import current_path
from cfworkflows_emulator.engine.run.caller import run_as
from cfworkflows_emulator.engine.run.host import Follower, Host
from cfworkflows_emulator.engine.run.parking import Parking
from cfworkflows_emulator.engine.run.stranded import is_crowded
from cfworkflows_emulator.engine.run.tasks import Tasks
from cfworkflows_emulator.storage import StateError

T = TypeVar("T")


class Execution:
    """A VerbContext with operations, and a gate that holds new work back.

    `follower` sees what is called over the journal that there is. After `close` nothing of it reaches the journal any
    more: its code is cancelled, or stays where it waits (see `Tasks`), and new calls are refused.
    """

    def __init__(self, host: Host, follower: Follower | None = None, noun: str = "step") -> None:
        self.host = host
        self.clock = host.clock
        self.store = host.store
        self.follower = follower
        self.noun = noun
        self.closed = False
        self.tasks = Tasks(host)
        self.parking = Parking(host, self._parked)
        self.handlers: dict[str, StepCall] = {}
        self._loop = asyncio.get_running_loop()
        self._operations: set[Operation] = set()
        self._futures: dict[asyncio.Future[Any], StepKey | None] = {}
        self._doing: set[Operation] = set()
        self._lingers = False
        self._stays = False
        self._gate: asyncio.Event | None = None  # made when it is first closed
        self._main: Operation | None = None
        self._witnessed = host.probe is not NO_PROBE

    @property
    def state(self) -> InstanceState:
        return self.host.state

    @property
    def intervention(self) -> Intervention | None:
        return self.host.intervention if self._witnessed else None

    async def execute(self) -> None:
        """All that it does. At the end it notifies the host."""
        raise NotImplementedError

    def start(self, context: contextvars.Context) -> None:
        self.parking.active()
        run_as(self.host, self.tasks, context)
        self._main = Operation(self.execute(), str(self.host), self._executed, context)
        self._main.start()

    def _executed(self, _: None, error: BaseException | None) -> None:
        self._main = None
        if error is not None and not isinstance(error, asyncio.CancelledError):
            self._loop.call_exception_handler({"message": f"{self.host} could not be run.", "exception": error})

    def is_stopped(self) -> bool:
        """Whether what the code does no longer counts, such as when the process ends: the next one continues."""
        return self.closed or self.host.process_ends

    # What the verbs are made of

    def append(self, type: EntryType, step: str | None = None, value: str | None = None, **data: Any) -> Entry:
        if self.closed and not self._outlives(type, step):
            raise asyncio.CancelledError
        self.parking.active()
        return self.host.append(type, step, value, **data)

    def append_start(self, type: EntryType, step: str, **data: Any) -> Entry:
        """Like `append`, for the first entry of a verb: it says in which step's callback the verb was called."""
        if data["at"] is None:
            del data["at"]
        if (inside := self.parking.inside()) is not None:
            return self.append(type, step, **data, inside=inside)
        if self._gate is not None and not self._gate.is_set():
            data["heldBack"] = True
        if (branch := current_path()) is not None:
            data["branch"] = branch
        entry = self.append(type, step, **data)
        if self.follower is not None:
            self.follower.began(entry)
        return entry

    async def durable(self) -> None:
        """The output gate: wait until everything appended so far is on disk. If it cannot be, the execution ends here.

        For verbs; `flushed` is the same for what has a task.
        """
        durable: Latch[None] = Latch()
        self.store.when_durable(durable.settle)
        try:
            await durable
        except StateError:
            self._stop()
        if self.closed and not self._lingers:
            raise asyncio.CancelledError

    async def flushed(self) -> None:
        """See `durable`."""
        try:
            await self.store.flushed()
        except StateError:
            self._stop()
        if self.closed and not self._lingers:
            raise asyncio.CancelledError

    def _stop(self) -> NoReturn:
        self.host.stop()
        raise asyncio.CancelledError from None

    def admits(self) -> bool:
        """Whether new work may start.

        What a callback calls belongs to the attempt that runs, whose end a pause waits for.
        """
        return not self.closed and (self._gate is None or self._gate.is_set() or self.parking.inside() is not None)

    async def admitted(self) -> None:
        """Wait until new work may start: at once, unless the instance is being paused, or has no slot."""
        if not self.admits() and self._gate is not None:
            await self._gate.wait()
        if self.closed:
            raise asyncio.CancelledError

    async def park(self, until: float, event_for: str | None = None) -> None:
        if self.closed:
            raise asyncio.CancelledError
        await self.parking.wait(until, event_for)

    def event_for(self, step: str) -> Entry | None:
        return self.parking.event_for(step)

    def callback_of(self, step: str) -> AbstractContextManager[contextvars.Context]:
        return self.parking.callback_of(step)

    def witness(self, phase: Literal["before", "after"], step: str, attempt: int) -> None:
        """Notify a test that a callback is about to start, or has ended. If it kills the engine, all ends here."""
        if not self._witnessed or self.closed:
            return
        undoes = self.state.status is Status.ROLLING_BACK
        self.host.probe.witness(Moment(phase, self.host.definition.name, self.host.key, step, attempt, undoes))
        if self.closed:
            raise asyncio.CancelledError

    def operate(self, step: str, work: Coroutine[Any, Any, T], kind: StepKind | None = None) -> asyncio.Future[T]:
        """A future of `work`, a step's: of the kind `kind`, None if it is its undoing.

        Cancelling it only means that it is not awaited: like a promise, the step itself continues.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if self.closed:
            work.close()
            future.cancel()
            return future
        parking = self.parking
        callback = parking.begin()

        def ended(result: T, error: BaseException | None) -> None:
            self._operations.discard(operation)
            self._doing.discard(operation)
            del self._futures[future]
            parking.end(callback)
            if self.closed or isinstance(error, asyncio.CancelledError):
                if not self._stays:
                    future.cancel()
                if self._lingers:
                    self.host.attempt_outlived()
            elif future.done():  # it is not awaited any more
                self._abandoned(key)
                self.host.suspect()
            else:
                if self.state.abandoned and key in self.state.abandoned:
                    self.host.suspect(raced=True)
                if error is None:
                    future.set_result(result)
                else:
                    future.set_exception(error)
                    future.exception()  # a step that is not awaited fails quietly, its error is in the journal
            self.store.write_behind()
            parking.consider()

        key = (kind, step) if kind is not None else None
        operation = Operation(work, step, ended)
        self._operations.add(operation)
        if kind == "do":
            self._doing.add(operation)
        self._futures[future] = key
        operation.start()
        return future

    # What the instance asks for

    def close_gate(self) -> None:
        """Let no new work start."""
        if self._gate is None:
            self._gate = asyncio.Event()
        self._gate.clear()

    def open_gate(self) -> None:
        if self._gate is not None:
            self._gate.set()

    def evicted(self) -> bool:
        """It leaves memory as it waits, unless this is False: its code would have to be kept, and that of many others
        is already, so that it would cost as much memory.
        """
        if is_crowded() and self.tasks.runs_code:
            return False
        if self.follower is not None:
            self.follower.evicted()
        return True

    def close(self, *, lingers: bool = False) -> None:
        """End this execution without a trace in the journal. The instance can be run again at any time.

        If it `lingers`, `run()` has ended: attempts that it did not await continue, and how they end is written down.
        So it stays until they are over, or until a `close` without `lingers`.
        """
        self.closed = self.parking.closed = True
        self._lingers = lingers
        self._stays = self.tasks.keep() if lingers else self.tasks.end()
        if self._main is not None:
            self._main.cancel()
        for operation in list(self._operations):
            if not (lingers and self._has_attempt(operation)):
                operation.cancel()
        for future in list(self._futures) if not self._stays else ():
            future.cancel()
        self.parking.close()

    @property
    def operations(self) -> set[Operation]:
        """The steps that are under way."""
        return set(self._operations)

    @property
    def outlasted(self) -> bool:
        """Whether it was closed since `run()` ended, so that what still runs does so by the workflow's own design."""
        return self._lingers

    @property
    def lingering(self) -> set[Operation]:
        """The steps whose attempts continue, though it is closed."""
        if not self._lingers:
            return set()
        return {operation for operation in self._operations if self._has_attempt(operation)}

    # Bookkeeping

    def _has_attempt(self, operation: Operation) -> bool:
        step = self.state.steps.get(operation.name) if operation in self._doing else None
        return step is not None and step.attempt_open

    def _outlives(self, type: EntryType, step: str | None) -> bool:
        """Whether an entry is about an attempt that has outlived `run()`. Entries of a rollback are about no step."""
        is_about_one = ENTRIES[type].step == "do"
        return self._lingers and is_about_one and any(operation.name == step for operation in self._doing)

    def _abandoned(self, key: StepKey | None) -> None:
        """Write down, once, that a step was cancelled while it was under way."""
        if key is not None and key not in self.state.abandoned:
            self.host.append(EntryType.STEP_ABANDONED, key[1], kind=key[0])

    def _parked(self, until: float) -> None:
        for future, key in self._futures.items():
            if future.cancelled():
                self._abandoned(key)
        if self.follower is not None:
            self.follower.parked()
        self.host.parked(until)


def settled(outcome: Callable[[], T]) -> asyncio.Future[T]:
    """A future of what `outcome()` returns or raises."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    try:
        future.set_result(outcome())
    except Exception as error:  # noqa: BLE001 - the stored error of the step, to be raised where it is awaited
        future.set_exception(error)
        future.exception()
    return future
