"""What the bindings of a session's Workers use."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, TypeVar

from cfworkflows_emulator.engine import Engine
from cfworkflows_emulator.runtime.worker import Worker
from cfworkflows_emulator.storage import Durability
from cfworkflows_emulator.storage.folder import StateFolder

T = TypeVar("T")


class Resources:
    """The engine, the Workers and the stores of a session. They are shared by its Workers.

    `names` are those of all Workers, `workers` has each of them once it is loaded. `folder` is the state folder, None
    where everything is in memory, and `durability` that of its files. Closed at the end of the block, or before.
    """

    def __init__(
        self, engine: Engine, names: Sequence[str], folder: StateFolder | None = None, durability: Durability = "normal"
    ) -> None:
        self.engine = engine
        self.names = names
        self.folder = folder
        self.durability = durability
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
