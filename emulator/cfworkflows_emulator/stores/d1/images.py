"""Databases that are made once, as the bytes of a file, for others to begin with."""

from collections.abc import Sequence

from cfworkflows_emulator.storage.datafile import DataFile
from cfworkflows_emulator.stores.d1 import migrations, scripts
from cfworkflows_emulator.stores.d1.migrations import Migration
from cfworkflows_emulator.stores.d1.store import SCHEMA
from cfworkflows_emulator.stores.d1.transaction import Transactions


def image(applied: Sequence[Migration], table: str, more: Sequence[tuple[str, str]] = ()) -> bytes:
    """A database to which migrations were applied, and then `more`: names of files with their SQL.

    Raises MigrationError and ScriptError.
    """
    file = DataFile(None, SCHEMA)
    try:
        transactions = Transactions(file.sqlite)
        for each in applied:
            migrations.apply(transactions, table, each)
        for name, sql in more:
            scripts.execute(transactions, sql, name)
        return transactions.image()
    finally:
        file.close()
