"""A bucket as `wrangler dev` keeps it: rows, and a file for each body."""

import json
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import apsw

from cfworkflows_emulator.storage.blobs import INLINE
from cfworkflows_emulator.storage.copies import BLOBS
from cfworkflows_emulator.storage.datafile import DataFile
from cfworkflows_emulator.storage.peer import Peer, Taken, opened
from cfworkflows_emulator.stores.r2.schema import MIGRATIONS
from cfworkflows_emulator.stores.r2.store import FOLDER, file_of

_CLASS = "miniflare-R2BucketObject"
_OBJECTS = (
    "SELECT key, blob_id, version, size, etag, uploaded, checksums, http_metadata, custom_metadata FROM _mf_objects"
)
_PARTS = "SELECT blob_id FROM _mf_multipart_parts WHERE object_key = ? ORDER BY part_number"
_INSERT = (
    "INSERT INTO objects (key, version, size, etag, uploaded, checksums, http, custom, storage_class, blob, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'Standard', ?, ?)"
)


def taken_over(peer: Peer, bucket: str, state: Path) -> Taken | None:
    """Copy the objects of a bucket into a state folder; None if there is none. Multipart uploads that were not
    completed are left.
    """
    source = peer.file(FOLDER, _CLASS, bucket)
    if source is None:
        return None
    target = file_of(state, bucket)
    blobs = target.with_suffix("") / BLOBS
    blobs.mkdir(parents=True, exist_ok=True)
    file = DataFile(target, MIGRATIONS)
    with opened(source) as connection, closing(file):
        rows = connection.execute(_OBJECTS).fetchall()

        def write(sqlite: apsw.Connection) -> None:
            for key, blob, version, size, etag, uploaded, checksums, http, custom in rows:
                found = [blob] if blob is not None else _parts(connection, key)
                name, body = _body([peer.blob(FOLDER, bucket, each) for each in found], size, blobs)
                data = (json.dumps(json.loads(text or "{}"), ensure_ascii=False) for text in (checksums, http, custom))
                sqlite.execute(_INSERT, (key, version, size, etag, uploaded, *data, name, body))

        file.transact(write)
        [uploads] = connection.execute("SELECT count(*) FROM _mf_multipart_uploads WHERE state = 0").fetchone()
        if uploads:
            peer.leave(f"{FOLDER}/{bucket}", f"{uploads:,} multipart uploads were not completed")
    return Taken(f"{FOLDER}/{bucket}", "objects", len(rows))


def _parts(connection: sqlite3.Connection, key: str) -> list[str]:
    return [row[0] for row in connection.execute(_PARTS, (key,))]


def _body(files: Sequence[Path], size: int, blobs: Path) -> tuple[str | None, bytes | None]:
    """The name of the file with all of them, or what is in them if it is little."""
    if size <= INLINE:
        return None, b"".join(file.read_bytes() for file in files)
    name = secrets.token_hex(16)
    with (blobs / name).open("wb") as target:
        for file in files:
            with file.open("rb") as source:
                while block := source.read(1024 * 1024):
                    target.write(block)
    return name, None
