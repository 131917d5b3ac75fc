"""The instances that are in memory, each once: read when somebody needs them, gone when nothing of them runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from cfworkflows.errors import WorkflowError, instance_not_found
from cfworkflows_emulator.engine.definition import WorkflowDefinition, workflow_of
from cfworkflows_emulator.engine.instance import Instance
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.world import World

log = logging.getLogger("cfworkflows.engine")

WOKEN_AT_ONCE = 100


class Residents:
    """Two objects of one instance at the same time would not know of each other's entries.

    `left` is told of each instance that leaves memory.
    """

    def __init__(
        self, world: World, definitions: Mapping[str, WorkflowDefinition], left: Callable[[Instance], None]
    ) -> None:
        self.world = world
        self.instances: dict[int, Instance] = {}
        self.closed = False
        self._definitions = definitions
        self._left = left
        self._loading: dict[int, asyncio.Task[set[int]]] = {}
        self._working: set[asyncio.Task[None]] = set()

    @property
    def work(self) -> set[asyncio.Future[Any]]:
        """What is being read and woken, and the rest of the work that no caller waits for."""
        return {*self._working, *self._loading.values()}

    def add(self, instance: Instance) -> None:
        """A new one, before others find its row and read it."""
        self.instances[instance.key] = instance

    def has(self, key: int) -> bool:
        """Whether it is in memory, or is about to be."""
        return key in self.instances or key in self._loading

    @asynccontextmanager
    async def using(self, key: int) -> AsyncIterator[Instance]:
        """An instance to change; what was changed is durable at the end of the block."""
        self.refuse_when_closed()
        instance = await self._load(key)
        instance.users += 1
        try:
            self.refuse_when_closed()
            yield instance
            await instance.durable()
        finally:
            instance.users -= 1
            self.unload(instance)

    def unload(self, instance: Instance) -> None:
        """Let it go, if nothing of it runs and nobody uses it."""
        if instance.running or instance.users or self.instances.get(instance.key) is not instance:
            return
        del self.instances[instance.key]
        if not self.world.dormant:
            self._left(instance)

    async def remove(self, keys: set[int]) -> None:
        """Stop instances that are going to be deleted."""
        while loading := [self._loading[key] for key in keys if key in self._loading]:
            await asyncio.wait(loading)  # one that is being read would not see that its row goes
        self.refuse_when_closed()
        for key in keys:
            if (instance := self.instances.pop(key, None)) is not None:
                instance.delete()

    def wake(self, keys: Sequence[int]) -> None:
        """Take up instances whose time has come, or that have got a slot, wherever they are."""
        if self.closed:
            return
        for start in range(0, len(keys), WOKEN_AT_ONCE):
            some = keys[start : start + WOKEN_AT_ONCE]
            self.do(self._take_up(some), "An instance could not be taken up again.")

    def do(self, work: Coroutine[Any, Any, None], failure: str | None = None) -> asyncio.Task[None]:
        """Do something while time stands still, whether or not somebody waits for it. Its error is logged as `failure`,
        unless that is None.
        """
        self.world.clock.hold()
        task = asyncio.get_running_loop().create_task(work)
        self._working.add(task)
        task.add_done_callback(partial(self._done, failure))
        return task

    def close(self) -> None:
        """Let nothing new begin."""
        self.closed = True
        for instance in self.instances.values():
            instance.hold_back()

    def stop(self, *, reading: bool = False) -> None:
        """Take all out of memory as they stand, and end what is under way: what is being `reading` too, if asked."""
        self.closed = True
        for task in self._working if not reading else self.work:
            task.cancel()
        for instance in list(self.instances.values()):
            instance.stop()
        self.instances.clear()

    def refuse_when_closed(self) -> None:
        """Raises WorkflowError (`instance.unavailable`), or StateError if nothing is written any more."""
        if self.closed:
            raise stopping()
        self.world.store.check()

    async def _load(self, key: int) -> Instance:
        while (instance := self.instances.get(key)) is None:
            if key not in self._loading:
                self._read([key])
            if key not in await asyncio.shield(self._loading[key]):
                raise instance_not_found()
        return instance

    def _read(self, keys: Sequence[int]) -> asyncio.Task[set[int]]:
        """Read instances that are not in memory, and are not being read: the keys of those that there were."""
        reading = asyncio.get_running_loop().create_task(self._read_all(keys))
        self._loading |= dict.fromkeys(keys, reading)
        return reading

    async def _read_all(self, keys: Sequence[int]) -> set[int]:
        try:
            await self.world.store.flushed()
            found = await self.world.store.load(keys)
            for row, entries in found:
                definition = workflow_of(self._definitions, row.workflow)
                self.add(Instance(self.world, definition, row, InstanceState.fold(entries)))
            return {row.key for row, _ in found}
        finally:
            for key in keys:
                del self._loading[key]

    async def _take_up(self, keys: Sequence[int]) -> None:
        keys = list(dict.fromkeys(keys))  # one may have been set for two times that have both come
        absent = [key for key in keys if not self.has(key)]
        if absent:
            await asyncio.shield(self._read(absent))
        for key in keys:
            if (instance := self.instances.get(key)) is None:
                try:
                    instance = await self._load(key)
                except WorkflowError as error:
                    self.world.admission.leave(key)
                    if error.code == "instance.not_found":  # deleted since its time was set
                        continue
                    raise
            if not self.closed and not self._is_early(instance):
                instance.start()
            self.unload(instance)

    def _is_early(self, instance: Instance) -> bool:
        """Whether it is one of a crowd, and needs a slot to go on, which it is to ask for when its time has come."""
        wake_at, limit = instance.wake_at, instance.definition.concurrency_limit
        return wake_at is not None and limit is not None and wake_at > self.world.clock.now()

    def _done(self, failure: str | None, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self.world.clock.release()
        if failure is not None and not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s", failure, exc_info=error)


def stopping() -> WorkflowError:
    """What is asked of an engine that is being closed."""
    return WorkflowError("The server is stopping", code="instance.unavailable")
