"""The tables of instances and their journals, as each version of them made them.

A migration never changes, and uses no constants that may: it has run on the disks of users.
"""

import sqlite3

from cfworkflows_emulator.engine.journal.streams import add_stream_chunks
from cfworkflows_emulator.storage import Migration

KEPT = "expires_at IS NULL AND status IN ('complete', 'errored', 'terminated')"
"""The condition of the index `instances_kept`: SQLite uses the index only for a query with the same words."""


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


def _places_and_expiry(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE instances ADD COLUMN place INTEGER")
    connection.execute("ALTER TABLE instances ADD COLUMN expires_at INTEGER")
    connection.execute("CREATE INDEX instances_by_expiry ON instances (expires_at) WHERE expires_at IS NOT NULL")
    connection.execute(f"CREATE INDEX instances_kept ON instances (workflow) WHERE {KEPT}")
    connection.execute("UPDATE instances SET place = key WHERE status = 'queued'")


def _index_by_creation(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE INDEX instances_by_creation ON instances (workflow, created_at)")


MIGRATIONS: list[Migration[sqlite3.Connection]] = [_schema, _places_and_expiry, add_stream_chunks, _index_by_creation]
