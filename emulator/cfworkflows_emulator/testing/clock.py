"""The clock of a test: virtual, and with an eye on what the instances do meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from cfworkflows.durations import Duration, parse_duration
from cfworkflows_emulator.clock import VirtualClock, monotonic
from cfworkflows_emulator.engine import Engine
from cfworkflows_emulator.testing.assertions import Failures
from cfworkflows_emulator.testing.waiting import StalledError, situation

REAL_TURN_S = 0.005


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
        self.patience_s = patience_s
        self._loop = asyncio.get_running_loop()
        self._closed = False

    def close(self) -> None:
        """What is asked for from now on is refused."""
        self._closed = True

    def check(self) -> None:
        """Raise RuntimeError if a test calls when its environment is gone, or from another event loop: it would wait
        for ever.
        """
        __tracebackhide__ = True
        if self._closed:
            raise RuntimeError(
                "The environment of this test is closed: env, its bindings, handles on instances and the clock work "
                "until the test, or the block `async with FakeEnv(…)`, has ended."
            )
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError(
                "env, worker and clock belong to the event loop of the test's fixtures, and this call comes from "
                "another one. Write `async def test_…(env)` and await the call instead of asyncio.run(…). If pytest-"
                "asyncio runs fixtures and tests in different loops, give both the same loop scope "
                "(asyncio_default_fixture_loop_scope and asyncio_default_test_loop_scope)."
            )

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
        self.check()
        try:
            async with asyncio.timeout(self.patience_s):
                await super().settle()
                if self.engine is not None:
                    await self.engine.activity.loose_ends()
                    await super().settle()
        except TimeoutError:
            self._failures.check()
            text = await situation(self.engine) if self.engine is not None else ""
            raise StalledError(
                f"After {self.patience_s:g} seconds something is still at work, so the time cannot move on.\n{text}\n"
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
        self.check()
        if not while_busy or self.engine is None:
            await super().advance(duration)
            return
        await self.engine.activity.at_rest()
        end = self.now() + round(parse_duration(duration))
        while (due := self.next_timer) is not None and due <= end:
            self._fire_next()
            await self.engine.activity.at_rest()
        self._now = max(self._now, end)
        self._failures.check()

    async def advance_to_next(self) -> None:
        """Move on to the next timer and fire it. Raises RuntimeError if there is none."""
        __tracebackhide__ = True
        await super().advance_to_next()

    @asynccontextmanager
    async def real_time(self, speed: float = 1) -> AsyncIterator[None]:
        """Inside of the block the time goes by with the machine's, `speed` times as fast, whatever is at work.

            async with clock.real_time(speed=3600):
                while (await order.status()).status != "complete":
                    await asyncio.sleep(0.1)

        It is for tests that poll. Raises ValueError for a speed that is not above 0.
        """
        __tracebackhide__ = True
        if not speed > 0:
            raise ValueError(f"speed is a number above 0, not {speed!r}.")
        self.check()
        passing = asyncio.ensure_future(self._pass(speed))
        try:
            yield
        finally:
            passing.cancel()
            await asyncio.wait([passing])
        self._failures.check()

    async def _pass(self, speed: float) -> None:
        began, start = monotonic(), self._now
        while True:
            now = start + int((monotonic() - began) * 1000 * speed)
            while (due := self.next_timer) is not None and due <= now:
                self._fire_next()
                await asyncio.sleep(0)  # noqa: TID251 - what it set off may be due as well
            self._now = max(self._now, now)
            await asyncio.sleep(REAL_TURN_S)  # noqa: TID251 - this is the machine's time

    def jump(self) -> bool:
        """Fire the next timer at once; False if there is none. Only while nothing holds the clock."""
        if self.held:
            raise RuntimeError("The clock does not jump while something is at work.")
        if self.next_timer is None:
            return False
        self._fire_next()
        return True
