"""The data of a KV namespace: a row for each key."""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cfworkflows_bindings.kv import Entry, Listed, Page
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.storage import Durability
from cfworkflows_emulator.storage.latefile import LateFile
from cfworkflows_emulator.storage.names import file_name
from cfworkflows_emulator.storage.peer import Peer, Taken, opened

if TYPE_CHECKING:
    import apsw

T = TypeVar("T")

FOLDER = "kv"
"""The folder, in the state folder, with a file for each namespace."""

LARGE_BYTES = 1024 * 1024
"""A longer value is written in a thread, so that the event loop goes on meanwhile."""

SWEEP_MS = 60_000
"""How often what has expired is erased, at most, in ms of the project's clock."""

SWEPT = 1000
"""How many entries are erased at once."""

LAST_CHARACTER = "\U0010ffff"

_SURROGATES = range(0xD800, 0xE000)


def file_of(state: Path, namespace: str) -> Path:
    """The file of a namespace in a state folder."""
    return state / FOLDER / f"{file_name(namespace)}.sqlite"


class KVStore:
    """The entries of a namespace, in a file, or in memory where `path` is None. What has expired by `clock` is not
    there. The file is opened when it is first used, and used in place; only large values are written in a thread, and
    whoever comes meanwhile waits.
    """

    def __init__(self, path: Path | None, namespace: str, clock: Clock, durability: Durability = "normal") -> None:
        self._file = LateFile(path, MIGRATIONS, durability, f"The KV namespace {namespace}")
        self._clock = clock
        self._writing: asyncio.Future[Any] | None = None
        self._next_sweep = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["KVStore"]:
        """Itself, closed at the end of the block."""
        try:
            yield self
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the file, once what is being written is written."""
        while self._writing is not None:
            await asyncio.wait([self._writing])
        self._file.close()

    @property
    def file(self) -> LateFile:
        return self._file

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """See `Kept`."""
        while self._writing is not None:
            await asyncio.wait([self._writing])
        self._writing = held = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            self._writing = None
            held.set_result(None)

    def now(self) -> int:
        return self._clock.now()

    def fill(self, values: Mapping[str, bytes]) -> None:
        """Put in values, at once, before anybody else uses it."""
        rows = [(_text(key), None, None, value) for key, value in values.items()]
        if rows:
            self._file.open().transact(lambda sqlite: sqlite.executemany(_PUT, rows))

    async def get(self, key: str) -> Entry | None:
        return (await self.get_many((key,))).get(key)

    async def get_many(self, keys: Sequence[str]) -> dict[str, Entry]:
        now = self.now()

        def read(sqlite: "apsw.Connection") -> dict[str, Entry]:
            found = {}
            for key in keys:
                for value, expiration, metadata in sqlite.execute(_GET, (_text(key), now)):
                    found[key] = Entry(value, expiration, metadata)
            return found

        return await self._run(read)

    async def put(self, key: str, entry: Entry) -> None:
        row = (_text(key), entry.expiration, entry.metadata, entry.value)

        def write(sqlite: "apsw.Connection") -> None:
            sqlite.execute(_PUT, row)

        await self._change(write, is_large=len(entry.value) > LARGE_BYTES)

    async def put_many(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """Put in all of them, or none."""
        rows = [(_text(key), entry.expiration, entry.metadata, entry.value) for key, entry in entries]

        def write(sqlite: "apsw.Connection") -> None:
            sqlite.executemany(_PUT, rows)

        await self._change(write, is_large=sum(len(entry.value) for _, entry in entries) > LARGE_BYTES)

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Delete all of them, or none."""
        rows = [(_text(key),) for key in keys]
        await self._change(lambda sqlite: sqlite.executemany(_DELETE, rows))

    async def delete(self, key: str) -> None:
        await self._change(lambda sqlite: sqlite.execute(_DELETE, (_text(key),)))

    async def list(self, prefix: str, after: str | None, limit: int) -> Page:
        now, prefix = self.now(), _text(prefix)
        start = max(prefix, _text(after) + "\0") if after else prefix
        end = _behind(prefix)

        def read(sqlite: "apsw.Connection") -> Sequence[Listed]:
            rows = sqlite.execute(_LIST, (start, end, now, limit + 1))
            return [Listed(*row) for row in rows]

        found = await self._run(read)
        return Page(found[:limit], len(found) <= limit)

    async def _run(self, function: "Callable[[apsw.Connection], T]") -> T:
        while self._writing is not None:
            await asyncio.wait([self._writing])
        return self._file.open().run(function)

    async def _change(self, function: "Callable[[apsw.Connection], object]", *, is_large: bool = False) -> None:
        """Commit what `function` does. It goes to a thread if it takes long: for its bytes, or as the disk is waited
        for.
        """
        while self._writing is not None:
            await asyncio.wait([self._writing])
        file = self._file.open()
        if (now := self.now()) >= self._next_sweep:
            self._next_sweep = now + SWEEP_MS
            file.transact(lambda sqlite: sqlite.execute(_SWEEP, (now, SWEPT)), is_atomic=True)
        if not is_large and not file.waits_for_disk:
            file.transact(function, is_atomic=True)
            return
        loop = asyncio.get_running_loop()
        self._writing = writing = loop.run_in_executor(None, lambda: file.transact(function, is_atomic=True))
        writing.add_done_callback(self._written)
        # Who is cancelled meanwhile does not wait; the others do, and the file stays open.
        await asyncio.shield(writing)

    def _written(self, writing: "asyncio.Future[Any]") -> None:
        self._writing = None
        if not writing.cancelled():
            writing.exception()


def _text(text: str) -> str:
    """Text as UTF-8 can have it: half a surrogate pair is a question mark, as in values."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _behind(prefix: str) -> str:
    """A text after all those that begin with `prefix`, in the order of UTF-8, which is that of code points."""
    for index in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[index])
        if code < ord(LAST_CHARACTER):
            code += 1
            return prefix[:index] + chr(_SURROGATES.stop if code in _SURROGATES else code)
    return LAST_CHARACTER * 200  # longer than any key


def described(connection: sqlite3.Connection) -> dict[str, str]:
    """The keys. See `KeptFolder`."""
    rows = connection.execute("SELECT key, value, expiration, metadata FROM entries")
    return {
        key: f"{len(value):,} bytes, {hashlib.md5(value + repr(more).encode(), usedforsecurity=False).hexdigest()[:8]}"
        for key, value, *more in rows
    }


def taken_over(peer: Peer, namespace: str, state: Path) -> Taken | None:
    """Copy a namespace of `wrangler dev` into a state folder; None if there is none."""
    source = peer.file(FOLDER, "miniflare-KVNamespaceObject", namespace)
    if source is None:
        return None
    from cfworkflows_emulator.storage.datafile import DataFile

    file = DataFile(file_of(state, namespace), MIGRATIONS)
    with opened(source) as connection, closing(file):
        rows = connection.execute("SELECT key, expiration, metadata, blob_id FROM _mf_entries").fetchall()

        def write(sqlite: "apsw.Connection") -> None:
            for key, expires_ms, metadata, blob in rows:
                expiration = None if expires_ms is None else -(-int(expires_ms) // 1000)
                sqlite.execute(_PUT, (key, expiration, metadata, peer.blob(FOLDER, namespace, blob).read_bytes()))

        file.transact(write)
    return Taken(f"{FOLDER}/{namespace}", "keys", len(rows))


def _entries(sqlite: "apsw.Connection") -> None:
    # The value is the last column: whoever lists keys reads no page of it.
    sqlite.execute(
        "CREATE TABLE entries (key TEXT NOT NULL UNIQUE, expiration INTEGER, metadata TEXT, value BLOB NOT NULL)"
    )
    sqlite.execute("CREATE INDEX entries_by_expiration ON entries (expiration) WHERE expiration IS NOT NULL")


MIGRATIONS = (_entries,)
"""What made the table, the oldest first."""

_GET = "SELECT value, expiration, metadata FROM entries WHERE key = ? AND (expiration IS NULL OR expiration * 1000 > ?)"
_PUT = (
    "INSERT INTO entries (key, expiration, metadata, value) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
    "SET expiration = excluded.expiration, metadata = excluded.metadata, value = excluded.value"
)
_DELETE = "DELETE FROM entries WHERE key = ?"
_LIST = (
    "SELECT key, expiration, metadata FROM entries WHERE key >= ? AND key < ? "
    "AND (expiration IS NULL OR expiration * 1000 > ?) ORDER BY key LIMIT ?"
)
_SWEEP = "DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE expiration <= ? / 1000 LIMIT ?)"
