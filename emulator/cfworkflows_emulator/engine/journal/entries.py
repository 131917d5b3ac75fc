"""The entries of a journal: all types, and what is known of each, in one table."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

StepKind = Literal["do", "sleep", "wait"]
StepKey = tuple[StepKind, str]
"""The kind of a step and its `name-count`: what it is known by."""


class Entry(NamedTuple):
    """One line of an instance's journal.

    `time` is in ms since the epoch. `step` is `name-count` for the entries of a step. `data` is plain JSON; `value`
    is a user's value as the codec encoded it: params, a result, a payload.
    """

    seq: int
    time: int
    type: str
    step: str | None = None
    data: Mapping[str, Any] = MappingProxyType({})
    value: str | None = None


class EntryType(StrEnum):
    """What an entry says. The names are the platform's, where `subscribe` shows the entry."""

    WORKFLOW_QUEUED = "workflow_queued"
    WORKFLOW_STARTED = "workflow_started"
    WORKFLOW_RUNNING = "workflow_running"
    WORKFLOW_RESTARTED = "workflow_restarted"
    WORKFLOW_WAITING_FOR_PAUSE = "workflow_waiting_for_pause"
    WORKFLOW_PAUSED = "workflow_paused"
    WORKFLOW_COMPLETED = "workflow_completed"
    WORKFLOW_ERRORED = "workflow_errored"
    WORKFLOW_TERMINATED = "workflow_terminated"
    STEP_STARTED = "step_started"
    STEP_COMPLETED = "step_completed"
    STEP_ERRORED = "step_errored"
    ATTEMPT_STARTED = "attempt_started"
    ATTEMPT_COMPLETED = "attempt_completed"
    ATTEMPT_ERRORED = "attempt_errored"
    SLEEP_STARTED = "sleep_started"
    SLEEP_COMPLETED = "sleep_completed"
    WAIT_STARTED = "wait_started"
    WAIT_COMPLETED = "wait_completed"
    WAIT_TIMED_OUT = "wait_timed_out"
    EVENT_RECEIVED = "event_received"
    DELAY_SKIPPED = "delay_skipped"
    STEP_ABANDONED = "step_abandoned"
    REPLAY_DIVERGED = "replay_diverged"
    ROLLBACK_STARTED = "rollback_started"
    ROLLBACK_COMPLETED = "rollback_completed"
    ROLLBACK_ERRORED = "rollback_errored"
    ROLLBACK_STEP_STARTED = "rollback_step_started"
    ROLLBACK_STEP_COMPLETED = "rollback_step_completed"
    ROLLBACK_STEP_ERRORED = "rollback_step_errored"
    ROLLBACK_ATTEMPT_STARTED = "rollback_attempt_started"
    ROLLBACK_ATTEMPT_COMPLETED = "rollback_attempt_completed"
    ROLLBACK_ATTEMPT_ERRORED = "rollback_attempt_errored"


# The data of the entries, as the JSON in the database has it. Times and durations are in ms.


class ErrorData(TypedDict):
    """An ErrorRecord."""

    name: str
    message: str
    traceback: NotRequired[str | None]


class RetriesData(TypedDict):
    """`delay` is a duration, or `[dynamic]` if a function gives it."""

    limit: int
    delay: str | float
    backoff: Literal["constant", "linear", "exponential"]


class ConfigData(TypedDict):
    """A ResolvedConfig. `timeout` is a duration."""

    retries: RetriesData
    timeout: str | float
    sensitive: NotRequired[Literal["output"]]


class ScheduleData(TypedDict):
    """The schedule that created an instance, and the time that it fired for."""

    cron: str
    scheduledTime: int


class RetentionData(TypedDict, total=False):
    """How long an instance is kept after its end, in either spelling."""

    successRetention: float
    errorRetention: float
    success_retention: float
    error_retention: float


class StreamData(TypedDict):
    """What a stream was stored as: by which attempt, in how many pieces, and its start as text."""

    attempt: int
    chunks: int
    bytes: int
    preview: NotRequired[str]


class CallData(TypedDict):
    """A Call of a Diagnosis."""

    kind: StepKind
    step: str
    at: NotRequired[str | None]


class ChangeData(TypedDict):
    """A Change of a Diagnosis."""

    call: CallData
    what: str
    before: str
    now: str
    at: NotRequired[str | None]


class Nothing(TypedDict):
    """No data: the type, the step and the value say everything."""


class Queued(TypedDict, total=False):
    """What the instance was created with; empty if it is queued again. `timestamp` is the event's."""

    timestamp: int
    trigger: str
    schedule: ScheduleData
    retention: RetentionData


class Terminated(TypedDict):
    """What asked for it: `api` or `binding`. Journals of older versions do not say."""

    trigger: NotRequired[str]


class Restarted(TypedDict):
    """The kind of the step that the instance restarts from."""

    kind: StepKind


class Failed(TypedDict):
    """An ErrorRecord as a dict. That of a step has its traceback in the entry of the attempt that failed last."""

    error: ErrorData


class Started(TypedDict):
    """What the first entry of every step has.

    `at` is the `file:line` of its call; `inside` the step in whose callback it was called. `heldBack` says that it was
    called while the instance was being paused. `branch` is the path of the task that called it, if that was not the one
    of `run()`; journals of older versions do not say.
    """

    at: NotRequired[str | None]
    inside: NotRequired[str]
    heldBack: NotRequired[Literal[True]]
    branch: NotRequired[str]


class StepStarted(Started):
    """The configuration of a step and, if it has a rollback handler, that of the handler."""

    config: ConfigData
    rollback: NotRequired[ConfigData]


class StepCompleted(TypedDict):
    """The value is the entry's; of a stream, this is what StreamTaken says of it."""

    stream: NotRequired[StreamData]


class SleepStarted(Started):
    """When a sleep ends; an `absolute` end is not moved by a pause."""

    durationMs: float
    until: float
    absolute: NotRequired[Literal[True]]


class WaitStarted(Started):
    """What a wait waits for, and until when."""

    eventType: str
    until: float
    timeoutMs: float


class WaitCompleted(TypedDict):
    """The `seq` of the event that it got."""

    event: int


class EventReceived(TypedDict):
    """`mock` is the index among the events of a test."""

    eventType: str
    mock: NotRequired[int]


class DelaySkipped(TypedDict):
    """What was skipped: a sleep, a wait, or the delay before the next attempt, also one of a rollback handler."""

    kind: StepKind | Literal["rollback"]


class Abandoned(TypedDict):
    """What `run()` cancelled, such as the loser of a race: it goes on all the same."""

    kind: StepKind


class Attempt(TypedDict):
    """Its number, from 1."""

    attempt: int


class AttemptErrored(Attempt):
    """What it raised, and in how many ms the next attempt follows; the last attempt has no delay."""

    error: ErrorData
    retryDelayMs: NotRequired[float]


class Diverged(TypedDict, total=False):
    """A Diagnosis as a dict."""

    missing: list[CallData]
    new: list[CallData]
    skipped: CallData
    late: CallData
    early: CallData
    changed: list[ChangeData]
    outcomes: list[str]
    mixed: list[CallData]
    abandoned: list[CallData]


class RollbackStarted(Failed):
    """What set it off, and the status that the instance ends in afterwards; if it was terminated, by what."""

    ending: Literal["errored", "terminated"]
    trigger: NotRequired[str]


class UndoStarted(TypedDict):
    """The configuration of the handler."""

    config: ConfigData


class Kind(NamedTuple):
    """What is known of the entries of one type.

    `data` is the shape of their data. `step` is the kind of the step that they are about, None if it is the instance or
    a rollback. `event` names the data that are in the event of `subscribe`; None if there is no such event.
    `undoes` is the type of the entries that say the same of the step which is undone.
    """

    data: type
    event: tuple[str, ...] | None = None
    step: StepKind | None = None
    starts: bool = False
    ends: bool = False
    terminal: bool = False
    undoes: EntryType | None = None


_ERRORED = ("attempt", "retryDelayMs", "error")

ENTRIES: Mapping[str, Kind] = {
    EntryType.WORKFLOW_QUEUED: Kind(Queued, ()),
    EntryType.WORKFLOW_STARTED: Kind(Nothing, ()),
    EntryType.WORKFLOW_RUNNING: Kind(Nothing, ()),
    EntryType.WORKFLOW_RESTARTED: Kind(Restarted),
    EntryType.WORKFLOW_WAITING_FOR_PAUSE: Kind(Nothing, ()),
    EntryType.WORKFLOW_PAUSED: Kind(Nothing, ()),
    EntryType.WORKFLOW_COMPLETED: Kind(Nothing, (), terminal=True),
    EntryType.WORKFLOW_ERRORED: Kind(Failed, ("error",), terminal=True),
    EntryType.WORKFLOW_TERMINATED: Kind(Terminated, (), terminal=True),
    EntryType.STEP_STARTED: Kind(StepStarted, ("config",), "do", starts=True),
    EntryType.STEP_COMPLETED: Kind(StepCompleted, (), "do", ends=True),
    EntryType.STEP_ERRORED: Kind(Failed, (), "do", ends=True),
    EntryType.ATTEMPT_STARTED: Kind(Attempt, ("attempt",), "do"),
    EntryType.ATTEMPT_COMPLETED: Kind(Attempt, ("attempt",), "do"),
    EntryType.ATTEMPT_ERRORED: Kind(AttemptErrored, _ERRORED, "do"),
    EntryType.SLEEP_STARTED: Kind(SleepStarted, ("durationMs",), "sleep", starts=True),
    EntryType.SLEEP_COMPLETED: Kind(Nothing, (), "sleep", ends=True),
    EntryType.WAIT_STARTED: Kind(WaitStarted, ("eventType",), "wait", starts=True),
    EntryType.WAIT_COMPLETED: Kind(WaitCompleted, (), "wait", ends=True),
    EntryType.WAIT_TIMED_OUT: Kind(Nothing, (), "wait", ends=True),
    EntryType.EVENT_RECEIVED: Kind(EventReceived),
    EntryType.DELAY_SKIPPED: Kind(DelaySkipped),
    EntryType.STEP_ABANDONED: Kind(Abandoned),
    EntryType.REPLAY_DIVERGED: Kind(Diverged),
    EntryType.ROLLBACK_STARTED: Kind(RollbackStarted, ()),
    EntryType.ROLLBACK_COMPLETED: Kind(Nothing, ()),
    EntryType.ROLLBACK_ERRORED: Kind(Failed, ()),
    EntryType.ROLLBACK_STEP_STARTED: Kind(UndoStarted, ("config",), undoes=EntryType.STEP_STARTED),
    EntryType.ROLLBACK_STEP_COMPLETED: Kind(Nothing, (), undoes=EntryType.STEP_COMPLETED),
    EntryType.ROLLBACK_STEP_ERRORED: Kind(Failed, ("error",), undoes=EntryType.STEP_ERRORED),
    EntryType.ROLLBACK_ATTEMPT_STARTED: Kind(Attempt, ("attempt",), undoes=EntryType.ATTEMPT_STARTED),
    EntryType.ROLLBACK_ATTEMPT_COMPLETED: Kind(Attempt, ("attempt",), undoes=EntryType.ATTEMPT_COMPLETED),
    EntryType.ROLLBACK_ATTEMPT_ERRORED: Kind(AttemptErrored, _ERRORED, undoes=EntryType.ATTEMPT_ERRORED),
}

STARTS: Mapping[str, StepKind] = {
    type: kind.step for type, kind in ENTRIES.items() if kind.starts and kind.step is not None
}
"""The entries that a step begins with, each with the kind of the step."""

ENDS = frozenset(type for type, kind in ENTRIES.items() if kind.ends)
"""The entries that a step ends with."""

ATTEMPT_ENDS = frozenset({EntryType.ATTEMPT_COMPLETED, EntryType.ATTEMPT_ERRORED})
"""The entries that an attempt ends with."""

OF_ANY_KIND = frozenset({EntryType.DELAY_SKIPPED, EntryType.STEP_ABANDONED})
"""The entries about a step whose kind is in their data."""

TERMINAL = frozenset(type for type, kind in ENTRIES.items() if kind.terminal)
"""The entries that an instance ends with."""

UNDOING: Mapping[str, EntryType] = {
    kind.undoes: EntryType(type) for type, kind in ENTRIES.items() if kind.undoes is not None
}
"""What a rollback writes of the undoing of a step, by what the step itself writes."""

EVENT_TYPES = frozenset(type for type, kind in ENTRIES.items() if kind.event is not None) | {"workflow_waiting"}
"""The events of the platform. It has `workflow_waiting` too, which is in no journal: it follows from the rest."""
