"""Instances and their journals in the database, with one writer that groups commits."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from cfworkflows_emulator.storage.database import Database, Migration, StateError
from cfworkflows_emulator.storage.streams import StreamStore, add_stream_chunks, erase_all, erase_unfinished

T = TypeVar("T")
log = logging.getLogger("cfworkflows.storage")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an instance's journal.

    `time` is in ms since the epoch. `step` is `name-count` for the entries of a step. `data` is plain JSON; `value`
    is a user's value as the codec encoded it: params, a result, a payload.
    """

    seq: int
    time: int
    type: str
    step: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    value: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """The index of an instance: what lists, counts and timers need without reading its journal. Times in ms.

    `wake_at` is when the earliest timer of a waiting instance is due.
    """

    key: int
    workflow: str
    id: str
    status: str
    created_at: int
    modified_at: int
    wake_at: int | None = None


def _schema(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE instances (
            key INTEGER PRIMARY KEY,
            workflow TEXT NOT NULL,
            id TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            modified_at INTEGER NOT NULL,
            wake_at INTEGER,
            UNIQUE (workflow, id)
        ) STRICT"""
    )
    connection.execute("CREATE INDEX instances_by_wake ON instances (wake_at) WHERE wake_at IS NOT NULL")
    connection.execute("CREATE INDEX instances_by_status ON instances (workflow, status, created_at)")
    connection.execute(
        """CREATE TABLE journal (
            instance INTEGER NOT NULL REFERENCES instances (key) ON DELETE CASCADE,
            seq INTEGER NOT NULL,
            time INTEGER NOT NULL,
            type TEXT NOT NULL,
            step TEXT,
            data TEXT NOT NULL,
            value TEXT,
            PRIMARY KEY (instance, seq)
        ) STRICT, WITHOUT ROWID"""
    )


MIGRATIONS: list[Migration] = [_schema, add_stream_chunks]

_COLUMNS = "key, workflow, id, status, created_at, modified_at, wake_at"
_INSERT = f"INSERT OR IGNORE INTO instances ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants only
_APPEND = "INSERT INTO journal (instance, seq, time, type, step, data, value) VALUES (?, ?, ?, ?, ?, ?, ?)"
_INDEX = "UPDATE instances SET status = ?, modified_at = ?, wake_at = ? WHERE key = ?"
_DELETE = "DELETE FROM instances WHERE key = ?"  # its journal goes with it
_ERASE = "DELETE FROM journal WHERE instance = ?"
_ERASE_ENTRY = "DELETE FROM journal WHERE instance = ? AND seq = ?"

Operation = Callable[[sqlite3.Connection], object]
Batch = list[Operation | tuple[Any, ...]]
Waiters = list[asyncio.Future[None]]
# The store has a method of that name.
Rows = list[InstanceRow]
Entries = list[Entry]
Alarms = list[tuple[int, int]]


class InstanceStore:
    """Reads at once, writes in groups: whatever is handed over in one turn of the loop is one transaction.

    `append` and its siblings return at once; `flushed()` waits until all that was handed over before is durable.
    After a failed commit nothing more is written, and every waiter gets a StateError. `streams` are the outputs of
    steps that are streams.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.streams = StreamStore(database, self._write)
        self._pending: Batch = []
        self._waiters: Waiters = []
        self._served: Waiters = []
        self._writing: asyncio.Task[None] | None = None
        self._failure: StateError | None = None
        self._watched: dict[int, list[asyncio.Event]] = {}

    @property
    def failure(self) -> StateError | None:
        """Why nothing is written any more, None as long as all is well."""
        return self._failure

    # Watching

    def watch(self, key: int, changed: asyncio.Event) -> None:
        """Set `changed` whenever new entries of instance `key` are durable, and if nothing can be written any more."""
        self._watched.setdefault(key, []).append(changed)

    def unwatch(self, key: int, changed: asyncio.Event) -> None:
        self._watched[key].remove(changed)
        if not self._watched[key]:
            del self._watched[key]

    def notify(self, keys: Iterable[int]) -> None:
        """Wake those that watch one of the instances `keys`."""
        for key in self._watched.keys() & set(keys):
            for changed in self._watched[key]:
                changed.set()

    # Writing

    def create(self, row: InstanceRow, entries: Sequence[Entry]) -> asyncio.Future[bool]:
        """Add an instance with the start of its journal. False, and nothing is written, if its id is taken."""
        created: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        outcome: list[bool] = []

        def insert(connection: sqlite3.Connection) -> None:
            values = (row.key, row.workflow, row.id, row.status, row.created_at, row.modified_at, row.wake_at)
            outcome.append(connection.execute(_INSERT, values).rowcount == 1)
            if outcome[0]:
                connection.executemany(_APPEND, [_row(row.key, entry) for entry in entries])

        def settle(written: asyncio.Future[None]) -> None:
            if created.done():
                return
            if written.cancelled():
                created.cancel()
            elif (error := written.exception()) is not None:
                created.set_exception(error)
            else:
                created.set_result(outcome[0])

        self._write(insert)
        self.flushed().add_done_callback(settle)
        return created

    def append(self, key: int, entry: Entry) -> None:
        self._write(_row(key, entry))

    def index(self, key: int, status: str, modified_at: int, wake_at: int | None) -> None:
        """Bring the row of an instance up to date."""
        self._write(lambda connection: _discard(connection.execute(_INDEX, (status, modified_at, wake_at, key))))

    def delete(self, key: int) -> None:
        """Remove an instance, its journal and its streams."""
        self._write(lambda connection: _discard(connection.execute(_DELETE, (key,))))

    def erase_journal(self, key: int) -> None:
        """Erase the journal of an instance, and with it its streams."""

        def erase(connection: sqlite3.Connection) -> None:
            connection.execute(_ERASE, (key,))
            erase_all(connection, key)

        self._write(erase)

    def erase_entries(self, key: int, seqs: Iterable[int]) -> None:
        """Erase some entries of a journal, and the streams that they stand for."""
        rows = [(key, seq) for seq in seqs]

        def erase(connection: sqlite3.Connection) -> None:
            connection.executemany(_ERASE_ENTRY, rows)
            erase_unfinished(connection, key)

        self._write(erase)

    def flushed(self) -> asyncio.Future[None]:
        """Done when everything handed over so far is durable."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._failure is not None:
            waiter.set_exception(self._failure)
            waiter.exception()  # not every waiter is awaited
        elif not self._pending and self._writing is None:
            waiter.set_result(None)
        else:
            self._waiters.append(waiter)
            self._start_writing()
        return waiter

    def _write(self, operation: Operation | tuple[Any, ...]) -> None:
        if self._failure is None:
            self._pending.append(operation)
            self._start_writing()

    def _start_writing(self) -> None:
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_pending())
            self._writing.add_done_callback(self._stopped_writing)

    async def _write_pending(self) -> None:
        try:
            while self._pending or self._waiters:
                batch, self._pending = self._pending, []
                self._served, self._waiters = self._waiters, []
                if batch:
                    await self._database.transaction(partial(_apply, batch))
                    if self._watched:
                        self.notify(operation[0] for operation in batch if isinstance(operation, tuple))
                for waiter in self._served:
                    if not waiter.done():
                        waiter.set_result(None)
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of the batch is durable
            self._fail(error)

    def _stopped_writing(self, task: asyncio.Task[None]) -> None:
        self._writing = None
        if task.cancelled():  # the process ends: whether it was written, nobody can tell
            for waiter in self._served:
                waiter.cancel()
        if any(not waiter.done() for waiter in self._waiters):
            self._start_writing()

    def _fail(self, error: Exception) -> None:
        self._failure = StateError(
            f"The state cannot be written: {error}. What was stored before is safe, nothing is stored from here on: "
            "see to the disk and the permissions of the state folder, then start again."
        )
        self._failure.__cause__ = error
        log.critical("%s", self._failure, exc_info=error)
        for waiter in self._served + self._waiters:
            if not waiter.done():
                waiter.set_exception(self._failure)
                waiter.exception()
        self._pending, self._waiters = [], []
        self.notify(self._watched)

    # Reading

    async def find(self, workflow: str, id: str) -> InstanceRow | None:
        rows = await self._select("WHERE workflow = ? AND id = ?", (workflow, id))
        return rows[0] if rows else None

    async def get(self, key: int) -> InstanceRow | None:
        rows = await self._select("WHERE key = ?", (key,))
        return rows[0] if rows else None

    async def interrupted(self) -> Rows:
        """The instances that were at work when the process ended, oldest first; those that wait are not among them."""
        return await self._select(
            "WHERE status IN ('queued', 'running', 'waitingForPause', 'rollingBack') AND wake_at IS NULL "
            "ORDER BY created_at, key",
            (),
        )

    async def next_alarms(self, after: tuple[int, int], limit: int) -> Alarms:
        """`(wake_at, key)` of the instances that are due next, from behind the one that is given."""
        query = """SELECT wake_at, key FROM instances
            WHERE wake_at IS NOT NULL AND (wake_at, key) > (?, ?) ORDER BY wake_at, key LIMIT ?"""
        return await self._database.run(lambda connection: connection.execute(query, (*after, limit)).fetchall())

    async def list(self, workflow: str, *, statuses: Sequence[str] = (), limit: int = 100, offset: int = 0) -> Rows:
        """The instances of a workflow, newest first; all of them, or those in one of `statuses`."""
        where, parameters = _of_workflow(workflow, statuses)
        return await self._select(
            f"{where} ORDER BY created_at DESC, key DESC LIMIT ? OFFSET ?", (*parameters, limit, offset)
        )

    async def counts(self, workflow: str) -> dict[str, int]:
        """How many instances of a workflow are in each status; statuses without any are left out."""
        query = "SELECT status, count(*) FROM instances WHERE workflow = ? GROUP BY status"
        return dict(await self._database.run(lambda connection: connection.execute(query, (workflow,)).fetchall()))

    async def journal(self, key: int, after: int = 0) -> Entries:
        """The entries of an instance, oldest first; those whose `seq` is more than `after`."""
        query = "SELECT seq, time, type, step, data, value FROM journal WHERE instance = ? AND seq > ? ORDER BY seq"
        rows = await self._database.run(lambda connection: connection.execute(query, (key, after)).fetchall())
        return [Entry(seq, time, type_, step, json.loads(data), value) for seq, time, type_, step, data, value in rows]

    async def last_key(self) -> int:
        query = "SELECT coalesce(max(key), 0) FROM instances"
        return int((await self._database.run(lambda connection: connection.execute(query).fetchone()))[0])

    async def _select(self, where: str, parameters: Iterable[Any]) -> Rows:
        query = f"SELECT {_COLUMNS} FROM instances {where}"  # noqa: S608 - `where` is one of the constants above
        rows = await self._database.run(lambda connection: connection.execute(query, tuple(parameters)).fetchall())
        return [InstanceRow(*row) for row in rows]

    async def close(self) -> None:
        """Write what is pending, and close the database."""
        try:
            await self.flushed()
        finally:
            await self._database.close()


def _of_workflow(workflow: str, statuses: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    if not statuses:
        return "WHERE workflow = ?", (workflow,)
    return f"WHERE workflow = ? AND status IN ({', '.join('?' * len(statuses))})", (workflow, *statuses)


def _row(key: int, entry: Entry) -> tuple[Any, ...]:
    data = json.dumps(entry.data, separators=(",", ":")) if entry.data else "{}"
    return (key, entry.seq, entry.time, entry.type, entry.step, data, entry.value)


def _apply(batch: Batch, connection: sqlite3.Connection) -> None:
    rows: list[tuple[Any, ...]] = []
    for operation in batch:
        if isinstance(operation, tuple):
            rows.append(operation)
            continue
        if rows:
            connection.executemany(_APPEND, rows)
            rows = []
        operation(connection)
    if rows:
        connection.executemany(_APPEND, rows)


def _discard(_: object) -> None:
    """An operation has no result."""
