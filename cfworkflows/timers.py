"""Timers for code of a Worker: by the clock of the project that runs it, else by that of the event loop."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol


class Timer(Protocol):
    """A timer that has not fired yet."""

    def cancel(self) -> None: ...


class Timers(Protocol):
    """The clock of a project, as code of a Worker needs it. Times are in ms since the epoch."""

    def now(self) -> int: ...

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer: ...


current_timers: ContextVar[Timers] = ContextVar("cfworkflows_timers")


def call_later(ms: float, callback: Callable[[], None]) -> Timer:
    """Call `callback` in `ms` milliseconds, in this event loop."""
    timers = current_timers.get(None)
    if timers is not None:
        return timers.call_at(timers.now() + ms, callback)
    import asyncio

    return asyncio.get_running_loop().call_later(ms / 1000, callback)
