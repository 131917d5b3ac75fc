"""The clock of a test: virtual, and with an eye on what the instances do meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from cfworkflows.durations import Duration, parse_duration
from cfworkflows_emulator.clock import LAST_MS, VirtualClock, monotonic
from cfworkflows_emulator.engine import Engine
from cfworkflows_emulator.testing.assertions import Failures
from cfworkflows_emulator.testing.waiting import StalledError, pending_waits, situation
from cfworkflows_emulator.views import moment

REAL_TURN_S = 0.005
LOOSE_ENDS_S = 1
MANY_TIMERS = 5_000


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
        await self._patiently(self._settled())
        self._failures.check()

    async def settle_runs(self) -> None:
        """As `settle`, without waiting for the callbacks that no run waits for any more."""
        __tracebackhide__ = True
        self.check()
        await self._patiently(super().settle())
        self._failures.check()

    async def loose_ends(self) -> None:
        """Give the callbacks that no run waits for a moment to end, a second of the machine's."""
        if self.engine is not None and self.engine.activity.left_over:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(LOOSE_ENDS_S, self.patience_s)):
                    await self.engine.activity.loose_ends()
                    await super().settle()
            self._failures.check()

    async def advance(self, duration: Duration | timedelta, *, while_busy: bool = False) -> None:
        """Move on by `duration` (`"3 days"`, ms, or a timedelta), firing every timer that falls due on the way.

        With `while_busy` the time also moves while callbacks, handlers and `run()` itself are at work, so that a
        callback that hangs meets its timeout: only what the engine has to write and to start is waited for.

        Raises StalledError if timers fire for ever at one moment; ValueError for a time beyond the year 9999.
        """
        __tracebackhide__ = True
        self.check()
        settled = self._at_rest if while_busy and self.engine is not None else self.settle
        await settled()
        end = self.now() + round(parse_duration(duration))
        if end > LAST_MS:
            raise ValueError("The clock of a test ends with the year 9999.")
        endless = Endless(self.patience_s)
        while (due := self.next_timer) is not None and due <= end:
            before = self.now()
            self._fire_next()
            await settled()
            if self.now() != before:
                endless = Endless(self.patience_s)
            elif endless.fired():
                raise await self._stalled(f"At {moment(before)} timers fire for ever, and the time does not move on.")
        self._now = max(self._now, end)  # somebody else may have moved it on
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

    async def jump(self) -> bool:
        """Fire the next timer at once; False if there is none. Only while nothing holds the clock.

        Raises StalledError if it is due after the year 9999.
        """
        __tracebackhide__ = True
        if self.held:
            raise RuntimeError("The clock does not jump while something is at work.")
        if self.next_timer is None:
            return False
        if self.next_timer > LAST_MS:
            raise await self._stalled("The year 9999 is over, and it still goes on. Does a step fail for ever?")
        self._fire_next()
        return True

    async def _settled(self) -> None:
        await super().settle()
        if self.engine is not None:
            await self.engine.activity.loose_ends()
            await super().settle()

    async def _at_rest(self) -> None:
        __tracebackhide__ = True
        if self.engine is not None:
            await self._patiently(self.engine.activity.at_rest())

    async def _patiently(self, settled: Awaitable[None]) -> None:
        __tracebackhide__ = True
        try:
            async with asyncio.timeout(self.patience_s) as limit:
                await settled
        except TimeoutError:
            if not limit.expired():
                raise
            self._failures.check()
            raise await self._stalled(
                f"After {self.patience_s:g} seconds something is still at work, so the time cannot move on.",
                "A callback, a handler or run() awaits what does not come. `clock.advance(…, while_busy=True)` lets it "
                "meet its timeout; one that only needs longer needs a higher cfworkflows_patience.",
            ) from None

    async def _stalled(self, what: str, advice: str = "") -> StalledError:
        text = await situation(self.engine) if self.engine is not None else ""
        waits = pending_waits(self.pending)
        return StalledError("\n".join(filter(None, [what, text, *waits, advice])))


class Endless:
    """Notices that timers fire for ever: very many did, for longer than the patience says."""

    def __init__(self, patience_s: float) -> None:
        self._fired = 0
        self._until = monotonic() + patience_s

    def fired(self) -> bool:
        """One more; whether it is for ever."""
        self._fired += 1
        return self._fired > MANY_TIMERS and monotonic() > self._until
