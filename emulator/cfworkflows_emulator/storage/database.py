"""A SQLite connection with a thread of its own, which runs whole functions, so that a transaction is one hop."""

import asyncio
import sqlite3
import threading
import types
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import aiosqlite

from cfworkflows_emulator.storage.connection import SQLITE3, Connection, Durability, Migration

T = TypeVar("T")


class Database:
    """Calls functions of the connection: `run` as they are, `transaction` atomically. Open it with `Database.open`.

    A hop to the thread and back costs several times what a small commit does, which is no more than a copy into the
    page cache. So `transact` does a short transaction where it is called, as long as the thread has nothing to do.
    """

    def __init__(self, connection: Connection[sqlite3.Connection], thread: aiosqlite.Connection) -> None:
        self._connection = connection
        self._thread = thread
        self._underway: set[object] = set()
        self._closing = False

    @classmethod
    async def open(
        cls,
        path: Path | None,
        migrations: Sequence[Migration[sqlite3.Connection]],
        durability: Durability = "normal",
        *,
        may_be_empty: bool = True,
        read_only: bool = False,
    ) -> Self:
        """Open a `Connection` in a thread of its own. Raises StateError as that does."""
        opened: list[Connection[sqlite3.Connection]] = []
        failures: list[Exception] = []

        def connect() -> sqlite3.Connection:
            try:
                opened.append(
                    Connection(path, SQLITE3, migrations, durability, may_be_empty=may_be_empty, read_only=read_only)
                )
            except Exception as error:  # noqa: BLE001 - raised below
                # aiosqlite awaits the end of its thread only in `close`, for which it needs a connection. The thread of
                # one that could not connect speaks to the loop as it ends, when that may be closed.
                failures.append(error)
                return sqlite3.connect(":memory:")
            return opened[0].sqlite

        thread = await aiosqlite.Connection(connect, iter_chunk_size=64)
        if failures:
            await thread.close()
            raise failures[0]
        return cls(opened[0], thread)

    async def close(self) -> None:
        self._closing = True  # the thread does it: from here on nothing may be done in place
        await self._thread.close()

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `function(connection)`, called in the database's thread."""
        return await self._in_thread(partial(self._connection.run, function))

    async def transaction(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Like `run`, in a transaction: all of it is durable afterwards, or none of it happened."""
        return await self._in_thread(partial(self._connection.transact, function))

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Like `run`, in place if it can be: for what reads a few rows by their key."""
        if not self.is_idle:
            return await self.run(function)
        result = self._connection.run(function)
        await _one_turn()  # code that asks again and again must not keep the loop from everything else
        return result

    @property
    def is_idle(self) -> bool:
        """Whether the thread does not use the connection, so that other threads may."""
        return not (self._underway or self._closing)

    @property
    def commits_in_place(self) -> bool:
        """Whether `transact` may be called: now, and without waiting for the disk."""
        return self.is_idle and not self._connection.waits_for_disk

    def transact(self, function: Callable[[sqlite3.Connection], T], *, is_atomic: bool = False) -> T:
        """Like `transaction`, in the calling thread. Only while the database `commits_in_place`.

        With `is_atomic` the function executes no more than one statement, which needs no transaction around it.
        """
        return self._connection.transact(function, is_atomic=is_atomic)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Callable[[Path], None]]:
        """Within the block nothing is written. What is handed over waits. Gives what copies the database to a path."""
        loop = asyncio.get_running_loop()
        entered, leave = asyncio.Event(), threading.Event()

        def wait() -> None:
            loop.call_soon_threadsafe(entered.set)
            leave.wait()

        waiting = loop.create_task(self._in_thread(wait))
        try:
            await entered.wait()
            yield self._copy_to
        finally:
            leave.set()
            await waiting

    def _copy_to(self, path: Path) -> None:
        target = sqlite3.connect(path)
        try:
            self._connection.run(lambda connection: connection.backup(target))
        finally:
            target.close()

    async def checkpoint(self, *, shorten: bool = False) -> None:
        """Fold the log of commits into the database file. Asked to `shorten`, it frees what a long log has taken."""
        await self._in_thread(partial(self._connection.checkpoint, shorten=shorten))

    async def _in_thread(self, call: Callable[[], T]) -> T:
        underway = object()
        self._underway.add(underway)

        def called() -> T:
            try:
                return call()
            finally:  # in the thread: the caller may have been cancelled
                self._underway.discard(underway)

        # The only private part of aiosqlite that is used: each of its public calls is a single statement, and costs a
        # hop to the thread. A transaction of twenty statements would be twenty-two hops, and other callers could run
        # statements between them.
        result: T = await self._thread._execute(called)  # type: ignore[no-untyped-call]
        return result


@types.coroutine
def _one_turn() -> Generator[None, None, None]:
    yield
