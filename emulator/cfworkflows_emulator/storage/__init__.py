"""What is kept on disk: the state folder, its lock, and one SQLite database for all instances.

Imports nothing of the emulator. Everything above reads and writes through `InstanceStore`.
"""

from cfworkflows_emulator.storage.connection import Connection, DiskError, Durability, StateError
from cfworkflows_emulator.storage.database import Database
from cfworkflows_emulator.storage.folder import StateFolder
from cfworkflows_emulator.storage.instances import Beginning, Entry, InstanceRow, InstanceStore
from cfworkflows_emulator.storage.selection import EVERY, Selection
from cfworkflows_emulator.storage.streams import Chunk, StoredStream

__all__ = [
    "EVERY",
    "Beginning",
    "Chunk",
    "Connection",
    "Database",
    "DiskError",
    "Durability",
    "Entry",
    "InstanceRow",
    "InstanceStore",
    "Selection",
    "StateError",
    "StateFolder",
    "StoredStream",
]
