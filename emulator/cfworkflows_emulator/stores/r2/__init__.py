"""The data of R2 buckets: a SQLite file each, and a folder of files for the bodies that are too large for a row."""

from cfworkflows_emulator.stores.r2.contents import described
from cfworkflows_emulator.stores.r2.schema import MIGRATIONS
from cfworkflows_emulator.stores.r2.store import FOLDER, R2Store, file_of

__all__ = ["FOLDER", "MIGRATIONS", "R2Store", "described", "file_of"]
