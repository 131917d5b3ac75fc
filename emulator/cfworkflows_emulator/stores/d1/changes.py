"""What is done to a whole database: its migrations, and the import of a file."""

import asyncio
import codecs
from collections.abc import AsyncIterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cfworkflows_emulator.stores.d1.store import D1Store

if TYPE_CHECKING:
    from cfworkflows_emulator.stores.d1.migrations import Migration
    from cfworkflows_emulator.stores.d1.transaction import Transactions


class Migrated(Protocol):
    """Where the migrations of a database are: a folder relative to the configuration's, and a table."""

    @property
    def binding(self) -> str: ...

    @property
    def database_name(self) -> str | None: ...

    @property
    def folder(self) -> str: ...

    @property
    def table(self) -> str: ...

    @property
    def migrations_pattern(self) -> str | None: ...


def migrations_of(section: Migrated, directory: Path) -> "list[Migration]":
    """The migrations of a database that is configured in `directory`. Raises CfworkflowsError without a folder."""
    from cfworkflows_emulator.stores.d1.migrations import migrations_in

    pattern = section.migrations_pattern
    if pattern is not None:
        pattern = pattern.removeprefix(section.folder.rstrip("/") + "/")
    return migrations_in(directory / section.folder, pattern)


async def listed(store: D1Store, section: Migrated, directory: Path) -> dict[str, Any]:
    """The migrations that there are, each with when it was applied, and those that were and are no longer there."""
    from cfworkflows_emulator.stores.d1 import migrations

    found = migrations_of(section, directory) if (directory / section.folder).is_dir() else []
    done = await store.use(lambda transactions: migrations.applied(transactions, section.table))
    names = [each.name for each in found]
    every = [*names, *(name for name in done if name not in names)]
    rows = [{"name": name, "applied_at": done.get(name)} for name in every]
    return {"table": section.table, "folder": str(directory / section.folder), "migrations": rows}


async def lacking(store: D1Store, section: Migrated, directory: Path) -> str | None:
    """A sentence about the migrations that are not applied, with the command that applies them; None if all are."""
    if not (directory / section.folder).is_dir():
        return None
    found = (await listed(store, section, directory))["migrations"]
    pending = [each["name"] for each in found if each["applied_at"] is None]
    if not pending:
        return None
    shown = ", ".join(pending[:5] + ["…"] * (len(pending) > 5))
    what = f"{len(pending)} migration{'s are' if len(pending) > 1 else ' is'} not applied"
    name = section.database_name or section.binding
    return f"{what} to the D1 database {name} ({shown}): `cfwf d1 migrations apply {section.binding}`"


async def migrate(store: D1Store, section: Migrated, directory: Path, *, dry_run: bool = False) -> dict[str, Any]:
    """Apply the migrations that were not, each in a transaction. With `dry_run` all of them in one, which is undone.

    Then `schema` is what would change, as lines with + or -. Raises MigrationError for the first that fails, and
    CfworkflowsError without a folder.
    """
    from cfworkflows_emulator.stores.d1 import migrations

    found = migrations_of(section, directory)
    todo = await store.use(lambda transactions: migrations.pending(transactions, section.table, found))
    schema: list[str] = []
    if dry_run:
        count, schema = await store.use(
            partial(migrations.rehearse, table=section.table, migrations=todo), limited=False
        )
    else:
        count = 0
        for each in todo:
            count += await store.use(
                partial(migrations.apply, table=section.table, migration=each), in_place=False, limited=False
            )
    return {"applied": [each.name for each in todo], "statements": count, "schema": schema}


async def import_stream(store: D1Store, stream: AsyncIterable[Any] | None, name: str) -> dict[str, Any]:
    """Execute the SQL that a stream brings, in one transaction. Raises ScriptError."""
    from cfworkflows_emulator.stores.d1 import imports

    loop = asyncio.get_running_loop()
    chunks = aiter(stream) if stream is not None else None

    async def read() -> bytes | None:
        return bytes(found) if chunks is not None and (found := await anext(chunks, None)) is not None else None

    def parts() -> Iterator[str]:
        """In the thread of the import."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        while (part := asyncio.run_coroutine_threadsafe(read(), loop).result()) is not None:
            yield decoder.decode(part)
        yield decoder.decode(b"", final=True)

    def load(transactions: "Transactions") -> imports.Imported:
        return imports.load(transactions, parts(), name)

    done = await store.use(load, in_place=False, limited=False)
    return {"statements": done.statements, "notes": done.notes}
