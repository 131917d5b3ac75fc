"""D1: databases in SQLite files, where the user's SQL is executed."""

from cfworkflows_emulator.stores.d1.store import FOLDER, D1Store, file_of

__all__ = ["FOLDER", "D1Store", "file_of"]
