"""The times at which actors that are not in memory are due: the next ones in a heap, all of them in the database."""

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable

from cfworkflows_emulator.clock import Clock, TimerHandle

log = logging.getLogger("cfworkflows.engine")

IN_MEMORY = 1_000

CROWD = 200
"""Actors that are due at about the same time. So many are woken a while ahead, so that when their time comes they are
in memory, and have only to continue.
"""
AHEAD_MS = 5_000
LOOK_MS = 500

Read = Callable[[tuple[int, int], int], Awaitable[list[tuple[int, int]]]]


class Alarms:
    """Calls `wake(keys)` when actors are due, the earliest first. `read(after, limit)` returns the next `(when, key)`
    of all that were set before it is called.

    Some `IN_MEMORY` of them are held: all up to `_loaded_up_to`, a `(when, key)`. Those after it are found in the
    database when their time comes near. None means that there are none after it.

    A crowd is woken up to `ahead_ms` before it is due. An actor that must not be early is `set` again, as `punctual`.
    """

    def __init__(self, clock: Clock, read: Read, wake: Callable[[list[int]], None], ahead_ms: float = 0) -> None:
        self._clock = clock
        self._read = read
        self._wake = wake
        self._ahead_ms = ahead_ms
        self._looked_at = 0
        self._punctual: set[int] = set()
        self._heap: list[tuple[int, int]] = []
        self._loaded_up_to: tuple[int, int] | None = None
        self._reading = False
        self._timer: TimerHandle | None = None
        self._loading: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Read the next wake-up times from the database."""
        after = self._loaded_up_to or (-1, -1)
        self._loaded_up_to = None  # what is set from now on may be too late for the query
        self._reading = True
        try:
            due = await self._read(after, IN_MEMORY)
        finally:
            self._reading = False
        for alarm in due:
            heapq.heappush(self._heap, alarm)
        self._loaded_up_to = due[-1] if len(due) == IN_MEMORY else None
        self._looked_at = 0
        self._arm()

    def set(self, key: int, when: int, *, punctual: bool = False) -> None:
        """Wake actor `key` at `when`, in ms. The database says the same."""
        if self._loaded_up_to is not None and (when, key) > self._loaded_up_to:
            return
        if punctual:
            self._punctual.add(key)
        heapq.heappush(self._heap, (when, key))
        if len(self._heap) > 2 * IN_MEMORY and not self._reading:
            self._heap = heapq.nsmallest(IN_MEMORY, self._heap)
            self._loaded_up_to = self._heap[-1]
        self._arm()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._loading is not None:
            self._loading.cancel()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            self._timer = self._clock.call_at(self._next_look(), self._fire)
        elif self._loaded_up_to is not None and self._loading is None:
            self._clock.hold()
            self._loading = asyncio.get_running_loop().create_task(self.load())
            self._loading.add_done_callback(self._loaded)

    def _next_look(self) -> float:
        """When the first is due; or when a crowd may have to be woken ahead, now and then."""
        due = self._heap[0][0]
        if not self._ahead_ms or len(self._heap) < CROWD:
            return due
        return min(due, max(due - self._ahead_ms, self._looked_at + LOOK_MS))

    def _loaded(self, task: asyncio.Task[None]) -> None:
        self._loading = None
        self._clock.release()
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.critical("The times of instances cannot be read: nothing more falls due by itself.", exc_info=error)
        self._arm()

    def _fire(self) -> None:
        self._timer = None
        due, now = [], self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[1])
        self._punctual.difference_update(due)
        if self._ahead_ms and len(self._heap) >= CROWD:
            self._looked_at = now
            due += self._crowd(now + self._ahead_ms)
        if due:
            self._wake(due)
        self._arm()

    def _crowd(self, until: float) -> list[int]:
        """The actors that are due until then, if they are a crowd: they are taken off the list."""
        early = [alarm for alarm in self._heap if alarm[0] <= until and alarm[1] not in self._punctual]
        if len(early) < CROWD:
            return []
        left = set(self._heap).difference(early)
        self._heap = list(left)
        heapq.heapify(self._heap)
        return [key for _, key in sorted(early)]
