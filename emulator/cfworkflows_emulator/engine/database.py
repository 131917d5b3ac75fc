"""The database of an engine."""

from pathlib import Path

from cfworkflows_emulator.engine.journal.schema import MIGRATIONS
from cfworkflows_emulator.storage import Database, Durability


async def open_database(
    path: Path | None = None,
    durability: Durability = "normal",
    *,
    may_be_empty: bool = True,
    read_only: bool = False,
) -> Database:
    """The database of an engine: a file, or None for one in memory. Raises StateError if it cannot be used."""
    return await Database.open(path, MIGRATIONS, durability, may_be_empty=may_be_empty, read_only=read_only)
