"""Actors that only wait leave memory after a grace period, or sooner if there are many of them."""

from typing import Any

from cfworkflows_emulator.actors.actor import Actor
from cfworkflows_emulator.clock import Clock, TimerHandle

MOST_PARKED = 1_000
"""So many actors may wait in memory, beside those that continue within the grace period anyway."""


class Eviction:
    """The actors that are parked, in the order in which they parked: the first of them leaves first.

    `grace_ms` is how long they stay; None for ever.
    """

    def __init__(self, clock: Clock, grace_ms: float | None) -> None:
        self.grace_ms = grace_ms
        self._clock = clock
        self._parked: dict[Actor[Any], float] = {}
        self._timer: TimerHandle | None = None
        self._due: float | None = None

    def parked(self, actor: Actor[Any], until: float) -> None:
        """An actor waits now, until `until` in ms."""
        if self.grace_ms is None or actor in self._parked:
            return
        now = self._clock.now()
        if until < now + self.grace_ms:
            return  # it continues before it would leave
        self._parked[actor] = now + self.grace_ms
        if len(self._parked) > MOST_PARKED:
            self._leave(next(iter(self._parked)))
        self._arm()

    def goes_on(self, actor: Actor[Any]) -> None:
        """It waits no longer, or is not in memory any more."""
        when = self._parked.pop(actor, None)
        if when is not None and when == self._due:
            self._arm()

    def _arm(self) -> None:
        """Set the timer to the time of the first, if that has changed."""
        due = next(iter(self._parked.values()), None)
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = self._clock.call_at(due, self._fire) if due is not None else None

    def _fire(self) -> None:
        self._timer = self._due = None
        now = self._clock.now()
        while self._parked and next(iter(self._parked.values())) <= now:
            self._leave(next(iter(self._parked)))
        self._arm()

    def _leave(self, actor: Actor[Any]) -> None:
        del self._parked[actor]
        actor.evict()
