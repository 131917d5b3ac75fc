"""The actors that are in memory, each once: read when they are needed, gone when nothing of them runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Generic, TypeVar

from cfworkflows_emulator.actors.actor import Actor
from cfworkflows_emulator.clock import Clock

log = logging.getLogger("cfworkflows.engine")

WOKEN_AT_ONCE = 100

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept", bound=Actor[Any])


class Residents(Generic[Key, Kept]):
    """One object for each actor in memory: two would not know of each other's changes.

    `load(keys)` reads those of the actors that exist. `left` is called with each that leaves memory. `check` raises if
    nothing may change any more, and `absent` makes the error for an actor that does not exist.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        load: Callable[[Sequence[Key]], Awaitable[Iterable[Kept]]],
        left: Callable[[Kept], None],
        check: Callable[[], None],
        absent: Callable[[], Exception],
    ) -> None:
        self.actors: dict[Key, Kept] = {}
        self.closed = False
        self._clock = clock
        self._load = load
        self._left = left
        self._check = check
        self._absent = absent
        self._loading: dict[Key, asyncio.Task[set[Key]]] = {}
        self._working: set[asyncio.Task[None]] = set()

    @property
    def work(self) -> set[asyncio.Future[Any]]:
        """What is being read and woken, and the rest of the work that no caller waits for."""
        return {*self._working, *self._loading.values()}

    def add(self, actor: Kept) -> None:
        """Add a new actor, before what is stored of it can be found and read."""
        self.actors[actor.key] = actor

    def has(self, key: Key) -> bool:
        """Whether it is in memory, or is about to be."""
        return key in self.actors or key in self._loading

    @asynccontextmanager
    async def using(self, key: Key) -> AsyncIterator[Kept]:
        """An actor to change; what was changed is durable at the end of the block."""
        self._check()
        if (actor := await self._found(key)) is None:
            raise self._absent()
        actor.users += 1
        try:
            self._check()
            yield actor
            await actor.durable()
        finally:
            actor.users -= 1
            self.unload(actor)

    def unload(self, actor: Actor[Key]) -> None:
        """Drop it from memory, if nothing of it runs and no caller uses it."""
        kept = self.actors.get(actor.key)
        if actor.running or actor.users or kept is None or kept is not actor:
            return
        del self.actors[actor.key]
        self._left(kept)

    async def remove(self, keys: Collection[Key]) -> list[Kept]:
        """Take out actors that are going to be deleted. Returns those that were in memory, for the caller to stop."""
        while loading := [self._loading[key] for key in keys if key in self._loading]:
            await asyncio.wait(loading)  # an actor that is being read would not see that it is removed
        self._check()
        return [self.actors.pop(key) for key in keys if key in self.actors]

    def wake(self, keys: Sequence[Key]) -> None:
        """Wake actors whose time has come, or that have got what they waited for, in memory or not."""
        if self.closed:
            return
        for start in range(0, len(keys), WOKEN_AT_ONCE):
            some = keys[start : start + WOKEN_AT_ONCE]
            self.do(self._wake(some), "An instance could not be woken.")

    def do(self, work: Coroutine[Any, Any, None], failure: str | None = None) -> asyncio.Task[None]:
        """Do something while time stands still, whether or not a caller waits for it. Its error is logged as
        `failure`, unless that is None.
        """
        self._clock.hold()
        task = asyncio.get_running_loop().create_task(work)
        self._working.add(task)
        task.add_done_callback(partial(self._done, failure))
        return task

    def close(self) -> None:
        """Let nothing new begin."""
        self.closed = True
        for actor in self.actors.values():
            actor.hold_back()

    def stop(self, *, reading: bool = False) -> None:
        """Take all out of memory as they stand, and end what is under way: what is being `reading` too, if asked."""
        self.closed = True
        for task in self._working if not reading else self.work:
            task.cancel()
        for actor in list(self.actors.values()):
            actor.stop()
        self.actors.clear()

    async def _found(self, key: Key) -> Kept | None:
        """An actor, from memory or read; None if there is none."""
        while (actor := self.actors.get(key)) is None:
            if key not in self._loading:
                self._read([key])
            if key not in await asyncio.shield(self._loading[key]):
                return None
        return actor

    def _read(self, keys: Sequence[Key]) -> asyncio.Task[set[Key]]:
        """Read actors that are neither in memory nor being read. Returns the keys of those that exist."""
        reading = asyncio.get_running_loop().create_task(self._read_all(keys))
        self._loading |= dict.fromkeys(keys, reading)
        return reading

    async def _read_all(self, keys: Sequence[Key]) -> set[Key]:
        try:
            found = {actor.key: actor for actor in await self._load(keys)}
            self.actors |= found
            return set(found)
        finally:
            for key in keys:
                del self._loading[key]

    async def _wake(self, keys: Sequence[Key]) -> None:
        keys = list(dict.fromkeys(keys))  # an actor may have been set for two times that have both come
        absent = [key for key in keys if not self.has(key)]
        gone = set(absent) - (await asyncio.shield(self._read(absent)) if absent else set())
        for key in keys:
            if key in gone or (actor := await self._found(key)) is None:
                continue  # it was deleted since its time was set
            if not self.closed:
                self._wake_one(actor)
            self.unload(actor)

    def _wake_one(self, actor: Kept) -> None:
        try:
            actor.wake()
        except Exception as error:  # the others that are woken with it can do nothing about it
            log.error("%s could not be woken.", actor, exc_info=error)

    def _done(self, failure: str | None, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._clock.release()
        if failure is not None and not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s", failure, exc_info=error)
