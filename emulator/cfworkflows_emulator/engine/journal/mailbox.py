"""The events of an instance that no wait has got yet, and the waits that may get them. No I/O, no clock."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Protocol

from cfworkflows_emulator.engine.journal.entries import Entry


class OpenWait(Protocol):
    """A wait for an event of one type, until a time in ms."""

    event_type: str
    until: float


@dataclass(slots=True)
class Mailbox:
    """Both are kept by the type of the events: an event concerns the waits for its type alone, however many others
    there are.
    """

    _events: dict[str, dict[int, Entry]] = field(default_factory=dict)
    _waits: dict[str, dict[str, OpenWait]] = field(default_factory=dict)

    @property
    def types(self) -> list[str]:
        """The types of the events that are there, or were."""
        return list(self._events)

    @property
    def events(self) -> list[Entry]:
        """All events that are there, the oldest first."""
        return sorted((event for events in self._events.values() for event in events.values()), key=_by_seq)

    def receive(self, event: Entry) -> None:
        self._events.setdefault(event.data["eventType"], {})[event.seq] = event

    def open(self, step: str, wait: OpenWait) -> None:
        """A wait begins."""
        self._waits.setdefault(wait.event_type, {})[step] = wait

    def close(self, step: str, wait: OpenWait) -> None:
        """A wait is over. Raises KeyError if it is not open."""
        del self._waits[wait.event_type][step]

    def take(self, wait: OpenWait, seq: int) -> Entry:
        """Take out the event that a wait got. Raises KeyError if it is not there."""
        return self._events[wait.event_type].pop(seq)

    def claims(self, event_type: str, passed_over: Container[str] = ()) -> dict[str, Entry]:
        """Which wait gets which event of a type: each event goes to the oldest wait that has none yet.

        An event that arrived after a wait timed out is not for that wait. Waits in `passed_over` get nothing.
        """
        claims: dict[str, Entry] = {}
        events = list(self._events.get(event_type, {}).values())
        for step, wait in self._waits.get(event_type, {}).items():
            if not events:
                break
            if step in passed_over:
                continue
            found = next((index for index, event in enumerate(events) if event.time <= wait.until), None)
            if found is not None:
                claims[step] = events.pop(found)
        return claims


def _by_seq(event: Entry) -> int:
    return event.seq
