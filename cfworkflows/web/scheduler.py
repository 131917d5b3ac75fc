"""`scheduler.wait(ms)`: a wait outside of `step.sleep`, in handlers and callbacks."""

from typing import TypedDict

from cfworkflows.http.abort import AbortSignal
from cfworkflows.timers import call_later


class WaitOptions(TypedDict, total=False):
    """`signal` ends the wait with its reason."""

    signal: AbortSignal | None


class Scheduler:
    """`await scheduler.wait(1000)`."""

    __slots__ = ()

    async def wait(self, ms: float, options: WaitOptions | None = None) -> None:
        """Wait `ms` milliseconds by the clock of the project: it goes as fast as `cfwf dev --speed` says.

        Nothing of it is stored: in `run()` use `step.sleep`. In the test kit the clock stands still while a callback or
        a handler runs, so a test advances it with `clock.advance(…, while_busy=True)`.
        """
        import asyncio

        if not isinstance(ms, (int, float)) or isinstance(ms, bool):
            raise TypeError(f"scheduler.wait takes a number of milliseconds, not {ms!r}.")
        signal = options.get("signal") if options else None
        if signal is not None:
            signal.throw_if_aborted()
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(_: object = None) -> None:
            if not over.done():
                over.set_result(None)

        timer = call_later(max(ms, 0), end)
        if signal is not None:
            signal.add_event_listener("abort", end)
        try:
            await over
        finally:
            timer.cancel()
            if signal is not None:
                signal.remove_event_listener("abort", end)
        if signal is not None:
            signal.throw_if_aborted()


scheduler = Scheduler()
