"""The clock of a test: virtual, and with an eye on what the instances do meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta

from cfworkflows.durations import Duration, parse_duration
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.engine import Engine
from cfworkflows_emulator.testing.assertions import Failures
from cfworkflows_emulator.testing.waiting import StalledError, situation


class Clock(VirtualClock):
    """Stands still until `advance`, `advance_to_next`, or until the test awaits the result of an instance.

    It moves from timer to timer, and never while a callback, a handler, or a call of the test on a workflow is under
    way. Every method raises the assertion that failed in a workflow meanwhile; and StalledError, if something is still
    at work after `patience_s` seconds of the machine's time.

    `engine` is the one whose instances it looks after, once there is one. `start` is in ms since the epoch.
    """

    def __init__(self, failures: Failures, patience_s: float, start: int) -> None:
        super().__init__(start)
        self.engine: Engine | None = None
        self._failures = failures
        self._patience_s = patience_s

    @property
    def datetime(self) -> datetime:
        """What `now()` says, in UTC."""
        return datetime.fromtimestamp(self.now() / 1000, UTC)

    @property
    def held(self) -> bool:
        """Whether something is at work, so that the time stands still."""
        return self._holds > 0

    async def settle(self) -> None:
        """Wait until every instance has gone as far as it goes without the time passing."""
        __tracebackhide__ = True
        try:
            async with asyncio.timeout(self._patience_s):
                await super().settle()
                if self.engine is not None:
                    await self.engine.loose_ends()
                    await super().settle()
        except TimeoutError:
            self._failures.check()
            text = await situation(self.engine) if self.engine is not None else ""
            raise StalledError(
                f"After {self._patience_s:g} seconds something is still at work, so the time cannot move on.\n{text}\n"
                "A callback, a handler or run() awaits what does not come. `clock.advance(…, while_busy=True)` lets it "
                "meet its timeout; one that only needs longer needs a higher cfworkflows_patience."
            ) from None
        self._failures.check()

    async def advance(self, duration: Duration | timedelta, *, while_busy: bool = False) -> None:
        """Move on by `duration` (`"3 days"`, ms, or a timedelta), firing every timer that falls due on the way.

        With `while_busy` the time also moves while callbacks, handlers and `run()` itself are at work, so that a
        callback that hangs meets its timeout: only what the engine has to write and to start is waited for.
        """
        __tracebackhide__ = True
        if not while_busy or self.engine is None:
            await super().advance(duration)
            return
        await self.engine.at_rest()
        end = self.now() + round(parse_duration(duration))
        while (due := self.next_timer) is not None and due <= end:
            self._fire_next()
            await self.engine.at_rest()
        self._now = max(self._now, end)
        self._failures.check()

    async def advance_to_next(self) -> None:
        """Move on to the next timer and fire it. Raises RuntimeError if there is none."""
        __tracebackhide__ = True
        await super().advance_to_next()

    def jump(self) -> bool:
        """Fire the next timer at once; False if there is none. Only while nothing holds the clock."""
        if self.held:
            raise RuntimeError("The clock does not jump while something is at work.")
        if self.next_timer is None:
            return False
        self._fire_next()
        return True
