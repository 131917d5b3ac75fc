"""The state of an instance: a fold of its journal. No I/O, no clock; what is not in the journal is not known."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cfworkflows.errors import ErrorRecord, name_of, text_of
from cfworkflows_emulator.engine.journal.diagnosis import Diagnosis
from cfworkflows_emulator.engine.journal.entries import Entry, EntryType, StepKey
from cfworkflows_emulator.engine.journal.mailbox import Mailbox
from cfworkflows_emulator.engine.journal.rewind import is_damaged_before
from cfworkflows_emulator.engine.journal.sizes import bytes_of
from cfworkflows_emulator.engine.journal.streams import StoredStream
from cfworkflows_emulator.engine.journal.verbs import SleepState, StepState, Verb, WaitState
from cfworkflows_emulator.storage.folder import DATABASE

__all__ = ["InstanceState", "RollbackState", "SleepState", "Status", "StepState", "Verb", "WaitState"]


class Status(StrEnum):
    """The platform's statuses of an instance."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    WAITING_FOR_PAUSE = "waitingForPause"
    PAUSED = "paused"
    ROLLING_BACK = "rollingBack"
    COMPLETE = "complete"
    ERRORED = "errored"
    TERMINATED = "terminated"

    @property
    def finite(self) -> bool:
        """Whether the instance has ended."""
        return self in (Status.COMPLETE, Status.ERRORED, Status.TERMINATED)

    @property
    def wakes(self) -> bool:
        """Whether the instance may be out of memory until a time comes."""
        return self in (Status.WAITING, Status.ROLLING_BACK)


@dataclass(slots=True)
class RollbackState:
    """The undoing of an instance's steps: what set it off, and how the instance ends afterwards.

    `steps` are those that are undone so far, in that order. `outcome` is `complete` or `failed`, None until it is over;
    `failure` is what a handler failed with. `trigger` is what asked for it, where that is known.
    """

    cause: ErrorRecord
    ending: Status
    trigger: str | None = None
    steps: dict[str, StepState] = field(default_factory=dict)
    outcome: str | None = None
    failure: ErrorRecord | None = None


@dataclass(slots=True)
class InstanceState:
    """What the journal says of an instance so far. `stored_bytes` is how much of it is the user's, streams included;
    `abandoned` are the steps that `run()` cancelled while they were under way.
    """

    status: Status = Status.QUEUED
    last_seq: int = 0
    queued: Entry | None = None
    started: bool = False
    paused_at: int | None = None
    ended_at: int | None = None
    output: str | None = None
    error: ErrorRecord | None = None
    steps: dict[str, StepState] = field(default_factory=dict)
    sleeps: dict[str, SleepState] = field(default_factory=dict)
    waits: dict[str, WaitState] = field(default_factory=dict)
    mailbox: Mailbox = field(default_factory=Mailbox)
    open_attempts: int = 0
    rollback: RollbackState | None = None
    diagnoses: list[Diagnosis] = field(default_factory=list)
    abandoned: set[StepKey] = field(default_factory=set)
    stored_bytes: int = 0
    unreadable_from: int | None = None

    @classmethod
    def read(cls, entries: Sequence[Entry], *, whole: bool = True) -> "InstanceState":
        """Like `fold`, of a journal that may not be as an engine writes it: damaged, or of a newer version.

        The instance counts as errored from the entry on that cannot be read, `unreadable_from`. Nothing says so in its
        journal: whoever can read that finds it as it was. If it is `whole`, only a restart has left gaps in it.
        """
        state = cls()
        for entry in entries:
            try:
                if whole and entry.seq != state.last_seq + 1 and is_damaged_before(entry, entries):
                    raise LookupError(f"entry {state.last_seq + 1} is missing")
                state.apply(entry)
            except Exception as error:  # noqa: BLE001 - whatever is missing, or of another kind than it should be
                state._give_up(entry, entries[-1].seq, f"{name_of(type(error))}: {text_of(error)}")
                break
        return state

    @classmethod
    def fold(cls, entries: Iterable[Entry]) -> "InstanceState":
        state = cls()
        for entry in entries:
            state.apply(entry)
        return state

    def apply(self, entry: Entry) -> None:
        """Take one more entry of the journal into account. Raises KeyError for a type that is not known."""
        _APPLY[entry.type](self, entry)
        self.last_seq = entry.seq
        self.stored_bytes += bytes_of(entry)

    def _give_up(self, entry: Entry, last_seq: int, why: str) -> None:
        step = f" {entry.step}" if entry.step is not None else ""
        self.status = Status.ERRORED
        self.ended_at = entry.time
        self.error = ErrorRecord(
            "WorkflowInternalError",
            f"The journal of the instance in {DATABASE} cannot be read from entry {entry.seq} ({entry.type}{step}) on: "
            f"{why}. It is damaged, or written by a newer version: update cfworkflows, or delete the instance.",
        )
        self.unreadable_from, self.last_seq = entry.seq, last_seq

    @property
    def visible_status(self) -> Status:
        """The status as the platform shows it: `waiting` while there is nothing but sleeps, waits and retry delays."""
        if self.status is Status.RUNNING and not self.open_attempts and self.next_deadline() is not None:
            return Status.WAITING
        return self.status

    @property
    def creation(self) -> Entry:
        """The entry that the instance was created with. Raises ValueError if the journal does not begin with it."""
        if self.queued is None:
            raise ValueError("The journal does not begin with workflow_queued.")
        return self.queued

    def next_deadline(self) -> float | None:
        """The earliest time, in ms, at which a sleep, a wait or a retry delay ends by itself."""
        times = [sleep.until for sleep in self.sleeps.values() if not sleep.done]
        times += [wait.until for wait in self.waits.values() if not wait.done]
        times += [step.retry_at for step in self.steps.values() if step.retry_at is not None]
        return min(times, default=None)

    def verbs(self, kind: str) -> Mapping[str, Verb]:
        """The steps of a kind: do, sleep or wait."""
        match kind:
            case "do":
                return self.steps
            case "sleep":
                return self.sleeps
            case "wait":
                return self.waits
        raise KeyError(kind)

    @property
    def events(self) -> list[Entry]:
        """The events that no wait has got yet, the oldest first."""
        return self.mailbox.events

    def received(self) -> list[Entry]:
        """All events, those that a wait got and those that are buffered."""
        return [wait.event for wait in self.waits.values() if wait.event is not None] + self.events

    def event_for(self, step: str, passed_over: Container[str] = ()) -> Entry | None:
        """The buffered event that the wait `step` gets; see `Mailbox.claims`."""
        return self.mailbox.claims(self.waits[step].event_type, passed_over).get(step)

    def _queued(self, entry: Entry) -> None:
        if self.queued is None:
            self.queued = entry
            return
        self.status = Status.QUEUED  # again: it woke, or was resumed, and all slots were taken
        self._resumed(entry)

    def _started(self, entry: Entry) -> None:
        self.started = True

    def _running(self, entry: Entry) -> None:
        self.status = Status.RUNNING
        self._resumed(entry)

    def _resumed(self, entry: Entry) -> None:
        if self.paused_at is not None:
            self._shift(entry.time - self.paused_at)
            self.paused_at = None

    def _shift(self, pause_ms: int) -> None:
        for sleep in self.sleeps.values():
            if not sleep.done and not sleep.absolute:
                sleep.until += pause_ms
        for wait in self.waits.values():
            if not wait.done:
                wait.until += pause_ms
        for step in self.steps.values():
            if step.retry_at is not None:
                step.retry_at += pause_ms

    def _restarted(self, entry: Entry) -> None:
        # Entries that no longer count were erased with it, so there is nothing else to undo.
        self.status = Status.QUEUED

    def _waiting_for_pause(self, entry: Entry) -> None:
        self.status = Status.WAITING_FOR_PAUSE

    def _paused(self, entry: Entry) -> None:
        self.status = Status.PAUSED
        self.paused_at = entry.time

    def _completed(self, entry: Entry) -> None:
        self.status = Status.COMPLETE
        self.ended_at = entry.time
        self.output = entry.value

    def _errored(self, entry: Entry) -> None:
        self.status = Status.ERRORED
        self.ended_at = entry.time
        self.error = ErrorRecord(**entry.data["error"])

    def _terminated(self, entry: Entry) -> None:
        self.status = Status.TERMINATED
        self.ended_at = entry.time

    def _step_started(self, entry: Entry) -> None:
        step = self.steps[_name(entry)] = StepState(entry.data["config"], entry.data.get("rollback"))
        step.begin(entry)

    def _attempt_started(self, entry: Entry) -> None:
        self.steps[_name(entry)].attempt_started(entry)
        self.open_attempts += 1

    def _attempt_ended(self, entry: Entry) -> None:
        self.steps[_name(entry)].attempt_ended(entry)
        self.open_attempts -= 1

    def _step_completed(self, entry: Entry) -> None:
        step = self.steps[_name(entry)]
        step.end(entry)
        step.value = entry.value
        step.stream = StoredStream.of(entry.seq, entry.data)

    def _step_errored(self, entry: Entry) -> None:
        self.steps[_name(entry)].fail(entry)

    def _sleep_started(self, entry: Entry) -> None:
        data = entry.data
        sleep = self.sleeps[_name(entry)] = SleepState(data["durationMs"], data["until"], data.get("absolute", False))
        sleep.begin(entry)

    def _sleep_completed(self, entry: Entry) -> None:
        self.sleeps[_name(entry)].end(entry)

    def _wait_started(self, entry: Entry) -> None:
        data = entry.data
        wait = self.waits[_name(entry)] = WaitState(data["eventType"], data["until"], data["timeoutMs"])
        wait.begin(entry)
        self.mailbox.open(_name(entry), wait)

    def _wait_completed(self, entry: Entry) -> None:
        wait = self._end_wait(entry)
        wait.event = self.mailbox.take(wait, entry.data["event"])

    def _wait_timed_out(self, entry: Entry) -> None:
        self._end_wait(entry).timed_out = True

    def _end_wait(self, entry: Entry) -> WaitState:
        wait = self.waits[_name(entry)]
        wait.end(entry)
        self.mailbox.close(_name(entry), wait)
        return wait

    def _event_received(self, entry: Entry) -> None:
        self.mailbox.receive(entry)

    def _delay_skipped(self, entry: Entry) -> None:
        step = _name(entry)
        # The end of a pause moves the times that are left by how long it was.
        now = entry.time if self.paused_at is None else self.paused_at
        match entry.data["kind"]:
            case "sleep":
                self.sleeps[step].until = now
            case "wait":
                self.waits[step].until = now
            case "do":
                self.steps[step].retry_at = now
            case _:
                _rollback(self, entry).steps[step].retry_at = now

    def _step_abandoned(self, entry: Entry) -> None:
        self.abandoned.add((entry.data["kind"], _name(entry)))

    def _replay_diverged(self, entry: Entry) -> None:
        self.diagnoses.append(Diagnosis.from_dict(entry.data))

    def _rollback_started(self, entry: Entry) -> None:
        self.status = Status.ROLLING_BACK
        data = entry.data
        self.rollback = RollbackState(ErrorRecord(**data["error"]), Status(data["ending"]), data.get("trigger"))

    def _rollback_step_started(self, entry: Entry) -> None:
        step = _rollback(self, entry).steps[_name(entry)] = StepState(entry.data["config"])
        step.begin(entry)

    def _rollback_attempt_started(self, entry: Entry) -> None:
        _rollback(self, entry).steps[_name(entry)].attempt_started(entry)

    def _rollback_attempt_ended(self, entry: Entry) -> None:
        _rollback(self, entry).steps[_name(entry)].attempt_ended(entry)

    def _rollback_step_completed(self, entry: Entry) -> None:
        _rollback(self, entry).steps[_name(entry)].end(entry)

    def _rollback_step_errored(self, entry: Entry) -> None:
        _rollback(self, entry).steps[_name(entry)].fail(entry)

    def _rollback_completed(self, entry: Entry) -> None:
        _rollback(self, entry).outcome = "complete"

    def _rollback_errored(self, entry: Entry) -> None:
        rollback = _rollback(self, entry)
        rollback.outcome, rollback.failure = "failed", ErrorRecord(**entry.data["error"])


def _name(entry: Entry) -> str:
    if entry.step is None:
        raise ValueError(f"Journal entry {entry.seq} ({entry.type}) names no step.")
    return entry.step


def _rollback(state: InstanceState, entry: Entry) -> RollbackState:
    if state.rollback is None:
        raise ValueError(f"Journal entry {entry.seq} ({entry.type}) comes before rollback_started.")
    return state.rollback


_APPLY: dict[str, Callable[[InstanceState, Entry], None]] = {
    EntryType.WORKFLOW_QUEUED: InstanceState._queued,
    EntryType.WORKFLOW_STARTED: InstanceState._started,
    EntryType.WORKFLOW_RUNNING: InstanceState._running,
    EntryType.WORKFLOW_RESTARTED: InstanceState._restarted,
    EntryType.WORKFLOW_WAITING_FOR_PAUSE: InstanceState._waiting_for_pause,
    EntryType.WORKFLOW_PAUSED: InstanceState._paused,
    EntryType.WORKFLOW_COMPLETED: InstanceState._completed,
    EntryType.WORKFLOW_ERRORED: InstanceState._errored,
    EntryType.WORKFLOW_TERMINATED: InstanceState._terminated,
    EntryType.STEP_STARTED: InstanceState._step_started,
    EntryType.ATTEMPT_STARTED: InstanceState._attempt_started,
    EntryType.ATTEMPT_COMPLETED: InstanceState._attempt_ended,
    EntryType.ATTEMPT_ERRORED: InstanceState._attempt_ended,
    EntryType.STEP_COMPLETED: InstanceState._step_completed,
    EntryType.STEP_ERRORED: InstanceState._step_errored,
    EntryType.SLEEP_STARTED: InstanceState._sleep_started,
    EntryType.SLEEP_COMPLETED: InstanceState._sleep_completed,
    EntryType.WAIT_STARTED: InstanceState._wait_started,
    EntryType.WAIT_COMPLETED: InstanceState._wait_completed,
    EntryType.WAIT_TIMED_OUT: InstanceState._wait_timed_out,
    EntryType.EVENT_RECEIVED: InstanceState._event_received,
    EntryType.DELAY_SKIPPED: InstanceState._delay_skipped,
    EntryType.STEP_ABANDONED: InstanceState._step_abandoned,
    EntryType.REPLAY_DIVERGED: InstanceState._replay_diverged,
    EntryType.ROLLBACK_STARTED: InstanceState._rollback_started,
    EntryType.ROLLBACK_STEP_STARTED: InstanceState._rollback_step_started,
    EntryType.ROLLBACK_ATTEMPT_STARTED: InstanceState._rollback_attempt_started,
    EntryType.ROLLBACK_ATTEMPT_COMPLETED: InstanceState._rollback_attempt_ended,
    EntryType.ROLLBACK_ATTEMPT_ERRORED: InstanceState._rollback_attempt_ended,
    EntryType.ROLLBACK_STEP_COMPLETED: InstanceState._rollback_step_completed,
    EntryType.ROLLBACK_STEP_ERRORED: InstanceState._rollback_step_errored,
    EntryType.ROLLBACK_COMPLETED: InstanceState._rollback_completed,
    EntryType.ROLLBACK_ERRORED: InstanceState._rollback_errored,
}
