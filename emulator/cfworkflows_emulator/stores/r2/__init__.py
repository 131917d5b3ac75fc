"""The data of R2 buckets: a SQLite file each, and a folder of files for the bodies that are too large for a row."""

from cfworkflows_emulator.stores.r2.store import R2Store, file_of

__all__ = ["R2Store", "file_of"]
