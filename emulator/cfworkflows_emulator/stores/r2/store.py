"""The objects and the multipart uploads of a bucket."""

import secrets
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.storage.blobs import Blob, Blobs
from cfworkflows_emulator.storage.connection import Durability
from cfworkflows_emulator.storage.latefile import LateFile
from cfworkflows_emulator.storage.names import file_name
from cfworkflows_emulator.stores.r2.content import Inline, Piece, Pieces
from cfworkflows_emulator.stores.r2.listing import listed
from cfworkflows_emulator.stores.r2.records import (
    FIELDS,
    OBJECT,
    Part,
    Place,
    Rows,
    StoredObject,
    Upload,
    as_json,
    written,
)
from cfworkflows_emulator.stores.r2.schema import MIGRATIONS

if TYPE_CHECKING:
    import apsw

    from cfworkflows_emulator.storage.datafile import DataFile

_INSERT = f"INSERT OR REPLACE INTO objects ({OBJECT}, upload, blob, body) VALUES ({', '.join('?' * 13)})"  # noqa: S608 - constants only
_HEAD = f"SELECT {OBJECT} FROM objects WHERE key = ?"  # noqa: S608 - constants only
_GET = f"SELECT {OBJECT}, upload, blob, body FROM objects WHERE key = ?"  # noqa: S608 - constants only
_UPLOADS = f"SELECT id, key, state, created, {FIELDS} FROM uploads"  # noqa: S608 - constants only
_INSERT_UPLOAD = f"INSERT INTO uploads (id, key, state, created, {FIELDS}) VALUES ({', '.join('?' * 8)})"  # noqa: S608 - constants only

FOLDER = "r2"
"""The folder, in the state folder, with a file and a folder for each bucket."""


def file_of(state: Path, bucket: str) -> Path:
    """The file of a bucket in a state folder."""
    return state / FOLDER / f"{file_name(bucket)}.sqlite"


class R2Store:
    """A bucket, in the file `path` and the folder of the same name; None for one in memory.

    The file is opened when the bucket is first used. Raises StateError and DiskError. One thread uses it.
    """

    def __init__(self, path: Path | None, bucket: str, clock: Clock, durability: Durability = "normal") -> None:
        self._late = LateFile(path, MIGRATIONS, durability, f"The R2 bucket {bucket}")
        self._blobs = Blobs(None if path is None else path.with_suffix("") / "blobs", durability)
        self._clock = clock
        self._is_tidy = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator["R2Store"]:
        """Itself, closed at the end of the block."""
        try:
            yield self
        finally:
            self.close()

    @property
    def file(self) -> LateFile:
        return self._late

    def frozen(self) -> AbstractAsyncContextManager[None]:
        """See `Kept`: threads write new blobs only."""
        return nullcontext()

    @property
    def _file(self) -> "DataFile":
        file = self._late.open()
        if not self._is_tidy:
            self._blobs.collect(file.run(_blobs_in_use))
            self._is_tidy = True
        return file

    def close(self) -> None:
        self._late.close()

    def setting(self, name: str) -> str | None:
        """What is noted of the bucket itself under a name."""
        select = "SELECT value FROM settings WHERE name = ?"
        row = self._file.run(lambda sqlite: sqlite.execute(select, (name,)).fetchone())
        return None if row is None else str(row[0])

    def set_setting(self, name: str, value: str | None) -> None:
        """Note it; None takes it away."""
        if value is None:
            self._file.transact(lambda sqlite: sqlite.execute("DELETE FROM settings WHERE name = ?", (name,)))
        else:
            replace = "INSERT OR REPLACE INTO settings VALUES (?, ?)"
            self._file.transact(lambda sqlite: sqlite.execute(replace, (name, value)))

    def head(self, key: str) -> StoredObject | None:
        row = self._file.run(lambda sqlite: sqlite.execute(_HEAD, (key,)).fetchone())
        return None if row is None else StoredObject.of(row)

    def get(self, key: str) -> tuple[StoredObject, Place] | None:
        """An object, and where its bytes are."""
        row = self._file.run(lambda sqlite: sqlite.execute(_GET, (key,)).fetchone())
        return None if row is None else (StoredObject.of(row[:-3]), Place(*row[-3:]))

    def content(self, place: Place, offset: int, length: int) -> "Piece | Pieces":
        """`length` bytes of an object from `offset` on; to be asked for before anything else happens to it."""
        if place.body is not None:
            data = place.body
            return Inline(data if length == len(data) else data[offset : offset + length])
        if place.blob is not None:
            return self._blobs.read(place.blob, offset, length)
        pieces: list[Piece] = []
        rows = "SELECT size, blob, body FROM parts WHERE upload = ? ORDER BY number"
        found: list[Any] = self._file.run(lambda sqlite: sqlite.execute(rows, (place.upload,)).fetchall())
        for size, blob, body in found:
            count = min(size - offset, length)
            if count > 0:
                whole = Place(None, blob, body)
                pieces.append(self.content(whole, offset, count))  # type: ignore[arg-type]  # a part has no parts
                length -= count
            offset = max(offset - size, 0)
        return Pieces(pieces)

    async def write(self, content: bytes | AsyncIterable[bytes], algorithms: Collection[str]) -> Blob:
        """Write what an object or a part is to have. Raises what `content` raises, and leaves nothing then."""
        _ = self._file  # opened before, since that removes files which nothing refers to
        return await self._blobs.write(content, algorithms)

    def hold(self, data: bytes, algorithms: Collection[str]) -> Blob:
        """The same at once, for what is small, or not on disk at all."""
        return self._blobs.hold(data, algorithms)

    def discard(self, blob: Blob) -> None:
        """Forget what was written."""
        if blob.name is not None:
            self._blobs.remove([blob.name])

    def insert(self, key: str, blob: Blob, etag: str, checksums: Mapping[str, str], /, **fields: Any) -> StoredObject:
        """Make an object of what was written, in place of the one that there is."""
        return self._replace(key, blob.size, etag, checksums, fields, Place(None, blob.name, blob.data))

    def delete(self, keys: Sequence[str]) -> None:
        def delete(sqlite: "apsw.Connection") -> list[str]:
            freed = [name for key in keys for name in _freed(sqlite, key)]
            sqlite.executemany("DELETE FROM objects WHERE key = ?", ((key,) for key in keys))
            return freed

        self._blobs.remove(self._file.transact(delete))

    def rows(self, prefix: str, delimiter: str, after: str | None, start_after: str | None, limit: int) -> Rows:
        return self._file.run(lambda sqlite: listed(sqlite, prefix, delimiter, after, start_after, limit))

    def create_upload(self, key: str, /, **fields: Any) -> Upload:
        upload = Upload(secrets.token_urlsafe(128), key, "open", self._clock.now(), fields)
        row = (upload.id, key, upload.state, upload.created, *written(fields))
        self._file.transact(lambda sqlite: sqlite.execute(_INSERT_UPLOAD, row), is_atomic=True)
        return upload

    def upload(self, id: str) -> Upload | None:
        row = self._file.run(lambda sqlite: sqlite.execute(f"{_UPLOADS} WHERE id = ?", (id,)).fetchone())
        return None if row is None else Upload.of(row)

    def uploads(self, prefix: str) -> list[Upload]:
        """Those that are open, in the order of their keys."""
        select = f"{_UPLOADS} WHERE state = 'open' ORDER BY key, created, id"
        found = map(Upload.of, self._file.run(lambda sqlite: sqlite.execute(select).fetchall()))
        return [each for each in found if each.key.startswith(prefix)]

    def parts(self, id: str) -> dict[int, Part]:
        select = "SELECT number, size, etag, md5, uploaded FROM parts WHERE upload = ? ORDER BY number"
        rows: list[Any] = self._file.run(lambda sqlite: sqlite.execute(select, (id,)).fetchall())
        return {row[0]: Part(*row) for row in rows}

    def add_part(self, id: str, number: int, blob: Blob) -> Part:
        """Make a part of what was written, in place of the one that there is."""
        part = Part(number, blob.size, secrets.token_urlsafe(128), blob.digests["md5"], self._clock.now())

        def add(sqlite: "apsw.Connection") -> list[str]:
            select = "SELECT blob FROM parts WHERE upload = ? AND number = ? AND blob NOT NULL"
            freed = [str(name) for (name,) in sqlite.execute(select, (id, number))]
            row = (id, number, part.size, part.etag, part.md5, part.uploaded, blob.name, blob.data)
            sqlite.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            return freed

        self._blobs.remove(self._file.transact(add))
        return part

    def finish(self, upload: Upload, numbers: Sequence[int], etag: str) -> StoredObject:
        """Make the object of the parts `numbers`, in place of the one that there is; the other parts are dropped."""
        there = self.parts(upload.id)
        size = sum(there[number].size for number in numbers)
        dropped = there.keys() - set(numbers)
        return self._replace(
            upload.key, size, etag, {}, upload.fields, Place(upload.id, None, None), upload.id, list(dropped)
        )

    def abort(self, id: str) -> None:
        def abort(sqlite: "apsw.Connection") -> list[str]:
            freed = _drop_parts(sqlite, id)
            sqlite.execute("UPDATE uploads SET state = 'aborted' WHERE id = ?", (id,))
            return freed

        self._blobs.remove(self._file.transact(abort))

    def _replace(
        self,
        key: str,
        size: int,
        etag: str,
        checksums: Mapping[str, str],
        fields: Mapping[str, Any],
        place: Place,
        completed: str | None = None,
        dropped: Sequence[int] = (),
    ) -> StoredObject:
        """Write the row of an object in one transaction with what that means for others."""
        stored = StoredObject(key, secrets.token_hex(16), size, etag, self._clock.now(), checksums, **fields)
        row = (key, stored.version, size, etag, stored.uploaded, as_json(checksums), *written(fields), *place)

        def replace(sqlite: "apsw.Connection") -> list[str]:
            freed = _freed(sqlite, key)
            if completed is not None:
                freed += _drop_parts(sqlite, completed, dropped)
                sqlite.execute("UPDATE uploads SET state = 'complete' WHERE id = ?", (completed,))
            sqlite.execute(_INSERT, row)
            return freed

        self._blobs.remove(self._file.transact(replace))
        return stored


def _freed(sqlite: "apsw.Connection", key: str) -> list[str]:
    """The files of an object that is about to go; its parts are gone afterwards."""
    row = sqlite.execute("SELECT upload, blob FROM objects WHERE key = ?", (key,)).fetchone()
    if row is None:
        return []
    upload, blob = row
    if upload is not None:
        return _drop_parts(sqlite, upload)
    return [] if blob is None else [str(blob)]


def _drop_parts(sqlite: "apsw.Connection", upload: str, numbers: Sequence[int] | None = None) -> list[str]:
    """Delete parts of an upload, all of them by default. Returns their files."""
    found: list[Any]
    if numbers is None:
        found = sqlite.execute("DELETE FROM parts WHERE upload = ? RETURNING blob", (upload,)).fetchall()
    else:
        delete = "DELETE FROM parts WHERE upload = ? AND number = ? RETURNING blob"
        found = [row for number in numbers for row in sqlite.execute(delete, (upload, number))]
    return [str(name) for (name,) in found if name is not None]


def _blobs_in_use(sqlite: "apsw.Connection") -> set[str]:
    select = "SELECT blob FROM objects WHERE blob NOT NULL UNION ALL SELECT blob FROM parts WHERE blob NOT NULL"
    return {str(name) for (name,) in sqlite.execute(select)}
