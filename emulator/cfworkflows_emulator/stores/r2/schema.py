"""The tables of a bucket."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cfworkflows_emulator.storage.connection import Migration

if TYPE_CHECKING:
    import apsw


def _first(sqlite: "apsw.Connection") -> None:
    """An object is in its row, in the file `blob`, or in the parts of the upload `upload`; of an upload only its parts
    are. Bodies come last in a row, so that lists do not read them.
    """
    fields = "http TEXT NOT NULL, custom TEXT NOT NULL, storage_class TEXT NOT NULL, ssec_md5 TEXT"  # JSON, JSON
    sqlite.execute(
        "CREATE TABLE objects (key TEXT NOT NULL UNIQUE, version TEXT NOT NULL, size INTEGER NOT NULL, "
        f"etag TEXT NOT NULL, uploaded INTEGER NOT NULL, checksums TEXT NOT NULL, {fields}, "
        "upload TEXT, blob TEXT, body BLOB)"
    )
    sqlite.execute(
        "CREATE TABLE uploads (id TEXT PRIMARY KEY, key TEXT NOT NULL, state TEXT NOT NULL, created INTEGER NOT NULL, "
        f"{fields})"
    )
    sqlite.execute(
        "CREATE TABLE parts (upload TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, "
        "etag TEXT NOT NULL, md5 TEXT NOT NULL, uploaded INTEGER NOT NULL, blob TEXT, body BLOB, "
        "PRIMARY KEY (upload, number))"
    )
    sqlite.execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")


MIGRATIONS: "Sequence[Migration[apsw.Connection]]" = [_first]
