"""Instances and their journals in the database."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple

from cfworkflows.values.encoding import text_encoder
from cfworkflows_emulator.engine.journal.entries import Entry, EntryType
from cfworkflows_emulator.engine.journal.schema import KEPT
from cfworkflows_emulator.engine.journal.selection import EVERY, Selection, where
from cfworkflows_emulator.engine.journal.streams import Chunk, StreamStore, add_chunks, erase_all, erase_unfinished
from cfworkflows_emulator.storage import Commits, Database, Insert, Row, StateError, Then


class InstanceRow(NamedTuple):
    """The index of an instance: what lists, counts and timers need without reading its journal. Times in ms.

    `wake_at` is when the earliest timer of a waiting instance is due, `expires_at` when one that ended is deleted.
    `position` orders those that are queued, the smallest first. Its column is called `place`, as it always was.
    """

    key: int
    workflow: str
    id: str
    status: str
    created_at: int
    modified_at: int
    wake_at: int | None = None
    position: int | None = None
    expires_at: int | None = None


class Beginning(NamedTuple):
    """How an instance began: what created it, and when it was first run, in ms; None if it has not been run."""

    trigger: str
    started_at: int | None


# In the order of the fields of InstanceRow.
_COLUMNS = "key, workflow, id, status, created_at, modified_at, wake_at, place, expires_at"
_INSERT = f"INSERT OR IGNORE INTO instances ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants only
_APPEND = Insert("journal", "instance", "seq", "time", "type", "step", "data", "value")
_FIND = f"SELECT {_COLUMNS} FROM instances WHERE workflow = ? AND id = ?"  # noqa: S608 - constants only
_GET = f"SELECT {_COLUMNS} FROM instances WHERE key = ?"  # noqa: S608 - constants only
# Workflow by workflow, each of which is one step in the index: those that sleep are not looked at.
_INTERRUPTED = f"""
    WITH RECURSIVE workflows (name) AS (
        SELECT min(workflow) FROM instances
        UNION ALL
        SELECT (SELECT min(workflow) FROM instances WHERE workflow > name) FROM workflows WHERE name IS NOT NULL
    )
    SELECT {_COLUMNS} FROM workflows JOIN instances ON workflow = name
    WHERE status IN ('queued', 'running', 'waitingForPause', 'rollingBack') AND wake_at IS NULL
    ORDER BY place, created_at, key"""  # noqa: S608 - constants only
_JOURNAL = "SELECT seq, time, type, step, data, value FROM journal WHERE instance = ? AND seq > ? ORDER BY seq"
_ENDING = f"""SELECT seq, time, type, step, data, value FROM journal
    WHERE instance = ? AND step IS NULL AND type != '{EntryType.EVENT_RECEIVED}' ORDER BY seq"""  # noqa: S608 - constants only
_INDEX = "UPDATE instances SET status = ?, modified_at = ?, wake_at = ?, place = ?, expires_at = ? WHERE key = ?"
_EXPIRY = "UPDATE instances SET expires_at = ? WHERE key = ?"
_DELETE = "DELETE FROM instances WHERE key = ?"  # its journal goes with it
_EXPIRE = "DELETE FROM instances WHERE key = ? AND expires_at <= ?"
_ERASE = "DELETE FROM journal WHERE instance = ?"
_ERASE_ENTRY = "DELETE FROM journal WHERE instance = ? AND seq = ?"

# `json.dumps` and `json.loads` check more options than these at each of the many calls.
_to_json = text_encoder(ensure_ascii=True, allow_nan=True)
_raw_decode = json.JSONDecoder().raw_decode

# Up to so many entries are read where they are asked for; more than that, in the thread of the database.
SMALL_JOURNALS = 2_000

# The store has a method of that name.
Rows = list[InstanceRow]
Entries = list[Entry]
Alarms = list[tuple[int, int]]
Kept = list[tuple[int, str, int, dict[str, Any]]]
Beginnings = dict[int, Beginning]
Positions = list[tuple[int, int]]


class InstanceStore:
    """Reads at once, writes in groups: all that is handed over in one turn of the loop is one transaction.

    `append` and its siblings return at once; `flushed()` waits until all that was handed over before is durable.
    After a failed commit nothing more is written, and every waiter gets a StateError. `streams` are the outputs of
    steps that are streams.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commits: Commits[int] = Commits(database, self._written, self._failed)
        self.streams = StreamStore(database, self._commits)
        self._watched: dict[int, list[asyncio.Event]] = {}
        self._followers: list[Callable[[Iterable[int]], None]] = []

    @property
    def failure(self) -> StateError | None:
        """Why nothing is written any more, None as long as all is well."""
        return self._commits.failure

    def held(self) -> AbstractAsyncContextManager[Callable[[Path], None]]:
        """Within the block nothing becomes durable. Gives what copies the database to a path."""
        return self._database.held()

    def check(self) -> None:
        """Raises StateError if nothing is written any more."""
        self._commits.check()

    async def failed(self) -> StateError:
        """Wait until nothing is written any more: why."""
        return await self._commits.failed()

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
        """Wake the watchers of the instances `keys`."""
        changed_keys = set(keys)
        for key in self._watched.keys() & changed_keys:
            for changed in self._watched[key]:
                changed.set()
        for follower in self._followers:
            follower(changed_keys)

    def _written(self, keys: Set[int]) -> None:
        if self._watched or self._followers:
            self.notify(keys)

    def _failed(self) -> None:
        self.notify(self._watched)

    # Writing

    def create(self, row: InstanceRow, entries: Sequence[Entry], chunks: Sequence[Chunk] = ()) -> asyncio.Future[bool]:
        """Add an instance with the start of its journal and of its streams.

        False, and nothing is written, if its id is taken.
        """
        created: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def settle(is_new: bool, error: BaseException | None) -> None:
            if created.done():
                return
            if isinstance(error, asyncio.CancelledError):
                created.cancel()
            elif error is not None:
                created.set_exception(error)
            else:
                created.set_result(is_new)

        self.when_created(row, entries, chunks, settle)
        return created

    def when_created(
        self,
        row: InstanceRow,
        entries: Sequence[Entry],
        chunks: Sequence[Chunk],
        then: Callable[[bool, BaseException | None], None],
    ) -> None:
        """Like `create`: call `then` with what that returns, or with False and the error."""
        outcome: list[bool] = []

        def insert(connection: sqlite3.Connection) -> None:
            outcome.append(connection.execute(_INSERT, row).rowcount == 1)
            if outcome[0]:
                _APPEND(connection, [_row(row.key, entry) for entry in entries])
                if chunks:
                    add_chunks(connection, row.key, chunks)

        self._commits.write(insert)
        self.when_durable(lambda error: then(error is None and outcome[0], error))

    def append(self, key: int, entry: Entry) -> None:
        seq, time, type_, step, data, value = entry
        row = (key, seq, time, type_, step, _text(data), value)
        self._commits.write_row(_APPEND, row, key, len(value) if value is not None else 0)

    def index(
        self,
        key: int,
        status: str,
        modified_at: int,
        wake_at: int | None,
        position: int | None = None,
        expires_at: int | None = None,
    ) -> None:
        """Update the row of an instance."""
        self._commits.write_latest(_INDEX, key, (status, modified_at, wake_at, position, expires_at, key))

    def set_expiry(self, key: int, expires_at: int) -> None:
        """Set the expiry of an instance that has ended, in ms."""
        self._commits.write(lambda connection: connection.execute(_EXPIRY, (expires_at, key)))

    def expire(self, key: int, now: int) -> None:
        """Remove an instance and its journal if its time is over, unless it was restarted meanwhile."""
        self._commits.write(lambda connection: connection.execute(_EXPIRE, (key, now)))

    def delete(self, key: int) -> None:
        """Remove an instance, its journal and its streams."""
        self._commits.write(lambda connection: connection.execute(_DELETE, (key,)))

    def erase_journal(self, key: int) -> None:
        """Erase the journal of an instance, and with it its streams."""

        def erase(connection: sqlite3.Connection) -> None:
            connection.execute(_ERASE, (key,))
            erase_all(connection, key)

        self._commits.write(erase)

    def erase_entries(self, key: int, seqs: Iterable[int]) -> None:
        """Erase some entries of a journal, and the streams that they stand for."""
        rows = [(key, seq) for seq in seqs]

        def erase(connection: sqlite3.Connection) -> None:
            connection.executemany(_ERASE_ENTRY, rows)
            erase_unfinished(connection, key)

        self._commits.write(erase)

    def flushed(self) -> asyncio.Future[None]:
        """Done when everything handed over so far is durable."""
        return self._commits.flushed()

    def write_behind(self) -> None:
        """Write what is pending after all that the loop has to do now, which may have more to write."""
        self._commits.write_behind()

    def when_durable(self, then: Then) -> None:
        """Call `then` when everything handed over so far is durable, or with the error if it cannot be."""
        self._commits.when_durable(then)

    def once_written(self, call: Callable[[], object]) -> None:
        """Call `call` when everything handed over so far is durable, and never if it cannot be. It hurries nothing."""
        self._commits.once_written(call)

    # Reading

    async def find(self, workflow: str, id: str) -> InstanceRow | None:
        try:
            row = await self._database.read(lambda connection: connection.execute(_FIND, (workflow, id)).fetchone())
        except UnicodeEncodeError:  # half of a surrogate pair: nothing has such a name
            return None
        return InstanceRow(*row) if row is not None else None

    async def get(self, key: int) -> InstanceRow | None:
        row = await self._database.read(lambda connection: connection.execute(_GET, (key,)).fetchone())
        return InstanceRow(*row) if row is not None else None

    async def load(self, keys: Sequence[int]) -> list[tuple[InstanceRow, Entries]]:
        """The instances of these keys that exist, each with its whole journal."""

        those = f"IN ({','.join('?' * len(keys))})"
        length = f"SELECT count(*) FROM journal WHERE instance {those}"  # noqa: S608 - question marks
        rows = f"SELECT {_COLUMNS} FROM instances WHERE key {those}"  # noqa: S608
        journals = f"""SELECT instance, seq, time, type, step, data, value FROM journal
            WHERE instance {those} ORDER BY instance, seq"""  # noqa: S608

        def read(connection: sqlite3.Connection) -> list[tuple[InstanceRow, Entries]]:
            found = {row[0]: (InstanceRow(*row), list[Entry]()) for row in connection.execute(rows, keys)}
            for key, seq, time, type_, step, data, value in connection.execute(journals, keys):
                found[key][1].append(Entry(seq, time, type_, step, _from_json(data), value))
            return [found[key] for key in keys if key in found]

        size = await self._database.read(lambda connection: connection.execute(length, keys).fetchone()[0])
        return await (self._database.read(read) if size <= SMALL_JOURNALS else self._database.run(read))

    async def interrupted(self) -> Rows:
        """The instances that were at work when the process ended, then those that were queued, in their order.

        Instances that wait for a time are not among them.
        """
        rows = await self._database.run(lambda connection: connection.execute(_INTERRUPTED).fetchall())
        return [InstanceRow(*row) for row in rows]

    async def next_alarms(self, after: tuple[int, int], limit: int) -> Alarms:
        """The next `limit` alarms, as `(wake_at, key)`, behind the alarm `after`."""
        await self.flushed()
        query = """SELECT wake_at, key FROM instances
            WHERE wake_at IS NOT NULL AND (wake_at, key) > (?, ?) ORDER BY wake_at, key LIMIT ?"""
        return await self._database.run(lambda connection: connection.execute(query, (*after, limit)).fetchall())

    async def next_expiries(self, after: tuple[int, int], limit: int) -> Alarms:
        """The next `limit` expiries, as `(expires_at, key)`, behind the expiry `after`."""
        await self.flushed()
        query = """SELECT expires_at, key FROM instances
            WHERE expires_at IS NOT NULL AND (expires_at, key) > (?, ?) ORDER BY expires_at, key LIMIT ?"""
        return await self._database.run(lambda connection: connection.execute(query, (*after, limit)).fetchall())

    async def kept(self, workflow: str) -> Kept:
        """`(key, status, modified_at, data)` of the instances of a workflow that ended and have no expiry.

        `data` is that of the entry which the journal begins with: what the instance was created with.
        """
        query = f"""SELECT key, status, modified_at, data FROM instances JOIN journal ON instance = key
            WHERE workflow = ? AND {KEPT} AND seq = (SELECT min(seq) FROM journal WHERE instance = key)"""  # noqa: S608
        rows = await self._database.run(lambda connection: connection.execute(query, (workflow,)).fetchall())
        return [(key, status, modified_at, json.loads(data)) for key, status, modified_at, data in rows]

    async def list(self, workflow: str, selection: Selection = EVERY, *, limit: int = 100, offset: int = 0) -> Rows:
        """The instances of a workflow, newest first unless the selection says otherwise."""
        condition, parameters = where(workflow, selection)
        order = "ASC" if selection.oldest_first else "DESC"
        return await self._select(
            f"{condition} ORDER BY created_at {order}, key {order} LIMIT ? OFFSET ?", (*parameters, limit, offset)
        )

    async def count(self, workflow: str, selection: Selection) -> int:
        """How many instances `list` would return without a limit."""
        condition, parameters = where(workflow, selection)
        query = f"SELECT count(*) FROM instances {condition}"  # noqa: S608 - made of the constants in `where`
        return int((await self._database.run(lambda connection: connection.execute(query, parameters).fetchone()))[0])

    async def beginnings(self, keys: Sequence[int]) -> Beginnings:
        """How each of the instances `keys` began, by key, from the first entries of their journals."""
        trigger = "SELECT data FROM journal WHERE instance = ? AND type = ? ORDER BY seq LIMIT 1"
        start = "SELECT time FROM journal WHERE instance = ? AND type = ? ORDER BY seq LIMIT 1"

        def read(connection: sqlite3.Connection) -> Beginnings:
            found: Beginnings = {}
            for key in keys:
                queued = connection.execute(trigger, (key, str(EntryType.WORKFLOW_QUEUED))).fetchone()
                started = connection.execute(start, (key, str(EntryType.WORKFLOW_STARTED))).fetchone()
                if queued is not None:  # else it was deleted since its row was read
                    found[key] = Beginning(json.loads(queued[0])["trigger"], started and started[0])
            return found

        return await self._database.run(read)

    async def counts(self, workflow: str) -> dict[str, int]:
        """How many instances of a workflow are in each status; statuses without any are left out."""
        query = "SELECT status, count(*) FROM instances WHERE workflow = ? GROUP BY status"
        return dict(await self._database.run(lambda connection: connection.execute(query, (workflow,)).fetchall()))

    async def journal(self, key: int, after: int = 0) -> Entries:
        """The entries of an instance whose `seq` is more than `after`, oldest first."""
        return await self._database.run(lambda connection: _entries(connection.execute(_JOURNAL, (key, after))))

    async def ending(self, key: int) -> Entries:
        """The entries of an instance that ended which are about itself: none of a step, and no event."""
        return await self._database.run(lambda connection: _entries(connection.execute(_ENDING, (key,))))

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
                    found[position] = Entry(seq, time, type_, step, _from_json(data), value)
            return found

        return await self._database.run(read)

    async def last_key(self) -> int:
        query = "SELECT coalesce(max(key), 0) FROM instances"
        return int((await self._database.run(lambda connection: connection.execute(query).fetchone()))[0])

    async def _select(self, where: str, parameters: Iterable[Any]) -> Rows:
        query = f"SELECT {_COLUMNS} FROM instances {where}"  # noqa: S608 - `where` is one of the constants above
        rows = await self._database.run(lambda connection: connection.execute(query, tuple(parameters)).fetchall())
        return [InstanceRow(*row) for row in rows]

    def abandon(self) -> None:
        """Write nothing more, as if the process had died here. For tests of crashes."""
        self._commits.abandon()

    async def close(self) -> None:
        """Write what is pending, and close the database."""
        try:
            if self.failure is None and not self._commits.abandoned:  # else its waiters know, or must not be called
                await self.flushed()
        finally:
            self._commits.close()
            await self._database.close()


def _entries(rows: Iterable[tuple[Any, ...]]) -> Entries:
    return [Entry(seq, time, type_, step, _from_json(data), value) for seq, time, type_, step, data, value in rows]


def _from_json(text: str) -> dict[str, Any]:
    if text == "{}":
        return {}
    try:
        data = _raw_decode(text)[0]
    except (ValueError, RecursionError):
        data = None
    # What is not JSON is missing to those who look for it.
    return data if isinstance(data, dict) else {}


def _row(key: int, entry: Entry) -> Row:
    seq, time, type_, step, data, value = entry
    return (key, seq, time, type_, step, _text(data), value)


def _text(data: Mapping[str, Any]) -> str:
    if not data:
        return "{}"
    if len(data) == 1 and (attempt := data.get("attempt")) is not None:  # every other entry of a step
        return f'{{"attempt":{attempt}}}'
    return _to_json(data)
