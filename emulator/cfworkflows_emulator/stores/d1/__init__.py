"""D1: databases in SQLite files, where the user's SQL is executed."""

from cfworkflows_emulator.stores.d1.contents import described
from cfworkflows_emulator.stores.d1.peer import taken_over
from cfworkflows_emulator.stores.d1.store import FOLDER, SCHEMA, D1Store, file_of

__all__ = ["FOLDER", "SCHEMA", "D1Store", "described", "file_of", "taken_over"]
