"""What a test asks for to happen to an instance in place of what its code says. A server has none."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from cfworkflows_emulator.storage import Entry

StandIn = Callable[..., Coroutine[Any, Any, Any]]
"""Called in place of a step's callback, with whatever arguments: what it gives or raises goes the way of the real."""


class MockedEvent(NamedTuple):
    """An event that is in the journal from the start. `value` is the encoded payload."""

    event_type: str
    value: str


class Intervention(Protocol):
    """For one instance. A `step` is `name-count`, the identity that its kind gives it."""

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


class Interventions(Protocol):
    """For all instances of an engine."""

    def created(self, workflow: str, id: str) -> None:
        """There is a new instance, which has not begun."""

    def of(self, workflow: str, id: str) -> Intervention | None:
        """What is asked for one, if anything is."""


def missing_events(intervention: Intervention, journalled: Iterable[Entry]) -> Sequence[tuple[int, MockedEvent]]:
    """Those of the mocked events that the journal does not have, or has no longer after a restart; with their index."""
    there = {entry.data.get("mock") for entry in journalled}
    return [(index, event) for index, event in enumerate(intervention.events) if index not in there]
