"""An instance in memory: a journal, the state folded from it, and at most one run over it."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine, Mapping, Set
from functools import partial
from typing import Any, ClassVar, TypeVar

from cfworkflows.errors import ErrorRecord, SerializationError, WorkflowError
from cfworkflows.event import WorkflowEvent
from cfworkflows.step import StepCall
from cfworkflows_emulator.actors import Operation, Residents
from cfworkflows_emulator.engine import narration
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.divergence.comparison import Comparison
from cfworkflows_emulator.engine.journal import sizes
from cfworkflows_emulator.engine.journal.diagnosis import Diagnosis
from cfworkflows_emulator.engine.journal.entries import TERMINAL, Entry, EntryType
from cfworkflows_emulator.engine.journal.state import InstanceState, Status
from cfworkflows_emulator.engine.journal.store import InstanceRow
from cfworkflows_emulator.engine.outcome import encoded_output, record_of
from cfworkflows_emulator.engine.probe import Intervention, Probe, missing_events
from cfworkflows_emulator.engine.retention import expiry
from cfworkflows_emulator.engine.run import rollback, step_do
from cfworkflows_emulator.engine.run.execution import Execution
from cfworkflows_emulator.engine.run.run import Run
from cfworkflows_emulator.engine.seat import Seat
from cfworkflows_emulator.engine.shared import Shared
from cfworkflows_emulator.engine.skip import Delay, chosen
from cfworkflows_emulator.tracebacks import printable_error

T = TypeVar("T")
log = logging.getLogger("cfworkflows.engine")


class Instance:
    """The actor. Its methods change the journal at once; `await durable()` before the change is visible outside."""

    runs_code: ClassVar[bool] = True

    def __init__(self, shared: Shared, definition: WorkflowDefinition, row: InstanceRow, state: InstanceState) -> None:
        self.shared = shared
        self.clock = shared.clock
        self.store = shared.store
        self.definition = definition
        self.key = row.key
        self.id = row.id
        self.state = state
        self.users = 0
        self._text = f"{definition.name}/{row.id}"
        self._is_heard = narration.is_heard()  # logging takes a while to say
        self.deleted = False
        self.wake_at = row.wake_at
        self.expires_at = row.expires_at
        self._seat = Seat(shared.admission, shared.clock, definition, row)
        self._indexed = (row.status, row.wake_at, row.position, row.expires_at)
        self._run: Execution | None = None
        self._outlived: Execution | None = None
        self._callbacks: set[asyncio.Task[Any]] = set()
        self._evictable = False
        self.is_suspect = False

    def __str__(self) -> str:
        return self._text

    @property
    def probe(self) -> Probe:
        return self.shared.probe

    @property
    def process_ends(self) -> bool:
        return self.shared.lifeline.is_cut

    def context(self) -> contextvars.Context:
        """Always the same: a replay knows nothing of the request that created the instance."""
        return self.shared.context.copy()

    @property
    def intervention(self) -> Intervention | None:
        """What a test asks for this instance."""
        return self.shared.probe.intervention(self.definition.name, self.id)

    @property
    def running(self) -> bool:
        """Whether a run of it is in memory: at work, parked, or over but for attempts that were not awaited."""
        return self._run is not None or self._outlived is not None

    @property
    def awaited(self) -> Set[asyncio.Task[Any]]:
        """Those of its callbacks that a run of it waits for."""
        return self._callbacks if self._run is not None else frozenset()

    @property
    def lingering(self) -> Set[Operation]:
        """The steps that continue although `run()` is over: they were not awaited."""
        return self._outlived.lingering if self._outlived is not None else frozenset()

    # The journal

    def append(self, type: EntryType, step: str | None = None, value: str | None = None, **data: Any) -> Entry:
        entry = Entry(self.state.last_seq + 1, self.clock.now(), str(type), step, data, value)
        self.state.apply(entry)
        self.store.append(self.key, entry)
        if self._is_heard:
            narration.appended(self, entry)
        if type == EntryType.ATTEMPT_ERRORED:
            self.store.streams.erase_attempt(self.key, str(step), data["attempt"])
        elif type in TERMINAL and self.state.open_attempts:
            self.store.streams.erase_unfinished(self.key)  # what they have given so far
        return entry

    async def durable(self) -> None:
        await self.store.flushed()

    def _index(self) -> None:
        """Write the row that lists, counts and timers read, if it changed.

        `waiting` is written only once all is parked: an instance that is at work is to be woken by the next process
        whatever its journal waits for.
        """
        status = self.state.visible_status if self.wake_at is not None else self.state.status
        wake_at = self.wake_at if status.wakes else None
        self.expires_at = expiry(self.definition, self.state) if self.state.ended_at is not None else None
        position = self._seat.position
        if (status, wake_at, position, self.expires_at) != self._indexed:
            self._indexed = (status, wake_at, position, self.expires_at)
            self.store.index(self.key, status, self.clock.now(), wake_at, position, self.expires_at)

    # Running

    def event(self) -> WorkflowEvent[Any]:
        """The event that `run()` receives. Raises PayloadValidationError if the params no longer fit their type."""
        return self.definition.event(self.id, self.state.creation)

    def start(self) -> None:
        """Run or wake it, unless it has ended, is paused, or runs already. Without a slot it is queued."""
        if self._run is not None:
            if self.state.status is Status.QUEUED:
                self._run.parking.leave_queue()
            return
        if self.deleted or self.state.status.finite or self.state.status is Status.PAUSED:
            return
        if self.state.status is Status.WAITING_FOR_PAUSE:  # the process died before the pause took effect
            self._pause_now()
            return
        if self.state.status is Status.ROLLING_BACK:
            self._begin(rollback.resumed(self))
            return
        step_do.interrupt(self.state.steps, self.append)
        if not self._has_slot():
            self._index()
            return
        self._seat.begins(self._freedom_over)
        if not self.state.started:
            self.append(EntryType.WORKFLOW_STARTED)
        if self.state.status is Status.QUEUED:
            self.append(EntryType.WORKFLOW_RUNNING)
        self._receive_mocked()
        narration.begins(self)
        self._begin(Run(self, Comparison.of(self.state, self.diagnose)))

    def wake(self) -> None:
        """Start it, unless it is early, in a crowd, and needs a slot: it asks for that when its time has come."""
        if self.definition.concurrency_limit is None or self.wake_at is None or self.wake_at <= self.clock.now():
            self.start()

    def _begin(self, run: Execution) -> None:
        self._run = run
        run.start(self.context())

    def _has_slot(self) -> bool:
        """Whether it may run. If it may not, it is in the queue now."""
        goes_on = self.state.status is Status.RUNNING
        if self._seat.take(ahead=goes_on):
            return True
        if goes_on:
            self.append(EntryType.WORKFLOW_QUEUED)
        return False

    def _freedom_over(self) -> None:
        """It runs, and needs a slot from now on."""
        if self._run is not None and self.state.status is Status.RUNNING:
            if not self._has_slot():
                self._run.close_gate()
            self._index()

    def complete(self, output: Any) -> None:
        """`run()` returned."""
        try:
            value = encoded_output(output)
        except SerializationError as error:
            self._fail(error.with_traceback(None))  # it has no lines but ours
            return
        self.append(EntryType.WORKFLOW_COMPLETED, value=value)
        self.store.once_written(partial(log.info, "%s complete", self))
        self._end_run(keep_callbacks=True)

    def fail(self, error: BaseException, *, undo: bool = True) -> None:
        """`run()` raised: undo its steps, if any is to be undone, and end. Attempts that are under way go on."""
        if undo and rollback.steps_to_undo(self.state):
            log.error("%s failed, its steps are undone", self, exc_info=printable_error(error))
            self._roll_back(record_of(error), Status.ERRORED)
        else:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self.append(EntryType.WORKFLOW_ERRORED, error=record_of(error).as_dict())
        self.store.once_written(partial(log.error, "%s errored", self, exc_info=printable_error(error)))
        self._end_run(keep_callbacks=True)

    def _roll_back(self, cause: ErrorRecord, ending: Status, **terminated: str) -> None:
        handlers = self._run.handlers if self._run is not None else {}
        self._end_code(lingers=ending is Status.ERRORED)
        self._seat.end()
        rollback.note(self, cause, ending, **terminated)
        self.undo(handlers)

    def undo(self, handlers: Mapping[str, StepCall]) -> None:
        """Undo its steps, now that its journal says so. Those in `handlers` have been called, and need not be found."""
        self._begin(rollback.Rollback(self, handlers))

    def rolled_back(self) -> None:
        """The rollback is over, whatever its outcome."""
        rollback.end(self)
        self._end_run(keep_callbacks=True)

    def _end_run(self, *, keep_callbacks: bool = False) -> None:
        self._end_code(lingers=keep_callbacks)
        if self.state.status is not Status.QUEUED:
            self._seat.end()
        self._index()
        if self.state.status.finite:
            self.shared.rested(self.key)
        self.shared.unload(self)

    def _end_code(self, *, lingers: bool) -> None:
        """End the run; if it `lingers`, but for the attempts that it did not wait for."""
        if not lingers:
            self.stop()
            return
        run, self._run = self._run, None
        self._stop_eviction()
        if run is not None:
            run.close(lingers=True)
            self._outlived = run if run.lingering else self._outlived
        self._seat.stop()

    def attempt_outlived(self) -> None:
        """An attempt has ended that `run()` did not wait for."""
        if self._outlived is not None and not self._outlived.lingering:
            self._outlived = None
            self.shared.unload(self)

    def stop(self) -> None:
        """Take it out of memory as it stands; the journal has all that is needed to continue."""
        runs = (self._run, self._outlived)
        self._run = self._outlived = None
        self._stop_eviction()
        self._seat.stop()
        for run in runs:
            if run is not None:
                run.close()

    def abandoned(self, error: BaseException) -> bool:
        """Whether `error`, of the workflow's own code, ends it here and now, as it stands."""
        if not self.shared.probe.abandons(self.definition.name, self.id, error):
            return False
        self.stop()
        return True

    def hold_back(self) -> None:
        """Let nothing new start: the process is about to stop."""
        if self._run is not None:
            self._run.close_gate()

    # What a run asks for

    def suspect(self, *, raced: bool = False) -> None:
        """Have a replay show whether its code does the same again: when it rests or, if it `raced`, at once."""
        self.is_suspect = True
        if raced:
            self.shared.raced(self.key)

    def spawn(self, work: Coroutine[Any, Any, T], name: str, context: contextvars.Context) -> asyncio.Task[T]:
        """Start a callback of the user's."""
        task = self.shared.callbacks.start(work, f"{name} in {self}", context, self._callback_ended)
        self._callbacks.add(task)
        return task

    def _callback_ended(self, task: asyncio.Task[Any]) -> None:
        self._callbacks.discard(task)
        if self._evictable:
            self.evict()

    def late(self, callback: asyncio.Task[Any]) -> None:
        """A callback continues although it has timed out."""
        self.shared.callbacks.timed_out(callback)

    def in_thread(self, function: Callable[..., T], *arguments: Any) -> Coroutine[Any, Any, T]:
        return self.shared.callbacks.in_thread(function, *arguments)

    def attempt_ended(self) -> None:
        if self.state.status is Status.WAITING_FOR_PAUSE and not self.state.open_attempts:
            self._pause_now()

    def parked(self, until: float) -> None:
        """Everything that was started waits now, and the first of it until `until`, in ms."""
        self.wake_at = -int(-until // 1)
        self._index()
        self.shared.rested(self.key)
        self._seat.rest()
        self.shared.eviction.parked(self, until)

    def woken(self) -> bool:
        """Something that waited continues: at once, or, if this is False, when there is a slot for it."""
        self.wake_at = None
        admitted = self.state.status not in (Status.RUNNING, Status.QUEUED) or self._has_slot()
        if admitted:
            self._stop_eviction()
            self._seat.begins(self._freedom_over)
        if self._run is not None and not admitted:
            self._run.close_gate()
        elif self._run is not None and self.state.status is Status.QUEUED:
            self.append(EntryType.WORKFLOW_RUNNING)
            self._run.open_gate()
        self._index()
        return admitted

    def diagnose(self, diagnosis: Diagnosis) -> None:
        """Record, once and for all, that a replay does not do what the journal says."""
        self.append(EntryType.REPLAY_DIVERGED, **diagnosis.as_dict())
        log.warning("%s: %s", self, diagnosis)

    def _stop_eviction(self) -> None:
        self._evictable = False
        self.shared.eviction.goes_on(self)

    def evict(self) -> None:
        """Leave memory; as soon as a callback that has timed out, and still runs, has ended."""
        self._evictable = True
        if self._callbacks or (self._run is not None and not self._run.evicted()):
            return  # callbacks that are left timed out, and continue
        narration.left(self)
        self._end_run()

    # Lifecycle

    def send_event(self, event_type: str, value: str) -> None:
        """Hand an event over to the oldest wait for its type, or keep it for the next one."""
        if self.state.status.finite or self.state.status is Status.ROLLING_BACK:
            raise WorkflowError(
                f"Cannot send an event to instance {self.id}: it is {self.state.status}", code="instance.not_running"
            )
        if self.state.stored_bytes + len(value) > sizes.MAX_STATE_BYTES:
            what = f"the payload of the event has {sizes.shown_size(len(value))} more"
            raise WorkflowError(sizes.no_room(self.state.stored_bytes, what), code="instance.storage_exceeded")
        self.append(EntryType.EVENT_RECEIVED, value=value, eventType=event_type)
        self._hand_over_events(event_type)

    def receive_mocked(self) -> None:
        """Take in the mocked events that it has not got, unless it has ended."""
        if not self.state.status.finite and self.state.started:
            self._receive_mocked()
            self._hand_over_events()

    def _receive_mocked(self) -> None:
        if (intervention := self.intervention) is not None and intervention.events:
            for index, event in missing_events(intervention, self.state.received()):
                self.append(EntryType.EVENT_RECEIVED, value=event.value, eventType=event.event_type, mock=index)

    def _hand_over_events(self, event_type: str | None = None) -> None:
        if self._run is not None:
            self._run.parking.hand_over_events(event_type)
        self.changed()

    def skip(self, step: str | None, kind: str | None) -> Delay:
        """End a sleep, a retry delay or a wait now, as if its time had come. Raises WorkflowError: see `chosen`."""
        delay = chosen(self.state, step, kind)
        self.append(EntryType.DELAY_SKIPPED, delay.step, kind=delay.kind)
        if self._run is not None:
            self._run.parking.look_again()
        self.changed()
        return delay

    def changed(self) -> None:
        """A request is in the journal: it continues, if it can now, and its row says so."""
        self.start()
        self._index()

    def pause(self) -> None:
        """Pause it: at once, or when the attempts that run have ended. Nothing new starts meanwhile, it has no slot."""
        if self.state.status not in (Status.RUNNING, Status.QUEUED):
            return
        self.append(EntryType.WORKFLOW_WAITING_FOR_PAUSE)
        if self._run is not None:
            self._run.close_gate()
        if self._run is not None and self.state.open_attempts:
            self._index()
        else:
            self._pause_now()

    def _pause_now(self) -> None:
        self.append(EntryType.WORKFLOW_PAUSED)
        self._end_run()

    def resume(self) -> None:
        """Continue. What was left of sleeps, waits and retry delays when it was paused is still to be waited for."""
        if self.state.status is Status.WAITING_FOR_PAUSE:
            self.append(EntryType.WORKFLOW_RUNNING)
            if self._run is not None:
                self._run.open_gate()
        elif self.state.status is Status.PAUSED:
            goes_on = self.state.started and self._seat.take(ahead=False)
            self.append(EntryType.WORKFLOW_RUNNING if goes_on else EntryType.WORKFLOW_QUEUED)
        self.changed()

    def terminate(self, *, roll_back: bool = False, trigger: str = "binding") -> None:
        """End it now, or undo its steps first. During a rollback it can only be ended, as it is.

        `trigger` is what asks for it, as the REST API names it. Raises WorkflowError if it has ended already.
        """
        if self.state.status.finite:
            raise WorkflowError(
                "Cannot terminate instance since its on a finite state", code="instance.cannot_terminate"
            )
        if self.state.status is Status.ROLLING_BACK:
            rollback.abandon(self, again=roll_back)
        elif roll_back and rollback.steps_to_undo(self.state):
            self._roll_back(rollback.TERMINATED, Status.TERMINATED, trigger=trigger)
            return
        self.append(EntryType.WORKFLOW_TERMINATED, trigger=trigger)
        self._end_run()

    def delete(self) -> None:
        """Stop it where it is: nothing of it reaches the journal any more. What is stored is the caller's to remove."""
        self.deleted = True
        self.stop()

    def rewind_to(self, state: InstanceState) -> None:
        """Have another state from now on, as it is stored. Nothing of it may run."""
        self.wake_at = None
        self.state = state


Instances = Residents[int, Instance]  # those that are in memory, by key
