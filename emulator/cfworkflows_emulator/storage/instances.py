"""Instances and their journals in the database, with one writer that groups commits."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from cfworkflows_emulator.storage.database import Database, Migration, StateError
from cfworkflows_emulator.storage.selection import EVERY, Selection, where

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


@dataclass(frozen=True, slots=True)
class Beginning:
    """How an instance came to be: what created it, and when it was first run, in ms; None if it was not yet."""

    trigger: str
    started_at: int | None


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


def _index_by_creation(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE INDEX instances_by_creation ON instances (workflow, created_at)")


MIGRATIONS: list[Migration] = [_schema, _index_by_creation]

_COLUMNS = "key, workflow, id, status, created_at, modified_at, wake_at"
_INSERT = f"INSERT OR IGNORE INTO instances ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants only
_APPEND = "INSERT INTO journal (instance, seq, time, type, step, data, value) VALUES (?, ?, ?, ?, ?, ?, ?)"
_INDEX = "UPDATE instances SET status = ?, modified_at = ?, wake_at = ? WHERE key = ?"
_DELETE = "DELETE FROM instances WHERE key = ?"  # its journal goes with it
_ERASE = "DELETE FROM journal WHERE instance = ?"
_ERASE_ENTRY = "DELETE FROM journal WHERE instance = ? AND seq = ?"

Operation = Callable[[sqlite3.Connection], None]
Batch = list[Operation | tuple[Any, ...]]
Waiters = list[asyncio.Future[None]]
# The store has a method of that name.
Rows = list[InstanceRow]
Entries = list[Entry]
Alarms = list[tuple[int, int]]
Beginnings = dict[int, Beginning]
Positions = list[tuple[int, int]]


class InstanceStore:
    """Reads at once, writes in groups: whatever is handed over in one turn of the loop is one transaction.

    `append` and its siblings return at once; `flushed()` waits until all that was handed over before is durable.
    After a failed commit nothing more is written, and every waiter gets a StateError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: Batch = []
        self._waiters: Waiters = []
        self._served: Waiters = []
        self._writing: asyncio.Task[None] | None = None
        self._failure: StateError | None = None
        self._watched: dict[int, list[asyncio.Event]] = {}
        self._followers: list[Callable[[Iterable[int]], None]] = []

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

    def follow(self, follower: Callable[[Iterable[int]], None]) -> None:
        """Call `follower` with the keys of all instances whose new entries are durable, whichever they are."""
        self._followers.append(follower)

    def unfollow(self, follower: Callable[[Iterable[int]], None]) -> None:
        self._followers.remove(follower)

    def notify(self, keys: Iterable[int]) -> None:
        """Wake those that watch one of the instances `keys`."""
        changed_keys = set(keys)
        for key in self._watched.keys() & changed_keys:
            for changed in self._watched[key]:
                changed.set()
        for follower in self._followers:
            follower(changed_keys)

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
        """Remove an instance and its journal."""
        self._write(lambda connection: _discard(connection.execute(_DELETE, (key,))))

    def erase_journal(self, key: int) -> None:
        self._write(lambda connection: _discard(connection.execute(_ERASE, (key,))))

    def erase_entries(self, key: int, seqs: Iterable[int]) -> None:
        rows = [(key, seq) for seq in seqs]
        self._write(lambda connection: _discard(connection.executemany(_ERASE_ENTRY, rows)))

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
                    if self._watched or self._followers:
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

    async def list(self, workflow: str, selection: Selection = EVERY, *, limit: int = 100, offset: int = 0) -> Rows:
        """The instances of a workflow, newest first unless the selection says otherwise."""
        condition, parameters = where(workflow, selection)
        order = "ASC" if selection.oldest_first else "DESC"
        return await self._select(
            f"{condition} ORDER BY created_at {order}, key {order} LIMIT ? OFFSET ?", (*parameters, limit, offset)
        )

    async def count(self, workflow: str, selection: Selection) -> int:
        """How many instances `list` would give without a limit."""
        condition, parameters = where(workflow, selection)
        query = f"SELECT count(*) FROM instances {condition}"  # noqa: S608 - made of the constants in `where`
        return int((await self._database.run(lambda connection: connection.execute(query, parameters).fetchone()))[0])

    async def beginnings(self, keys: Sequence[int]) -> Beginnings:
        """How each of the instances `keys` came to be, by key, from the first entries of their journals."""
        trigger = "SELECT data FROM journal WHERE instance = ? AND type = 'workflow_queued' ORDER BY seq LIMIT 1"
        start = "SELECT time FROM journal WHERE instance = ? AND type = 'workflow_started' ORDER BY seq LIMIT 1"

        def read(connection: sqlite3.Connection) -> Beginnings:
            found: Beginnings = {}
            for key in keys:
                queued = connection.execute(trigger, (key,)).fetchone()
                started = connection.execute(start, (key,)).fetchone()
                if queued is not None:  # else it was deleted since its row was read
                    found[key] = Beginning(json.loads(queued[0])["trigger"], started and started[0])
            return found

        return await self._database.run(read)

    async def counts(self, workflow: str) -> dict[str, int]:
        """How many instances of a workflow are in each status; statuses without any are left out."""
        query = "SELECT status, count(*) FROM instances WHERE workflow = ? GROUP BY status"
        return dict(await self._database.run(lambda connection: connection.execute(query, (workflow,)).fetchall()))

    async def journal(self, key: int, after: int = 0) -> Entries:
        """The entries of an instance, oldest first; those whose `seq` is more than `after`."""
        query = "SELECT seq, time, type, step, data, value FROM journal WHERE instance = ? AND seq > ? ORDER BY seq"
        rows = await self._database.run(lambda connection: connection.execute(query, (key, after)).fetchall())
        return [Entry(seq, time, type_, step, json.loads(data), value) for seq, time, type_, step, data, value in rows]

    async def positions(self, workflow: str, since: int) -> Positions:
        """`(key, seq)` of all entries of a workflow's instances since a time in ms, in the order they came in."""
        query = """SELECT instance, seq FROM journal JOIN instances ON key = instance
            WHERE workflow = ? AND time >= ? ORDER BY time, instance, seq"""
        return await self._database.run(lambda connection: connection.execute(query, (workflow, since)).fetchall())

    async def entries(self, positions: Positions) -> Mapping[tuple[int, int], Entry]:
        """The entries at some positions; those that were erased meanwhile are missing."""
        query = "SELECT seq, time, type, step, data, value FROM journal WHERE instance = ? AND seq = ?"

        def read(connection: sqlite3.Connection) -> dict[tuple[int, int], Entry]:
            found = {}
            for position in positions:
                row = connection.execute(query, position).fetchone()
                if row is not None:
                    seq, time, type_, step, data, value = row
                    found[position] = Entry(seq, time, type_, step, json.loads(data), value)
            return found

        return await self._database.run(read)

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
