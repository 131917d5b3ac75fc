"""A SQLite database that runs whole functions in its own thread, so that a transaction is one hop."""

import asyncio
import sqlite3
import types
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

from cfworkflows.errors import CfworkflowsError

T = TypeVar("T")

APPLICATION_ID = 0x63667766  # "cfwf"
Migration = Callable[[sqlite3.Connection], None]


class StateError(CfworkflowsError):
    """The stored state cannot be read or written. The text says which file, why, and what can be done."""


class Database(aiosqlite.Connection):
    """An aiosqlite connection in autocommit mode, with `run` for functions and `transaction` for atomic ones.

    A hop to the thread and back costs several times what a small commit does, which is no more than a copy into the
    page cache. So `transact` does a short transaction where it is called, as long as the thread has nothing to do.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._underway: set[object] = set()
        self._closing = False

    @classmethod
    async def open(cls, path: Path | None, migrations: list[Migration]) -> Self:
        """Open the database at `path`, None for one in memory, and bring its schema up to date.

        Raises StateError for a file that is no database of ours, is damaged, or was written by a newer version.
        """
        where = str(path) if path else "in memory"
        database = cls(lambda: sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False))
        try:
            await database
            await database.run(lambda connection: _prepare(connection, migrations))
        except (sqlite3.DatabaseError, StateError) as error:
            if database._connection is not None:  # aiosqlite has no public way to ask whether it opened
                await database.close()
            else:  # its thread still speaks to the loop as it ends; up to aiosqlite 0.21 the connection is the thread
                thread: Any = getattr(database, "_thread", database)
                await asyncio.to_thread(thread.join)
            raise StateError(f"{where}: {_explain(error)}") from error
        return database

    async def close(self) -> None:
        self._closing = True  # the thread does it: from here on nothing may be done in place
        await super().close()

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `function(connection)`, called in the database's thread."""
        underway = object()
        self._underway.add(underway)

        def call(connection: sqlite3.Connection) -> T:
            try:
                return function(connection)
            finally:  # in the thread: whoever waits may have been cancelled
                self._underway.discard(underway)

        # The public calls cost a hop to the thread each.
        result: T = await self._execute(call, self._conn)  # type: ignore[no-untyped-call]
        return result

    async def transaction(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Like `run`, in a transaction: all of it is durable afterwards, or none of it happened."""

        return await self.run(partial(_atomic, function))

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Like `run`, in place if it can be: for what reads a few rows by their key."""
        if not self.is_idle:
            return await self.run(function)
        result = function(self._conn)
        await _one_turn()  # code that asks again and again must not keep the loop from everything else
        return result

    @property
    def is_idle(self) -> bool:
        """Whether the thread does not use the connection, so that `transact` may."""
        return not (self._underway or self._closing) and self._connection is not None

    def transact(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Like `transaction`, in the calling thread. Only while the database `is_idle`."""
        return _atomic(function, self._conn)

    async def checkpoint(self) -> None:
        """Fold the log of commits into the database file."""
        await self.run(lambda connection: connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())


@types.coroutine
def _one_turn() -> Generator[None, None, None]:
    yield


def _atomic(function: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = function(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def _prepare(connection: sqlite3.Connection, migrations: list[Migration]) -> None:
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    is_empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if found != APPLICATION_ID and not is_empty:
        raise StateError("it is a SQLite database, but not one of cfworkflows. Move it away, or use another folder.")
    if version > len(migrations):
        raise StateError(
            f"it was written by a newer cfworkflows (schema {version}, this version knows {len(migrations)}). "
            "Upgrade cfworkflows, or use another folder."
        )
    connection.execute("PRAGMA journal_mode = WAL")
    # Commits survive the death of the process; a power cut may take the last of them, never the database.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # the writer sees to it
    connection.execute("PRAGMA foreign_keys = ON")
    for number, migrate in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        migrate(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")


def _explain(error: Exception) -> str:
    if isinstance(error, StateError):
        return str(error)
    text = str(error)
    if "not a database" in text or "malformed" in text:
        return f"{text}. The file is damaged, or no SQLite database. Move it away to start afresh."
    if "unable to open" in text or "readonly" in text:
        return f"{text}. Check the permissions of the file and its folder."
    return text
