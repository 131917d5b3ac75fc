"""What the bindings of a session's Workers use."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from cfworkflows_emulator.engine import Engine
from cfworkflows_emulator.runtime.worker import Worker
from cfworkflows_emulator.storage import Durability
from cfworkflows_emulator.storage.folder import StateFolder
from cfworkflows_emulator.storage.kept import Kept
from cfworkflows_emulator.storage.latefile import CopyFile

T = TypeVar("T")


class Resources:
    """The engine, the Workers and the stores of a session. They are shared by its Workers.

    `names` are those of all Workers, `workers` has each of them once it is loaded. `folder` is the state folder, None
    where everything is in memory, and `durability` that of its files. `renew` has another process take the place of
    this one, for a reason, None where none can. Closed at the end of the block, or before.
    """

    def __init__(
        self,
        engine: Engine,
        names: Sequence[str],
        folder: StateFolder | None = None,
        durability: Durability = "normal",
        renew: Callable[[str], None] | None = None,
    ) -> None:
        self.engine = engine
        self.names = names
        self.folder = folder
        self.durability = durability
        self.renew = renew
        self.workers: dict[str, Worker] = {}
        self._stores: dict[Hashable, Any] = {}
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def store(self, key: Hashable, opened: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """The store of `key`: opened at the first call, the same one afterwards."""
        async with self._opening:
            if key not in self._stores:
                self._stores[key] = await self._stack.enter_async_context(opened())
        found: T = self._stores[key]
        return found

    def opened(self, key: Hashable) -> Any:
        """The store of `key`, which is open. KeyError if nobody has asked for it."""
        return self._stores[key]

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[Mapping[Path, CopyFile]]:
        """One moment of everything: within the block, as long as it holds up the event loop, nothing is written.

        Gives what copies the databases that are open, by their files.
        """
        async with self._opening, AsyncExitStack() as stack:
            kept = [store for store in self._stores.values() if isinstance(store, Kept)]
            for store in kept:
                await stack.enter_async_context(store.frozen())
            copiers = {store.file.path: store.file.copier for store in kept}
            if self.folder is not None:
                copiers[self.folder.database] = await stack.enter_async_context(self.engine.store.held())
            yield {path: copier for path, copier in copiers.items() if path is not None and copier is not None}

    async def close(self) -> None:
        """Close the stores, the last one first. The opener of the engine closes it."""
        self._stores.clear()
        await self._stack.aclose()

    async def __aenter__(self) -> "Resources":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
