"""The wake-up times of instances that are not in memory: the next ones in a heap, all of them in the database."""

import asyncio
import heapq
from collections.abc import Callable

from cfworkflows_emulator.clock import Clock, TimerHandle
from cfworkflows_emulator.storage import InstanceStore

IN_MEMORY = 1_000


class Alarms:
    """Calls `wake(key)` when an instance is due, the earliest first.

    At most some `IN_MEMORY` of them are held. Those after `_horizon` are found in the database when the time comes.
    """

    def __init__(self, clock: Clock, store: InstanceStore, wake: Callable[[int], None]) -> None:
        self._clock = clock
        self._store = store
        self._wake = wake
        self._heap: list[tuple[float, int]] = []
        self._horizon = float("inf")
        self._timer: TimerHandle | None = None
        self._loading: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Read the next wake-up times from the database."""
        await self._store.flushed()
        due = await self._store.next_alarms(IN_MEMORY)
        self._heap = [(wake_at, key) for wake_at, key in due]
        self._horizon = due[-1][0] if len(due) == IN_MEMORY else float("inf")
        self._arm()

    def set(self, key: int, when: float) -> None:
        """Wake instance `key` at `when`, in ms. Its row in the database says the same."""
        if when > self._horizon:
            return
        heapq.heappush(self._heap, (when, key))
        if len(self._heap) > 2 * IN_MEMORY:
            self._heap = heapq.nsmallest(IN_MEMORY, self._heap)
            self._horizon = self._heap[-1][0]
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
            self._timer = self._clock.call_at(self._heap[0][0], self._fire)
        elif self._horizon != float("inf") and self._loading is None:
            self._clock.hold()
            self._loading = asyncio.get_running_loop().create_task(self.load())
            self._loading.add_done_callback(self._loaded)

    def _loaded(self, task: asyncio.Task[None]) -> None:
        self._loading = None
        self._clock.release()
        if not task.cancelled():
            task.result()

    def _fire(self) -> None:
        self._timer = None
        while self._heap and self._heap[0][0] <= self._clock.now():
            self._wake(heapq.heappop(self._heap)[1])
        self._arm()
