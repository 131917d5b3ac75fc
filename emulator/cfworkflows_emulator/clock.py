"""Time. Everything that waits or stamps takes it from a Clock; nothing else in the packages reads the time."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from cfworkflows.durations import Duration, parse_duration
from cfworkflows_emulator.timers import Callback, Timers


class TimerHandle(Protocol):
    """A timer that has not fired yet."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """The time in whole milliseconds since the epoch, and timers on it.

    Work under way is told to the clock with `hold` and `release`, so that a virtual one stands still meanwhile.
    """

    def now(self) -> int: ...

    def call_at(self, when: float, callback: Callback) -> TimerHandle: ...

    def hold(self) -> None: ...

    def release(self) -> None: ...


# Goes on while the machine sleeps, which asyncio's own clock does not on Linux.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_read_ns = time.clock_gettime_ns


def _steady_ns() -> int:
    return _read_ns(_STEADY)


# The wall clock is read once, here: what is forked later agrees with it, however the machine's clock was set meanwhile.
_OFFSET_NS = time.time_ns() - _steady_ns()


class SystemClock:
    """The machine's time as it was when the program started, and steady since; or one that goes on from `start` (ms
    since the epoch), `speed` times as fast.

    A wall clock that is set while the program runs moves no deadline. A machine that sleeps is noticed. Timers fire in
    the order of their deadlines, and those with one deadline in the order in which they were set.
    """

    # A wait is cut into pieces, so that a machine that slept is noticed.
    LONGEST_WAIT_MS = 60_000

    # How often a timer that is nearly due looks whether the time goes on again, in seconds.
    SHORTEST_LOOK_S = 0.05

    def __init__(self, speed: float = 1, start: int | None = None) -> None:
        self.speed = speed
        self._began_ns = _steady_ns()
        self._start_ns = self._began_ns + _OFFSET_NS if start is None else start * 1_000_000
        self._offset_ns = self._start_ns - self._began_ns
        self._timers = Timers()
        # One timer of the event loop for all: the loop orders its own by readings of its clock, each a little later
        # than the one before, and those that fall due at one moment would fire in any order.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for = 0.0
        self._firing = False
        self._stopped_ns: int | None = None  # by the machine's clock, while it stands still
        self._stops = 0
        self._stopping = threading.Lock()

    def now(self) -> int:
        stopped_ns = self._stopped_ns  # read once: another thread may let the time go on
        if stopped_ns is not None:
            return (self._start_ns + int((stopped_ns - self._began_ns) * self.speed)) // 1_000_000
        if self.speed == 1:
            return (_read_ns(_STEADY) + self._offset_ns) // 1_000_000
        return (self._start_ns + int((_steady_ns() - self._began_ns) * self.speed)) // 1_000_000

    def wait_s(self, when: float) -> float:
        """How many seconds of the machine's it takes until it is `when`; 0 if it is."""
        stopped_ns = self._stopped_ns
        passed = (_steady_ns() if stopped_ns is None else stopped_ns) - self._began_ns
        now_ns = self._start_ns + passed * self.speed
        wait = max((when - now_ns / 1_000_000) / self.speed, 0) / 1000
        return wait if stopped_ns is None else max(wait, self.SHORTEST_LOOK_S)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Within the block the time stands still; from any thread, and from several at once."""
        with self._stopping:
            self._stops += 1
            if self._stopped_ns is None:
                self._stopped_ns = _steady_ns()
        try:
            yield
        finally:
            with self._stopping:
                self._stops -= 1
                if not self._stops:
                    lasted_ns = _steady_ns() - self._stopped_ns
                    self._began_ns += lasted_ns
                    self._offset_ns -= lasted_ns
                    self._stopped_ns = None

    def call_at(self, when: float, callback: Callback) -> TimerHandle:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # those of a loop that was closed never fire
            self._loop, self._timers, self._handle = loop, Timers(), None
        timer = self._timers.add(when, callback)
        if not self._firing and (self._handle is None or when < self._armed_for):
            self._arm(loop)
        return timer

    def hold(self) -> None:
        """The machine's time goes on whatever we do."""

    def release(self) -> None:
        """See `hold`."""

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have the loop wait for the first timer."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if (due := self._timers.next_due) is not None:
            self._armed_for = due
            wait = min(self.wait_s(due), SystemClock.LONGEST_WAIT_MS / 1000)
            self._handle = loop.call_later(wait, self._fire, loop)

    def _fire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Fire what is due. What is set meanwhile has the next turn of the loop, however early it is due."""
        self._handle = None
        self._firing = True
        now, set_before = self.now(), self._timers.set
        try:
            while (timer := self._timers.pop_due(now, set_before)) is not None:
                try:
                    timer.fire()
                except Exception as error:  # noqa: BLE001 - it is not to keep the others from firing
                    loop.call_exception_handler({"message": "A timer failed.", "exception": error})
        finally:
            self._firing = False
            self._arm(loop)


LAST_MS = 253_402_300_799_999
"""The end of the year 9999, in ms since the epoch: no datetime is later."""


def monotonic() -> float:
    """Seconds of the machine's steady clock, for watching the process itself: nothing of an instance depends on it."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)  # time.monotonic() stands still where a test freezes the time


class VirtualClock:
    """A clock that stands still until `advance`, and never goes backwards.

    It moves from timer to timer, each of which sees its own time, and only while nothing holds it: no callback runs,
    no write is on its way. `start` is in ms since the epoch.
    """

    def __init__(self, start: int = 1_767_225_600_000) -> None:  # 2026-01-01T00:00:00Z
        self._now = start
        self._timers = Timers()
        self._holds = 0
        self._free = asyncio.Event()
        self._free.set()

    def now(self) -> int:
        return self._now

    def call_at(self, when: float, callback: Callback) -> TimerHandle:
        return self._timers.add(when, callback)

    def hold(self) -> None:
        self._holds += 1
        self._free.clear()

    def release(self) -> None:
        if self._holds == 0:
            raise RuntimeError("The clock was released more often than it was held.")
        self._holds -= 1
        if self._holds == 0:
            self._free.set()

    @property
    def next_timer(self) -> float | None:
        """When the next timer is due, in ms since the epoch."""
        return self._timers.next_due

    @property
    def pending(self) -> list[tuple[float, Callback]]:
        """The timers that have not fired, the first one first: when each is due, and what it calls."""
        return sorted(self._timers, key=lambda each: each[0])

    async def settle(self) -> None:
        """Wait until nothing holds the clock."""
        while self._holds:
            await self._free.wait()

    async def advance(self, duration: Duration | timedelta) -> None:
        """Move on by `duration`, firing every timer that falls due on the way, in order."""
        __tracebackhide__ = True  # a failing test shows the call, not us
        await self.settle()
        end = self._now + round(parse_duration(duration))
        while (due := self.next_timer) is not None and due <= end:
            self._fire_next()
            await self.settle()
        self._now = max(self._now, end)  # somebody else may have moved it on

    async def advance_to_next(self) -> None:
        """Move on to the next timer and fire it. Raises RuntimeError if there is none."""
        __tracebackhide__ = True
        await self.settle()
        if self.next_timer is None:
            raise RuntimeError("Nothing waits for the time to pass.")
        self._fire_next()
        await self.settle()

    def _fire_next(self) -> None:
        due, timer = self._timers.pop()
        self._now = max(self._now, -int(-due // 1))  # rounded up: never before it is due
        timer.fire()
