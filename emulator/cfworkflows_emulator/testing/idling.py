"""Tests that wait on the machine's time for what only the virtual clock brings: they are ended, with a report."""

import asyncio
from typing import Any

from cfworkflows_emulator.clock import monotonic
from cfworkflows_emulator.engine import Engine
from cfworkflows_emulator.testing.clock import Clock
from cfworkflows_emulator.testing.waiting import StalledError, situation, unfinished

TICKS = 20
"""How often it is looked, in the time of the patience, and nothing goes on: a debugger that stops the loop is once."""
MOST_POLLS = 20
POLLED_S = 3.0
ADVICE = (
    "The clock is virtual: it stands still while a test polls, or sleeps on the machine's time. `await "
    'instance.result()`, `await clock.advance("1 hour")` and `await clock.advance_to_next()` let the time pass; inside '
    "`async with clock.real_time():` it goes by itself."
)


class Idling:
    """Watches over the tasks of one test that have called something of its world."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.error: StalledError | None = None
        self._engine = engine
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._callers: set[asyncio.Task[Any]] = set()
        self._seen: object = None
        self._ticks = 0
        self._polled: object = None
        self._polls = 0
        self._polled_since = 0.0
        self._report: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(clock.patience_s / TICKS, self._tick)

    def called(self) -> None:
        """The task that runs calls something of the world."""
        task = asyncio.current_task()
        if task is not None and task not in self._callers:
            self._callers = {each for each in self._callers if not each.done()} | {task}

    async def polled(self) -> None:
        """A test asks for a status. Raises StalledError if it does so again and again while nothing goes on."""
        __tracebackhide__ = True
        now = self._progress()
        if self._polled != now or self._clock.held:
            self._polled, self._polls, self._polled_since = now, 0, monotonic()
        self._polls += 1
        if self._polls > MOST_POLLS and monotonic() - self._polled_since > POLLED_S:
            raise StalledError(
                f"A status was asked for {self._polls} times, and nothing went on meanwhile.\n"
                f"{await situation(self._engine)}\n{ADVICE}"
            )

    def close(self) -> None:
        self._timer.cancel()
        if self._report is not None:
            self._report.cancel()

    def _progress(self) -> object:
        return self._engine.activity.progress(), self._clock.now()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._clock.patience_s / TICKS, self._tick)
        now = self._progress()
        if now != self._seen:
            self._seen, self._ticks = now, 0
        elif not self._clock.held:
            self._ticks += 1
        if self._ticks >= TICKS:
            self._ticks = 0
            self._report = asyncio.ensure_future(self._end())

    async def _end(self) -> None:
        if not await unfinished(self._engine):
            return  # the test is about something else
        self.error = StalledError(
            f"For {self._clock.patience_s:g} seconds nothing went on but the test itself.\n"
            f"{await situation(self._engine)}\n{ADVICE}"
        )
        for task in self._callers:
            task.cancel()
