"""Timers in the order in which they fire: by deadline, and of those with one deadline, the one that was set first."""

import contextvars
import heapq
from collections.abc import Callable, Iterator

Callback = Callable[[], None]


class Timer:
    """A timer in the queue; `over` once it fired or was cancelled. It fires in the context in which it was set."""

    __slots__ = ("_context", "_timers", "callback", "over")

    def __init__(self, timers: "Timers", callback: Callback) -> None:
        self._timers = timers
        self._context = contextvars.copy_context()
        self.callback: Callback | None = callback
        self.over = False

    def cancel(self) -> None:
        if not self.over:
            self.over = True
            self.callback = None
            self._timers.forget_one()

    def fire(self) -> None:
        callback, self.callback = self.callback, None  # it may hold this timer: without the cycle, both go at once
        self.over = True
        if callback is not None:
            self._context.run(callback)


class Timers:
    """The queue of a clock."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._cancelled = 0
        self.set = 0
        """How many were ever set."""

    def __len__(self) -> int:
        """How many have neither fired nor been cancelled."""
        return len(self._heap) - self._cancelled

    def __iter__(self) -> Iterator[tuple[float, Callback]]:
        """Those, each with its deadline, in no order."""
        for when, _, timer in self._heap:
            if timer.callback is not None:
                yield when, timer.callback

    def add(self, when: float, callback: Callback) -> Timer:
        timer = Timer(self, callback)
        heapq.heappush(self._heap, (when, self.set, timer))
        self.set += 1
        return timer

    @property
    def next_due(self) -> float | None:
        """When the next timer is due."""
        while self._heap and self._heap[0][2].over:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def pop(self) -> tuple[float, Timer]:
        """Take the next timer out, with its deadline. There has to be one, which `next_due` tells."""
        when, _, timer = heapq.heappop(self._heap)
        return when, timer

    def pop_due(self, now: float, set_before: int) -> Timer | None:
        """Take the next timer out, if it is due at `now`, and was one of the first `set_before` that were set."""
        if (when := self.next_due) is None or when > now or self._heap[0][1] >= set_before:
            return None
        return self.pop()[1]

    def clear(self) -> None:
        """Forget all timers: none of them fires."""
        for _, _, timer in self._heap:
            timer.over = True
        self._heap.clear()
        self._cancelled = 0

    def forget_one(self) -> None:
        """A timer was cancelled. When most of them were, those are dropped, and not only when their time comes."""
        self._cancelled += 1
        if self._cancelled > len(self._heap) // 2:
            self._heap = [entry for entry in self._heap if not entry[2].over]
            heapq.heapify(self._heap)
            self._cancelled = 0
