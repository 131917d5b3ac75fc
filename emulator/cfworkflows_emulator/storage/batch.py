"""What one transaction writes: rows, and functions of the connection between them."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from itertools import chain
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Row = tuple[Any, ...]
Write = Callable[[sqlite3.Connection], object]

# Up to so many rows are written by one statement, of which there is one for each number of rows. Most commits are four
# entries, the end of a step and the start of the next: in one statement, without BEGIN and COMMIT, they take 14 µs
# instead of 17. Beyond 16 rows there is little to gain, and the library keeps no more than 128 statements prepared.
MOST_ROWS_AT_ONCE = 16


class Insert:
    """Adds rows with these columns to a table."""

    def __init__(self, table: str, *columns: str) -> None:
        values = f"({', '.join('?' * len(columns))})"
        start = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608 - no user's text
        self._of = [start + ", ".join([values] * count) for count in range(MOST_ROWS_AT_ONCE + 1)]

    def __call__(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        """Write the rows: in one statement unless there are more than MOST_ROWS_AT_ONCE."""
        if len(rows) > MOST_ROWS_AT_ONCE:
            connection.executemany(self._of[1], rows)
        elif rows:
            connection.execute(self._of[len(rows)], tuple(chain.from_iterable(rows)))


class Batch(Generic[Key]):
    """Writes, and the keys of what they are about.

    Functions keep their place. What is between two of them is written in another order than it was handed over: first
    the rows to add, `added`, each table in turn; then of each row that is brought up to date the last, `latest`,
    by statement and key. So each of both is one statement.
    """

    __slots__ = ("about", "added", "before", "latest", "then_call", "weight")

    def __init__(self) -> None:
        self.before: list[Write] = []
        self.added: defaultdict[Insert, list[Row]] = defaultdict(list)
        self.latest: defaultdict[str, dict[Hashable, Row]] = defaultdict(dict)
        self.about: set[Key] = set()
        self.then_call: list[Callable[[], object]] = []
        self.weight = 0

    def then(self, write: Write) -> None:
        """Add a function, behind the rows that there are."""
        if self.added or self.latest:
            self.before.append(partial(_write_rows, self.added, self.latest))
            self.added, self.latest = defaultdict(list), defaultdict(dict)
        self.before.append(write)

    @property
    def is_one_statement(self) -> bool:
        if self.before or self.latest or len(self.added) != 1:
            return False
        [rows] = self.added.values()
        return len(rows) <= MOST_ROWS_AT_ONCE

    def __call__(self, connection: sqlite3.Connection) -> None:
        for write in self.before:
            write(connection)
        _write_rows(self.added, self.latest, connection)


def _write_rows(
    added: Mapping[Insert, list[Row]], latest: Mapping[str, Mapping[Hashable, Row]], connection: sqlite3.Connection
) -> None:
    for insert, rows in added.items():
        insert(connection, rows)
    for statement, updates in latest.items():
        connection.executemany(statement, updates.values())
