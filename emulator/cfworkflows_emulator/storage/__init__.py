"""What is kept on disk: the state folder, its lock, and SQLite databases that are written in groups.

Imports nothing of the emulator, and knows nothing of what is kept: each user brings its own tables.
"""

from cfworkflows_emulator.storage.batch import Insert, Row
from cfworkflows_emulator.storage.commits import Commits, Then
from cfworkflows_emulator.storage.connection import Connection, DiskError, Durability, Migration, StateError
from cfworkflows_emulator.storage.database import Database
from cfworkflows_emulator.storage.folder import StateFolder

__all__ = [
    "Commits",
    "Connection",
    "Database",
    "DiskError",
    "Durability",
    "Insert",
    "Migration",
    "Row",
    "StateError",
    "StateFolder",
    "Then",
]
