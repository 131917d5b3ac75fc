"""Migrations of a database: files of SQL that are applied once each, in the order of their numbers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cfworkflows.errors import CfworkflowsError
from cfworkflows_bindings.d1 import StatementError
from cfworkflows_emulator.stores.d1.scripts import described

if TYPE_CHECKING:
    from cfworkflows_emulator.stores.d1.transaction import Transactions

DIGITS = 4
"""How many digits the number of a migration has at least."""


class Migration(NamedTuple):
    """A file of SQL. Its name is what the table of migrations has of it."""

    name: str
    path: Path


class MigrationError(CfworkflowsError):
    """A migration was refused, and nothing of it was applied. The text says where it is wrong."""


def migrations_in(folder: Path, pattern: str | None = None) -> list[Migration]:
    """The migrations of a folder, in the order in which they are applied: those with a number first, by that.

    `pattern` is relative to the folder; by default, all its `.sql` files. Raises CfworkflowsError if there is no such
    folder.
    """
    if not folder.is_dir():
        raise CfworkflowsError(
            f"No migrations folder found. Set `migrations_dir` in the configuration, or make {folder}."
        )
    found = [path for path in folder.glob(pattern or "*.sql") if path.is_file()]
    return sorted((Migration(path.relative_to(folder).as_posix(), path) for path in found), key=_order)


def next_name(migrations: list[Migration], message: str) -> str:
    """The name of a new migration: the next number, and the message."""
    numbers = [int(found[0]) for each in migrations if (found := re.match(r"\d+", each.name))]
    number = max(numbers, default=0) + 1
    words = re.sub(r"[^\w.-]+", "_", message).strip("_") or "migration"
    return f"{number:0{DIGITS}d}_{words}.sql"


def applied(transactions: "Transactions", table: str) -> dict[str, str]:
    """The names of the migrations that were applied, and when. None were where there is no such table."""
    there = transactions.own("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,))
    if not there:
        return {}
    return dict(transactions.own(_APPLIED.format(table=_quoted(table))))


def pending(transactions: "Transactions", table: str, migrations: list[Migration]) -> list[Migration]:
    """Those of the migrations that were not applied."""
    done = applied(transactions, table)
    return [each for each in migrations if each.name not in done]


def apply(transactions: "Transactions", table: str, migration: Migration) -> int:
    """Apply a migration, and note it, in one transaction. Returns how many statements it had. Raises MigrationError."""
    sql = _text(migration)
    transactions.begin()
    try:
        count = transactions.script(sql)
        transactions.own(_TABLE.format(table=_quoted(table)))
        transactions.own(_NOTE.format(table=_quoted(table)), (migration.name,))
        transactions.commit()
    except StatementError as error:
        transactions.roll_back()
        raise MigrationError(_explained(migration, error)) from error
    except BaseException:
        transactions.roll_back()
        raise
    return count


def rehearse(transactions: "Transactions", table: str, migrations: list[Migration]) -> tuple[int, list[str]]:
    """Execute migrations, and undo them all. Returns how many statements they have, and how the schema would differ:
    the lines of what is new with +, and of what goes with -. Raises MigrationError.
    """
    count = 0
    transactions.begin()
    try:
        before = _schema(transactions, table)
        for migration in migrations:
            try:
                count += transactions.script(_text(migration))
            except StatementError as error:
                raise MigrationError(_explained(migration, error)) from error
        after = _schema(transactions, table)
    finally:
        transactions.roll_back()
    return count, [*_difference(before, after)]


def _schema(transactions: "Transactions", table: str) -> dict[tuple[str, str], str]:
    """What the user has made, by kind and name."""
    return {(kind, name): sql for kind, name, sql in transactions.own(_MADE, (table,))}


def _difference(before: dict[tuple[str, str], str], after: dict[tuple[str, str], str]) -> Iterator[str]:
    for key in {**before, **after}:
        if before.get(key) != after.get(key):
            for sign, schema in (("-", before), ("+", after)):
                yield from (f"{sign} {line}" for line in schema.get(key, "").splitlines())


def _text(migration: Migration) -> str:
    try:
        return migration.path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"{migration.path} cannot be read: {error}") from error


def _explained(migration: Migration, error: StatementError) -> str:
    lines = [f"Migration {migration.name} failed with the following errors:", f"  {error}"]
    return "\n".join([*lines, *described(error, migration.path), "Nothing of it was applied."])


def _order(migration: Migration) -> tuple[int, int, str]:
    number = re.match(r"\d+", migration.name)
    return (0, int(number[0]), migration.name) if number else (1, 0, migration.name)


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


_TABLE = (
    "CREATE TABLE IF NOT EXISTS {table}(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, "
    "applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)"
)
# The shadow tables of virtual ones come and go with those.
_MADE = (
    "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' "
    "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> ? "
    "AND name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow') ORDER BY rowid"
)
_APPLIED = "SELECT name, applied_at FROM {table} ORDER BY id"
_NOTE = "INSERT INTO {table} (name) VALUES (?)"
