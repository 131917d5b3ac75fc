"""A SQLite database that runs whole functions in its own thread, so that a transaction is one hop."""

import asyncio
import os
import sqlite3
import types
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import aiosqlite

from cfworkflows.errors import CfworkflowsError

T = TypeVar("T")

APPLICATION_ID = 0x63667766  # "cfwf"
Migration = Callable[[sqlite3.Connection], None]

# How much of the log's file is kept for the next one, in bytes, once all of it is folded into the database.
LONGEST_LOG_KEPT = 4 * 1024 * 1024

Durability = Literal["normal", "full"]
"""What a commit survives: the death of the process, or a power cut too, for which each waits until the disk has it."""


class StateError(CfworkflowsError):
    """The stored state cannot be read or written. The text says which file, why, and what can be done."""


class DiskError(StateError):
    """The disk takes or gives nothing: it is full, read-only or broken. It may pass."""


class Database(aiosqlite.Connection):
    """An aiosqlite connection in autocommit mode, with `run` for functions and `transaction` for atomic ones.

    A hop to the thread and back costs several times what a small commit does, which is no more than a copy into the
    page cache. So `transact` does a short transaction where it is called, as long as the thread has nothing to do.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection], where: str, durability: Durability) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._where = where
        self._waits_for_disk = durability == "full"
        self._underway: set[object] = set()
        self._closing = False

    @classmethod
    async def open(
        cls,
        path: Path | None,
        migrations: list[Migration],
        durability: Durability = "normal",
        *,
        may_be_empty: bool = True,
        read_only: bool = False,
    ) -> Self:
        """Open the database at `path`, None for one in memory, and bring its schema up to date.

        With `read_only` nothing of it changes, and its schema has to be up to date. Raises StateError for a file that
        is no database of ours, is damaged, or was written by a newer version; for an empty one too unless it
        `may_be_empty`.
        """
        where = str(path) if path else "in memory"
        name = f"file:{quote(str(path))}?mode=ro" if read_only else path or ":memory:"
        database = cls(
            lambda: sqlite3.connect(name, isolation_level=None, check_same_thread=False, uri=read_only),
            where,
            durability,
        )

        def prepare(connection: sqlite3.Connection) -> None:
            if read_only:
                _check(connection, migrations)
            else:
                _prepare(connection, migrations, durability, may_be_empty)

        try:
            await database
            await database.run(prepare)
            if path is not None and durability == "full":
                await asyncio.to_thread(_sync_folders, path)
        except (sqlite3.DatabaseError, StateError) as error:
            if database._connection is not None:  # aiosqlite has no public way to ask whether it opened
                await database.close()
            else:  # its thread still speaks to the loop as it ends; up to aiosqlite 0.21 the connection is the thread
                thread: Any = getattr(database, "_thread", database)
                await asyncio.to_thread(thread.join)
            if isinstance(error, DiskError):
                raise
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
            except sqlite3.DatabaseError as error:
                self._tell(error)
                raise
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
        try:
            result = function(self._conn)
        except sqlite3.DatabaseError as error:
            self._tell(error)
            raise
        await _one_turn()  # code that asks again and again must not keep the loop from everything else
        return result

    @property
    def is_idle(self) -> bool:
        """Whether the thread does not use the connection, so that others may."""
        return not (self._underway or self._closing) and self._connection is not None

    @property
    def commits_in_place(self) -> bool:
        """Whether `transact` may be called: now, and without waiting for the disk."""
        return self.is_idle and not self._waits_for_disk

    def transact(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Like `transaction`, in the calling thread. Only while the database `commits_in_place`."""
        try:
            return _atomic(function, self._conn)
        except sqlite3.DatabaseError as error:
            self._tell(error)
            raise

    def _tell(self, error: sqlite3.DatabaseError) -> None:
        """Raises StateError if it is the file's fault, or the disk's."""
        kind = _KINDS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if kind is not None:
            raise kind(f"{self._where}: {_explain(error)}") from error

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


def _sync_folders(path: Path) -> None:
    """Sync the names that lead to a new database: SQLite does so for the file, not for folders like `.cfwf/state`."""
    for folder in path.absolute().parents[:3]:
        if os.access(folder, os.R_OK):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _check(connection: sqlite3.Connection, migrations: list[Migration]) -> None:
    if _version(connection, migrations) < len(migrations):
        raise StateError("it was written by an older cfworkflows. Start `cfwf dev` once, which brings it up to date.")


def _prepare(
    connection: sqlite3.Connection, migrations: list[Migration], durability: Durability, may_be_empty: bool
) -> None:
    version = _version(connection, migrations)
    is_empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if is_empty and not may_be_empty:
        raise StateError(
            "it is empty, although this state folder was in use: the file, or its log of commits "
            "(workflows.sqlite-wal), was emptied or removed. Put them back, or remove the file to start afresh."
        )
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL: commits survive the death of the process; a power cut may take the last of them, never the database.
    connection.execute(f"PRAGMA synchronous = {durability}")
    if durability == "full":  # on macOS a sync that reaches no further than the disk's own memory is the default
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # the writer sees to it
    connection.execute(f"PRAGMA journal_size_limit = {LONGEST_LOG_KEPT}")
    connection.execute("PRAGMA foreign_keys = ON")
    for number, migrate in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        migrate(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, migrations: list[Migration]) -> int:
    """How many of the migrations the database has had. Raises StateError if it is not ours, or newer."""
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    is_empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if found != APPLICATION_ID and not is_empty:
        raise StateError("it is a SQLite database, but not one of cfworkflows. Move it away, or use another folder.")
    if version > len(migrations):
        raise StateError(
            f"it was written by a newer cfworkflows (schema {version}, this version knows {len(migrations)}). "
            "Upgrade cfworkflows, or use another folder."
        )
    return version


def _explain(error: Exception) -> str:
    if isinstance(error, StateError):
        return str(error)
    text = str(error)
    if "not a database" in text or "malformed" in text:
        return (
            f"{text}. The file is damaged, or no SQLite database. Move it away to start afresh; "
            "`sqlite3 FILE .recover` shows what can still be read of it."
        )
    if "unable to open" in text or "readonly" in text:
        return f"{text}. Check the permissions of the file and its folder."
    if "full" in text:
        return f"{text}. Free some space."
    return text


_KINDS: dict[int, type[StateError]] = {
    sqlite3.SQLITE_CORRUPT: StateError,
    sqlite3.SQLITE_NOTADB: StateError,
    sqlite3.SQLITE_FULL: DiskError,
    sqlite3.SQLITE_IOERR: DiskError,
    sqlite3.SQLITE_READONLY: DiskError,
    sqlite3.SQLITE_CANTOPEN: DiskError,
}
