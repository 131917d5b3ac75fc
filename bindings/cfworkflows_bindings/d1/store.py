"""What a D1 binding needs of a store: the Protocol that the emulator's store implements."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

Rows = list[tuple[Any, ...]]
Formed = Callable[[list[str], Rows], Any]
"""What is made of the names of the columns and the rows, in the thread in which they were read."""


class Query(NamedTuple):
    """A text of SQL with the values that are bound to its last statement: str, float, bytes or None."""

    sql: str
    values: tuple[str | float | bytes | None, ...] = ()


class Answer(NamedTuple):
    """What was made of the rows of a query, and what is known of it, as the platform's `meta`."""

    results: Any
    meta: dict[str, Any]


class StatementError(Exception):
    """SQLite, or the platform's rules, refused a statement. The text is the platform's.

    `index` is which of the queries it was, from 0; `sql` the statement, `offset` the character that is wrong in it, if
    that is known, `line` the line of a script where it begins, from 1, and `hint` what can be done.
    """

    def __init__(
        self,
        text: str,
        index: int = 0,
        sql: str = "",
        offset: int | None = None,
        hint: str | None = None,
        line: int = 1,
    ) -> None:
        super().__init__(text)
        self.index = index
        self.sql = sql
        self.offset = offset
        self.hint = hint
        self.line = line

    @property
    def is_of_schema(self) -> bool:
        """Whether a table or a column is not there."""
        text = str(self)
        return text.startswith(("no such table", "no such column")) or " has no column named " in text


class D1Store(Protocol):
    """The data of a database."""

    async def run(self, queries: Sequence[Query], formed: Formed, /) -> list[Answer]:
        """Execute queries in one transaction. It is durable on return. Raises StatementError, and nothing happened."""
        ...

    async def bookmark(self) -> str:
        """Where the database stands. Each is greater than the ones before, as text."""
        ...
