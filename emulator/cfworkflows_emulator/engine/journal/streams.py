"""The outputs of steps that are streams, in chunks."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cfworkflows_emulator.engine.journal.entries import EntryType
from cfworkflows_emulator.storage import Commits, Database


class Chunk(NamedTuple):
    """A piece of a stream: chunk `number`, counted from 0, of the result of attempt `attempt` of a step."""

    step: str
    attempt: int
    number: int
    data: bytes


class StoredStream(NamedTuple):
    """What the journal says of a stream that was stored whole. `size` is in bytes; `preview` is its start, for people.

    `seq` is the journal entry's, which a restart erases: so a later stream in the same place is not mistaken for it.
    """

    seq: int
    attempt: int
    chunks: int
    size: int
    preview: str | None = None

    @classmethod
    def of(cls, seq: int, data: Mapping[str, Any]) -> "StoredStream | None":
        """The stream of the `step_completed` entry with this `data`, None if it has another result."""
        stream = data.get("stream")
        if stream is None:
            return None
        return cls(seq, stream["attempt"], stream["chunks"], stream["bytes"], stream.get("preview"))


def add_stream_chunks(connection: sqlite3.Connection) -> None:
    """The migration."""
    connection.execute(
        """CREATE TABLE stream_chunks (
            instance INTEGER NOT NULL REFERENCES instances (key) ON DELETE CASCADE,
            step TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            number INTEGER NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (instance, step, attempt, number)
        ) STRICT"""
    )


_APPEND = "INSERT INTO stream_chunks (instance, step, attempt, number, data) VALUES (?, ?, ?, ?, ?)"
_ERASE_ATTEMPT = "DELETE FROM stream_chunks WHERE instance = ? AND step = ? AND attempt = ?"
_ERASE_ALL = "DELETE FROM stream_chunks WHERE instance = ?"
_ERASE_UNFINISHED = f"""DELETE FROM stream_chunks WHERE instance = :key AND (step, attempt) NOT IN (
    SELECT step, json_extract(data, '$.stream.attempt') FROM journal
    WHERE instance = :key AND type = '{EntryType.STEP_COMPLETED}' AND json_extract(data, '$.stream.attempt') IS NOT NULL
)"""  # noqa: S608 - constants only
_READ = """SELECT data FROM stream_chunks WHERE instance = :key AND step = :step AND attempt = :attempt
    AND number = :number AND EXISTS (SELECT 1 FROM journal WHERE instance = :key AND seq = :seq)"""
_SIZE = """SELECT
    (SELECT coalesce(sum(length(data)), 0) FROM stream_chunks WHERE instance = :key)
    + (SELECT coalesce(sum(length(data) + coalesce(length(CAST(value AS BLOB)), 0)), 0)
        FROM journal WHERE instance = :key)"""


class StreamStore:
    """Chunks are written in the transactions of the journal, in the order in which they are handed over.

    A chunk that belongs to no `step_completed` entry is of an attempt that runs.
    """

    def __init__(self, database: Database, commits: Commits[int]) -> None:
        self._database = database
        self._commits = commits

    def append(self, key: int, step: str, attempt: int, number: int, data: bytes) -> None:
        """Add chunk `number`, counted from 0, to the stream of attempt `attempt` of a step."""
        self._commits.write(
            lambda connection: connection.execute(_APPEND, (key, step, attempt, number, data)), size=len(data)
        )

    def erase_attempt(self, key: int, step: str, attempt: int) -> None:
        self._commits.write(lambda connection: connection.execute(_ERASE_ATTEMPT, (key, step, attempt)))

    def erase_unfinished(self, key: int) -> None:
        """Erase what no `step_completed` entry of the journal stands for, as it is by then."""
        self._commits.write(lambda connection: erase_unfinished(connection, key))

    async def read(self, key: int, step: str, stream: StoredStream, number: int) -> bytes | None:
        """A chunk; None if it is not there any more."""
        place = {"key": key, "step": step, "attempt": stream.attempt, "number": number, "seq": stream.seq}
        row = await self._database.run(lambda connection: connection.execute(_READ, place).fetchone())
        return row[0] if row is not None else None

    async def size(self, key: int) -> int:
        """The bytes that are stored of an instance, in its journal and its streams."""
        row = await self._database.run(lambda connection: connection.execute(_SIZE, {"key": key}).fetchone())
        return int(row[0])


def add_chunks(connection: sqlite3.Connection, key: int, chunks: Iterable[Chunk]) -> None:
    connection.executemany(_APPEND, [(key, each.step, each.attempt, each.number, each.data) for each in chunks])


def erase_unfinished(connection: sqlite3.Connection, key: int) -> None:
    connection.execute(_ERASE_UNFINISHED, {"key": key})


def erase_all(connection: sqlite3.Connection, key: int) -> None:
    connection.execute(_ERASE_ALL, (key,))
