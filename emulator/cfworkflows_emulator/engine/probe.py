"""What a test hooks into an engine. A server has none of it."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from cfworkflows_emulator.engine.journal.entries import Entry

StandIn = Callable[..., Coroutine[Any, Any, Any]]
"""Called in place of a step's callback, with any arguments: what it returns or raises counts as the callback's."""


class MockedEvent(NamedTuple):
    """An event that is in the journal from the start. `value` is the encoded payload."""

    event_type: str
    value: str


class Intervention(Protocol):
    """What is to happen to one instance in place of what its code says. A `step` is `name-count`, its identity."""

    @property
    def events(self) -> Sequence[MockedEvent]: ...

    def stand_in(self, step: str, attempt: int) -> StandIn | None:
        """What attempt `attempt` (from 1) of a `step.do` calls; None for its callback."""

    def skips_sleep(self, step: str) -> bool:
        """Whether a sleep ends as it begins."""

    def skips_delay(self, step: str) -> bool:
        """Whether a failed attempt is repeated at once."""

    def times_out(self, step: str) -> bool:
        """Whether a wait for an event is over before it waits."""


class Moment(NamedTuple):
    """A callback is about to start (`phase` before), or has ended and its result is not stored yet (after).

    `instance` is the instance's number in the store, from 1. `step` is `name-count`, `attempt` counts from 1. With
    `undoes` the callback is the rollback handler of the step.
    """

    phase: Literal["before", "after"]
    workflow: str
    instance: int
    step: str
    attempt: int
    undoes: bool


class Probe(Protocol):
    """All that a test may hook into an engine. Its methods are called on the event loop."""

    def created(self, workflow: str, id: str) -> None:
        """A new instance was created, and has not begun."""

    def intervention(self, workflow: str, id: str) -> Intervention | None:
        """What is asked for an instance, if anything is."""

    def witness(self, moment: Moment) -> None:
        """A callback begins or has ended. This may `kill` the engine: then nothing that follows the moment happens."""

    def abandons(self, workflow: str, id: str, error: BaseException) -> bool:
        """Whether an error of a workflow's own code takes the instance out of memory as it stands.

        Then the error gets neither a retry nor an entry in the journal.
        """


class _NoProbe:
    def created(self, workflow: str, id: str) -> None:
        """Nothing is different for it."""

    def intervention(self, workflow: str, id: str) -> None:
        """Nothing is asked for."""

    def witness(self, moment: Moment) -> None:
        """There is nothing to do."""

    def abandons(self, workflow: str, id: str, error: BaseException) -> bool:
        return False  # every error is the workflow's to deal with


NO_PROBE: Probe = _NoProbe()
"""The probe of a server."""


def missing_events(intervention: Intervention, journalled: Iterable[Entry]) -> Sequence[tuple[int, MockedEvent]]:
    """Those of the mocked events that the journal does not have, or has no longer after a restart; with their index."""
    there = {entry.data.get("mock") for entry in journalled}
    return [(index, event) for index, event in enumerate(intervention.events) if index not in there]
