"""One SQLite connection: how it is opened, which schema it has, and what its errors say."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar
from urllib.parse import quote

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.storage.place import Place

T = TypeVar("T")


class Speaks(Protocol):
    """A connection of a library, as far as this module speaks to it."""

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, statement: str, /) -> Any: ...

    def close(self) -> None: ...


C = TypeVar("C", bound=Speaks)

APPLICATION_ID = 0x63667766  # "cfwf"
Migration = Callable[[C], None]


class Library(NamedTuple, Generic[C]):
    """A library for SQLite: how it connects to a path (None: in memory; the flag: read-only), which errors it raises,
    and where they have SQLite's code.
    """

    connect: Callable[[Path | None, bool], C]
    error: type[Exception]
    code: Callable[[Exception], int]


# How much of the log's file is kept for the next one, in bytes, once all of it is folded into the database.
LONGEST_LOG_KEPT = 4 * 1024 * 1024

Durability = Literal["normal", "full"]
"""What a commit survives: the death of the process, or a power cut too, for which each waits until the disk has it."""


class StateError(CfworkflowsError):
    """The stored state cannot be read or written. The text says which file, why, and what can be done."""


class DiskError(StateError):
    """The disk cannot be read or written: it is full, read-only or broken. It may pass."""


class RemovedError(DiskError):
    """The file has gone, with what was stored in it, or another one has taken its place."""


class Connection(Generic[C]):
    """A SQLite connection in autocommit mode, for one thread at a time. Opens the database at `path` with `library`,
    None for one in memory, and brings its schema up to date: `migrations` has all of them, the oldest first.

    With `read_only` nothing of it changes, and its schema has to be up to date. The log of commits is folded into the
    file by SQLite if `folds_its_log`, else by `checkpoint`. Raises StateError for a file that is no
    database of cfworkflows, is damaged, or was written by a newer version; and for an empty one unless `may_be_empty`.

    `sqlite` is the connection of the library. Only what goes through `run` and `transact` has its errors translated.
    """

    def __init__(
        self,
        path: Path | None,
        library: Library[C],
        migrations: Sequence[Migration[C]],
        durability: Durability = "normal",
        *,
        may_be_empty: bool = True,
        read_only: bool = False,
        folds_its_log: bool = False,
    ) -> None:
        self.waits_for_disk = durability == "full"
        self._library = library
        self._where = str(path) if path else "in memory"
        self._log = path.with_name(f"{path.name}-wal") if path is not None else None
        try:
            self.sqlite = library.connect(path, read_only)
        except library.error as error:
            raise StateError(f"{self._where}: {_explain(error)}") from error
        try:
            version = _version(self.sqlite, len(migrations))
            if read_only:
                _check_is_current(version, len(migrations))
            else:
                if not may_be_empty:
                    _check_is_not_empty(self.sqlite, path)
                _configure(self.sqlite, durability, folds_its_log)
                self._migrate(migrations, version)
            if path is not None and self.waits_for_disk:
                _sync_folders(path)
            self._place = Place(path) if path is not None else None
        except BaseException as error:
            self.close()
            if isinstance(error, library.error):
                kind = self._kind(error) or StateError
                raise kind(f"{self._where}: {_explain(error)}") from error
            if isinstance(error, StateError):
                raise StateError(f"{self._where}: {error}") from error
            raise

    def run(self, function: Callable[[C], T]) -> T:
        """The result of `function(sqlite)`. Raises StateError if it fails by the fault of the file or the disk."""
        try:
            return function(self.sqlite)
        except self._library.error as error:
            self._translate(error)
            raise

    def transact(self, function: Callable[[C], T], *, is_atomic: bool = False) -> T:
        """Like `run`, in a transaction: all of it is durable afterwards, or none of it happened.

        With `is_atomic` the function executes no more than one statement. SQLite makes a transaction of it by itself,
        with the same lock, and undoes all of it if it fails, be it in the commit; BEGIN and COMMIT would be two
        statements more. The exception is a conflict that is resolved with FAIL, which keeps the rows before it.
        """
        if self._place is not None and self._place.is_lost():
            raise RemovedError(f"{self._where}: the file, or its folder, was removed or replaced while it was in use")
        try:
            return function(self.sqlite) if is_atomic else _in_transaction(self.sqlite, function)
        except self._library.error as error:
            self._translate(error)
            raise

    def checkpoint(self, *, shorten: bool = False) -> None:
        """Fold the log of commits into the database file. Asked to `shorten`, it frees what a long log has taken."""
        self.run(lambda sqlite: sqlite.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())
        if shorten and self._log is not None and self._log.stat().st_size > LONGEST_LOG_KEPT:
            self.run(_shorten)

    def close(self) -> None:
        self.sqlite.close()

    def _migrate(self, migrations: Sequence[Migration[C]], version: int) -> None:
        for number, migrate in enumerate(migrations[version:], start=version + 1):
            self.sqlite.execute("BEGIN IMMEDIATE")
            migrate(self.sqlite)
            self.sqlite.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self.sqlite.execute(f"PRAGMA user_version = {number}")
            self.sqlite.execute("COMMIT")

    def _translate(self, error: Exception) -> None:
        """Raises StateError if it is the file's fault, or the disk's."""
        kind = self._kind(error)
        if kind is not None:
            raise kind(f"{self._where}: {_explain(error)}") from error

    def _kind(self, error: Exception) -> type[StateError] | None:
        """What an error is if it is the file's fault, or the disk's."""
        return _KINDS.get(self._library.code(error) & 0xFF)


def _in_transaction(sqlite: C, function: Callable[[C], T]) -> T:
    sqlite.execute("BEGIN IMMEDIATE")
    try:
        result = function(sqlite)
        sqlite.execute("COMMIT")
    except BaseException:
        if sqlite.in_transaction:
            sqlite.execute("ROLLBACK")
        raise
    return result


def _version(sqlite: Speaks, known: int) -> int:
    """How many of the migrations the database has had. Raises StateError if it is another program's, or newer."""
    found = sqlite.execute("PRAGMA application_id").fetchone()[0]
    version = int(sqlite.execute("PRAGMA user_version").fetchone()[0])
    if found != APPLICATION_ID and not _is_empty(sqlite):
        raise StateError("it is a SQLite database, but not one of cfworkflows. Move it away, or use another folder.")
    if version > known:
        raise StateError(
            f"it was written by a newer cfworkflows (schema {version}, this version knows {known}). "
            "Upgrade cfworkflows, or use another folder."
        )
    return version


def _is_empty(sqlite: Speaks) -> bool:
    return bool(sqlite.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0)


def _check_is_current(version: int, known: int) -> None:
    if version < known:
        raise StateError("it was written by an older cfworkflows. Start `cfwf dev` once, which brings it up to date.")


def _check_is_not_empty(sqlite: Speaks, path: Path | None) -> None:
    if _is_empty(sqlite):
        log = f" ({path.name}-wal)" if path is not None else ""
        raise StateError(
            f"it is empty, although this state folder was in use: the file, or its log of commits{log}, "
            "was emptied or removed. Put them back, or remove the file to start afresh."
        )


def _configure(sqlite: Speaks, durability: Durability, folds_its_log: bool) -> None:
    sqlite.execute("PRAGMA journal_mode = WAL")
    # NORMAL: commits survive the death of the process; a power cut may take the last of them, never the database.
    sqlite.execute(f"PRAGMA synchronous = {durability}")
    if durability == "full":  # on macOS a sync that reaches no further than the disk's own memory is the default
        sqlite.execute("PRAGMA fullfsync = ON")
        sqlite.execute("PRAGMA checkpoint_fullfsync = ON")
    if not folds_its_log:
        sqlite.execute("PRAGMA wal_autocheckpoint = 0")
    sqlite.execute(f"PRAGMA journal_size_limit = {LONGEST_LOG_KEPT}")
    sqlite.execute("PRAGMA foreign_keys = ON")


def _shorten(sqlite: Speaks) -> None:
    """Empty the log, unless another process reads it just now, which is not waited for."""
    timeout = sqlite.execute("PRAGMA busy_timeout").fetchone()[0]
    sqlite.execute("PRAGMA busy_timeout = 0")
    try:
        sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        sqlite.execute(f"PRAGMA busy_timeout = {timeout}")


def _sync_folders(path: Path) -> None:
    """Sync the names that lead to a new database: SQLite does so for the file, not for folders like `.cfwf/state`."""
    for folder in path.absolute().parents[:3]:
        if os.access(folder, os.R_OK):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _explain(error: Exception) -> str:
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


def _connect(path: Path | None, read_only: bool) -> sqlite3.Connection:
    name = f"file:{quote(str(path))}?mode=ro" if read_only else path or ":memory:"
    return sqlite3.connect(name, isolation_level=None, check_same_thread=False, uri=read_only)


def _code(error: Exception) -> int:
    return int(getattr(error, "sqlite_errorcode", 0))


SQLITE3: Library[sqlite3.Connection] = Library(_connect, sqlite3.DatabaseError, _code)
"""The standard library's, below aiosqlite."""
