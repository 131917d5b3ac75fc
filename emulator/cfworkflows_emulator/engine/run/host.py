"""What an execution asks of its instance, and what the verbs ask of the execution."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol, TypeVar

from cfworkflows.event import WorkflowEvent
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.journal.entries import Entry, EntryType, StepKind
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.engine.probe import Intervention, Probe

T = TypeVar("T")


class Journalled(Protocol):
    """What a replay needs: the journal of an instance, its `run()`, and the event that `run()` receives.

    `str()` names the instance to people. `key` is its number in the store.
    """

    @property
    def definition(self) -> WorkflowDefinition: ...

    @property
    def key(self) -> int: ...

    @property
    def state(self) -> InstanceState: ...

    @property
    def store(self) -> InstanceStore: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def process_ends(self) -> bool:
        """Whether the event loop is being torn down: the next process continues all that is cancelled now."""

    def event(self) -> WorkflowEvent[Any]:
        """The event that `run()` receives. Raises PayloadValidationError if the params no longer fit their type."""


class Host(Journalled, Protocol):
    """The instance that is executed. Each notification changes its journal at once."""

    @property
    def probe(self) -> Probe: ...

    @property
    def intervention(self) -> Intervention | None:
        """What a test asks for it."""

    def context(self) -> contextvars.Context:
        """The context in which its code runs: always the same, whatever made it run."""

    def append(self, type: EntryType, step: str | None = None, value: str | None = None, **data: Any) -> Entry: ...

    def complete(self, output: Any) -> None:
        """`run()` returned."""

    def fail(self, error: BaseException) -> None:
        """`run()` raised."""

    def rolled_back(self) -> None:
        """The rollback is over, whatever its outcome."""

    def abandoned(self, error: BaseException) -> bool:
        """Whether `error`, of the workflow's own code, ends it here and now, as it stands."""

    def stop(self) -> None:
        """Leave memory as it stands."""

    def parked(self, until: float) -> None:
        """Everything that was started waits now, and the first of it until `until`, in ms."""

    def woken(self) -> bool:
        """Something that waited continues: at once, or, if this is False, when there is a slot for it."""

    def attempt_ended(self) -> None: ...

    def suspect(self, *, raced: bool = False) -> None:
        """Time may have decided what the code does: when it rests, a replay is to show whether it does the same.

        It `raced`, if a step that the code cancelled before, as the loser of a race is, gives its result now.
        """

    def attempt_outlived(self) -> None:
        """An attempt has ended that `run()` did not wait for."""

    def spawn(self, work: Coroutine[Any, Any, T], name: str, context: contextvars.Context) -> asyncio.Task[T]:
        """Start a callback of the user's."""

    def late(self, callback: asyncio.Task[Any]) -> None:
        """A callback continues although it has timed out."""

    def in_thread(self, function: Callable[..., T], *arguments: Any) -> Coroutine[Any, Any, T]: ...


class Follower(Protocol):
    """Sees the calls that an execution makes over a journal which has steps in it."""

    def called(self, kind: StepKind, step: str, by_main_task: bool) -> "Follower | None":
        """`run()` calls a step. Returns the follower that sees the next call; None if there is nothing more to see."""

    def began(self, entry: Entry) -> None:
        """A step that the journal did not know begins with `entry`."""

    def parked(self) -> None: ...

    def evicted(self) -> None: ...

    def ended(self, *, failed: bool) -> None: ...


class VerbContext(Protocol):
    """What the verbs are made of. Once it is `closed`, every request ends with CancelledError.

    `noun` says in messages what a failed attempt was of.
    """

    noun: str
    closed: bool

    @property
    def host(self) -> Host: ...

    @property
    def state(self) -> InstanceState: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def store(self) -> InstanceStore: ...

    @property
    def intervention(self) -> Intervention | None:
        """What a test asks for the steps."""

    def append(self, type: EntryType, step: str | None = None, value: str | None = None, **data: Any) -> Entry:
        """Add an entry to the journal: it counts at once, and is durable after `durable()`."""

    def append_start(self, type: EntryType, step: str, **data: Any) -> Entry:
        """Like `append`, for the first entry of a verb."""

    async def durable(self) -> None:
        """Wait until everything appended so far is on disk. For verbs."""

    async def flushed(self) -> None:
        """Like `durable`, for what has a task."""

    async def admitted(self) -> None:
        """Wait until new work may start."""

    async def park(self, until: float, event_for: str | None = None) -> None:
        """Wait until `until`, in ms, or until there is an event for the wait `event_for`."""

    def event_for(self, step: str) -> Entry | None:
        """The buffered event that the wait `step` gets, if there is one."""

    def callback_of(self, step: str) -> AbstractContextManager[contextvars.Context]:
        """The context in which a callback of `step` runs."""

    def witness(self, phase: Literal["before", "after"], step: str, attempt: int) -> None:
        """Notify a test that a callback is about to start, or has ended."""

    def is_stopped(self) -> bool:
        """Whether what the code does no longer counts."""
