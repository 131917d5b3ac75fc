"""A file of data beside the journal: a namespace, a database, a bucket or an object each has one of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

from cfworkflows_emulator.storage.connection import Connection, Durability, Library, Migration


class DataFile(Connection[apsw.Connection]):
    """A SQLite file that is used in place, in the thread of its owner: what most statements do costs less than a hop to
    a thread and back. `path` None is a database in memory. Folders above it are made.

    Its library is apsw, which has what the platform's own SQLite has: JSONB, FTS5, an authorizer, limits, and the place
    of a mistake in a statement. Never open a file with two libraries in one process: the locks of POSIX belong to the
    process, and closing one of the two would free those of the other.

    Raises StateError for a file that is damaged, another program's, or a newer version's, and DiskError where it can
    not be written.
    """

    def __init__(
        self,
        path: Path | None,
        migrations: Sequence[Migration[apsw.Connection]],
        durability: Durability = "normal",
        *,
        read_only: bool = False,
    ) -> None:
        self.path = path
        if path is not None and not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, APSW, migrations, durability, read_only=read_only, folds_its_log=True)

    def copy_to(self, path: Path) -> None:
        """Write a copy of one moment to `path`, which becomes a database without a log. Raises StateError."""
        target = apsw.Connection(str(path))
        try:
            self.run(lambda sqlite: _copied(target, sqlite))
        finally:
            target.close()


def _copied(target: apsw.Connection, source: apsw.Connection) -> None:
    with target.backup("main", source, "main") as backup:
        while not backup.done:
            backup.step(-1)


def _connect(path: Path | None, read_only: bool) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    return apsw.Connection(":memory:" if path is None else str(path), flags=flags)


def _code(error: Exception) -> int:
    result: Any = getattr(error, "result", 0)
    return int(result)


APSW: Library[apsw.Connection] = Library(_connect, apsw.Error, _code)
