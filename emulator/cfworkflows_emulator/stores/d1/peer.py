"""A database as `wrangler dev` keeps it: a SQLite file with the user's tables."""

import sqlite3
from contextlib import closing
from pathlib import Path

from cfworkflows_emulator.storage.connection import APPLICATION_ID
from cfworkflows_emulator.storage.peer import Peer, Taken, opened
from cfworkflows_emulator.stores.d1.contents import described
from cfworkflows_emulator.stores.d1.store import FOLDER, SCHEMA, file_of

_CLASS = "miniflare-D1DatabaseObject"


def taken_over(peer: Peer, database: str, state: Path) -> Taken | None:
    """Copy a database into a state folder; None if there is none."""
    source = peer.file(FOLDER, _CLASS, database)
    if source is None:
        return None
    target = file_of(state, database)
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened(source) as connection, closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)
        copy.execute("CREATE TABLE IF NOT EXISTS _cf_METADATA (key INTEGER PRIMARY KEY, value)")
        copy.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        copy.execute(f"PRAGMA user_version = {len(SCHEMA)}")
        copy.commit()
        return Taken(f"{FOLDER}/{database}", "tables", len(described(copy)))
