"""An instance in memory: a journal, the state folded from it, and at most one run over it."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from cfworkflows.errors import ErrorRecord, SerializationError, WorkflowError
from cfworkflows.event import CronSchedule, WorkflowEvent
from cfworkflows.typed import is_validated, validate
from cfworkflows.values import decode, encode
from cfworkflows_emulator.clock import Clock, TimerHandle
from cfworkflows_emulator.engine.definition import ENCODING_OVERHEAD, MAX_VALUE_BYTES, WorkflowDefinition
from cfworkflows_emulator.engine.run import Run
from cfworkflows_emulator.engine.state import InstanceState, Status
from cfworkflows_emulator.storage import Entry, InstanceStore
from cfworkflows_emulator.tracebacks import format_error

T = TypeVar("T")
log = logging.getLogger("cfworkflows.engine")


@dataclass(frozen=True, slots=True)
class World:
    """What all instances of an engine share. `evict_after_ms` is None where nothing is evicted."""

    clock: Clock
    store: InstanceStore
    threads: Executor
    evict_after_ms: float | None
    unload: Callable[["Instance"], None]


class Instance:
    """The actor. Its methods change the journal at once; `await durable()` before anybody hears of it."""

    def __init__(self, world: World, definition: WorkflowDefinition, key: int, id: str, state: InstanceState) -> None:  # noqa: A002
        self.world = world
        self.definition = definition
        self.key = key
        self.id = id
        self.state = state
        self.users = 0
        self._run: Run | None = None
        self._callbacks: set[asyncio.Task[Any]] = set()
        self._waiters: list[_Waiter] = []
        self._eviction: TimerHandle | None = None
        self._indexed: tuple[Status, int | None] | None = None

    def __str__(self) -> str:
        return f"{self.definition.name}/{self.id}"

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def store(self) -> InstanceStore:
        return self.world.store

    @property
    def running(self) -> bool:
        """Whether a run of it is in memory, at work or parked."""
        return self._run is not None

    @property
    def callbacks(self) -> list[str]:
        """The callbacks that are at work, for telling what is being waited for."""
        return [f"{task.get_name()} in {self}" for task in self._callbacks]

    # The journal

    def append(self, type: str, step: str | None = None, value: str | None = None, **data: Any) -> Entry:  # noqa: A002
        entry = Entry(self.state.last_seq + 1, self.clock.now(), type, step, data, value)
        self.state.apply(entry)
        self.store.append(self.key, entry)
        return entry

    async def durable(self) -> None:
        await self.store.flushed()

    def _index(self) -> None:
        """Write the row that lists, counts and timers read, if it changed."""
        status = self.state.visible_status
        deadline = self.state.next_deadline() if status is Status.WAITING else None
        wake_at = -int(-deadline // 1) if deadline is not None else None
        if (status, wake_at) != self._indexed:
            self._indexed = (status, wake_at)
            self.store.index(self.key, status, self.clock.now(), wake_at)

    # Running

    def event(self) -> WorkflowEvent[Any]:
        """What `run()` is given. Raises PayloadValidationError if the params no longer fit their type."""
        queued = self.state.queued
        if queued is None:
            raise ValueError(f"The journal of {self} does not begin with workflow_queued.")
        payload = decode(queued.value) if queued.value is not None else None
        if is_validated(self.definition.params_type):
            payload = validate(self.definition.params_type, payload)
        event: WorkflowEvent[Any] = WorkflowEvent(
            payload=payload,
            timestamp=datetime.fromtimestamp(queued.data["timestamp"] / 1000, UTC),
            instanceId=self.id,
            workflowName=self.definition.name,
        )
        if "schedule" in queued.data:
            event["schedule"] = CronSchedule(queued.data["schedule"])
        return event

    def start(self) -> None:
        """Run it, or take it up again, unless it has ended, is paused, or runs already."""
        if self._run is not None or self.state.status.finite or self.state.status is Status.PAUSED:
            return
        if self.state.status is Status.WAITING_FOR_PAUSE:  # the process died before the pause took effect
            self.append("workflow_paused")
            self._index()
            return
        if not self.state.started:
            self.append("workflow_started")
        if self.state.status is Status.QUEUED:
            self.append("workflow_running")
        self._run = Run(self)
        self._run.start()

    def complete(self, output: Any, unawaited: list[str]) -> None:
        """`run()` returned."""
        try:
            value = encode(output)
            if len(value) > MAX_VALUE_BYTES + ENCODING_OVERHEAD:
                raise SerializationError(f"The output of the workflow has {len(value):,} bytes; the limit is 1 MiB.")
        except SerializationError as error:
            self.fail(error)
            return
        for step in unawaited:
            log.warning("%s ended before step %s did: nothing awaited it, so its result is lost.", self, step)
        self.append("workflow_completed", value=value)
        log.info("%s complete", self)
        self._end_run(keep_callbacks=True)

    def fail(self, error: BaseException) -> None:
        """`run()` raised."""
        record = ErrorRecord.of(error, format_error(error))
        self.append(
            "workflow_errored",
            error={"name": record.name, "message": record.message, "traceback": record.traceback},
        )
        log.error("%s errored", self, exc_info=error)
        self._end_run(keep_callbacks=True)

    def _end_run(self, *, keep_callbacks: bool = False) -> None:
        if not keep_callbacks:
            for task in self._callbacks:
                task.cancel()
        run, self._run = self._run, None
        self._stop_eviction()
        if run is not None:
            run.close()
        self._waiters.clear()
        self._index()
        self.world.unload(self)

    def stop(self) -> None:
        """Take it out of memory as it stands; the journal has all that is needed to go on."""
        for task in self._callbacks:
            task.cancel()
        run, self._run = self._run, None
        self._stop_eviction()
        if run is not None:
            run.close()

    def hold_back(self) -> None:
        """Let nothing new start: the process is about to stop."""
        if self._run is not None:
            self._run.close_gate()

    # What a run asks for

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Start a callback of the user's."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._callbacks.add(task)
        task.add_done_callback(self._callbacks.discard)
        return task

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self.world.threads, lambda: context.run(function, *arguments)
        )

    def await_event(self, event_type: str, until: float, wake: Callable[[], None]) -> TimerHandle:
        waiter = _Waiter(event_type, wake, self.clock.call_at(until, wake), self._waiters)
        self._waiters.append(waiter)
        return waiter

    def attempt_ended(self) -> None:
        if self.state.status is Status.WAITING_FOR_PAUSE and not self.state.open_attempts:
            self._pause_now()

    def parked(self) -> None:
        """Everything that was started waits now."""
        self._index()
        if self.world.evict_after_ms is not None and self._eviction is None:
            self._eviction = self.clock.call_at(self.clock.now() + self.world.evict_after_ms, self._evict)

    def taken_up(self) -> None:
        """Something that waited goes on."""
        self._stop_eviction()
        self._index()

    def _stop_eviction(self) -> None:
        if self._eviction is not None:
            self._eviction.cancel()
            self._eviction = None

    def _evict(self) -> None:
        self._eviction = None
        if not self._callbacks:
            self._end_run()

    # Lifecycle

    def send_event(self, event_type: str, value: str) -> None:
        """Hand an event over to the oldest wait for its type, or keep it for the next one."""
        if self.state.status.finite:
            raise WorkflowError(
                f"Cannot send an event to instance {self.id}: it is {self.state.status}", code="instance.not_running"
            )
        self.append("event_received", value=value, eventType=event_type)
        for waiter in [waiter for waiter in self._waiters if waiter.event_type == event_type]:
            waiter.wake()
        self.start()
        self._index()

    def pause(self) -> None:
        """Pause it: at once, or when the attempts that run have ended. Nothing new starts meanwhile."""
        if self.state.status is not Status.RUNNING:
            return
        self.append("workflow_waiting_for_pause")
        if self._run is not None:
            self._run.close_gate()
        if self.state.open_attempts and self._callbacks:
            self._index()
        else:
            self._pause_now()

    def _pause_now(self) -> None:
        self.append("workflow_paused")
        self._end_run()

    def resume(self) -> None:
        """Go on. What was left of sleeps, waits and retry delays when it was paused is still to be waited for."""
        if self.state.status is Status.WAITING_FOR_PAUSE:
            self.append("workflow_running")
            if self._run is not None:
                self._run.open_gate()
        elif self.state.status is Status.PAUSED:
            self.append("workflow_running")
        self.start()
        self._index()

    def terminate(self) -> None:
        """End it now. Raises WorkflowError if it has ended already."""
        if self.state.status.finite:
            raise WorkflowError(
                "Cannot terminate instance since its on a finite state", code="instance.cannot_terminate"
            )
        self.append("workflow_terminated")
        self._end_run()

    def restart(self) -> None:
        """Begin anew with the same event: results, buffered events and timers are gone."""
        queued = self.state.queued
        if queued is None:
            raise ValueError(f"The journal of {self} does not begin with workflow_queued.")
        self.stop()
        self._waiters.clear()
        self.store.erase_journal(self.key)
        self.state = InstanceState(last_seq=self.state.last_seq)
        self.append("workflow_queued", value=queued.value, **queued.data)
        self.start()
        self._index()


class _Waiter:
    """A wait for an event that is parked: woken by one of its type, or when its time is up."""

    def __init__(self, event_type: str, wake: Callable[[], None], timer: TimerHandle, waiters: "list[_Waiter]") -> None:
        self.event_type = event_type
        self.wake = wake
        self._timer = timer
        self._waiters = waiters

    def cancel(self) -> None:
        self._timer.cancel()
        if self in self._waiters:
            self._waiters.remove(self)
