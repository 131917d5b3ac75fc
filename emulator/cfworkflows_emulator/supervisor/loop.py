"""A loop for one thread: asyncio's would be copied into the forks."""

import selectors
import time
from collections.abc import Callable, Hashable
from typing import Protocol


class Source(Protocol):
    """Something to read from."""

    def fileno(self) -> int: ...


class Loop:
    """Calls functions when there is something to read, and at their times."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._sources: set[Source] = set()
        self._timers: dict[Hashable, tuple[float, Callable[[], None]]] = {}

    def __contains__(self, source: Source) -> bool:
        return source in self._sources

    def add(self, source: Source, call: Callable[[], None]) -> None:
        """From now on call `call` whenever there is something to read from `source`."""
        self._selector.register(source, selectors.EVENT_READ, call)
        self._sources.add(source)

    def set_writing(self, source: Source, writing: bool) -> None:
        """Whether the function added for `source` is called as well when something can be written to it."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        key = self._selector.get_key(source)
        if key.events != events:
            self._selector.modify(source, events, key.data)

    def remove(self, source: Source) -> None:
        """Call nothing for `source` any more. To be done before it is closed."""
        self._selector.unregister(source)
        self._sources.discard(source)

    def after(self, delay_s: float, name: Hashable, call: Callable[[], None]) -> None:
        """Call `call` once in so many seconds, instead of what waits under this name."""
        self._timers[name] = (time.monotonic() + delay_s, call)

    def postpone(self, delay_s: float, name: Hashable) -> None:
        """What waits under this name is not called before so many seconds have passed."""
        if name in self._timers:
            when, call = self._timers[name]
            self._timers[name] = (max(when, time.monotonic() + delay_s), call)

    def cancel(self, name: Hashable) -> None:
        """Call nothing that waits for a time under this name."""
        self._timers.pop(name, None)

    def turn(self) -> None:
        """Wait until there is something to call, and call it."""
        first = min((when for when, _ in self._timers.values()), default=None)
        for key, _ in self._selector.select(None if first is None else max(first - time.monotonic(), 0)):
            if key.fileobj in self._sources:  # not removed by what came before it
                key.data()
        now = time.monotonic()
        for name, timer in list(self._timers.items()):
            when, call = timer
            if when <= now and self._timers.get(name) is timer:
                del self._timers[name]
                call()

    def close(self) -> None:
        self._selector.close()
