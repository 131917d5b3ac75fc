"""A prepared statement of D1."""

from collections.abc import Mapping, Sequence
from typing import Any

from cfworkflows import types
from cfworkflows.errors import D1Error
from cfworkflows_bindings.d1.refusal import refused
from cfworkflows_bindings.d1.store import Answer, D1Store, Formed, Query, StatementError
from cfworkflows_bindings.d1.values import bound, lists, objects, well_formed
from cfworkflows_bindings.forms import Form

_RAW = Form("columnNames")


class Runner:
    """Executes queries over a store, for the statements of a database or of a session."""

    def __init__(self, store: D1Store) -> None:
        self.store = store

    async def run(self, queries: list[Query], formed: Formed) -> list[Answer]:
        """Raises D1Error, with the platform's text."""
        try:
            return await self.store.run(queries, formed)
        except StatementError as error:
            made = refused(error, queries)
            raise made from made.__cause__


class D1PreparedStatement:
    """SQL, and the values that are bound to it. It is never changed: `bind` makes another one."""

    __slots__ = ("_query", "_runner")

    def __init__(self, runner: Runner, query: Query) -> None:
        self._runner = runner
        self._query = query

    @property
    def statement(self) -> str:
        """The SQL."""
        return self._query.sql

    @property
    def params(self) -> list[Any]:
        """What is bound."""
        return list(self._query.values)

    def __repr__(self) -> str:
        return f"<D1PreparedStatement {self._query.sql[:80]!r}>"

    def bind(self, *values: Any) -> "D1PreparedStatement":
        """The statement with values for its parameters, in their order. Those that were bound before are forgotten.

            row = await env.DB.prepare("SELECT * FROM users WHERE id = ?").bind(7).first()

        Raises D1Error (`D1_TYPE_ERROR`) for a value that the platform cannot bind.
        """
        return D1PreparedStatement(self._runner, Query(self._query.sql, tuple(map(bound, values))))

    async def first(self, column: str | None = None, /) -> Any:
        """The first row, or its value in `column`; None if there is no row.

        Raises D1Error: `D1_COLUMN_NOTFOUND` if the row has no such column.
        """
        rows = (await self._run(objects)).results
        if not rows or column is None:
            return rows[0] if rows else None
        if column not in rows[0]:
            reason = f"Column not found ({column})"
            error = D1Error(f"D1_COLUMN_NOTFOUND: {reason}")
            error.add_note(f"The row has the columns {', '.join(rows[0])}.")
            raise error from Exception(reason)
        return rows[0][column]

    async def all(self) -> types.D1Result[Any]:
        """Execute it: `{success, meta, results}`, with the rows as objects. Raises D1Error."""
        return result(await self._run(objects))

    async def run(self) -> types.D1Result[Any]:
        """The same as `all`."""
        return result(await self._run(objects))

    async def raw(self, options: Mapping[str, Any] | None = None, /, **keywords: Any) -> list[list[Any]]:
        """The rows as lists; with `column_names`, the first of them has the names of the columns. Raises D1Error."""
        read = _RAW.read("raw()", options, keywords)
        columns, rows = (await self._run(lists)).results
        return [columns, *rows] if read.get("column_names") else rows

    async def _run(self, formed: Formed) -> Answer:
        [answer] = await self._runner.run([self._query], formed)
        return answer


async def run_batch(runner: Runner, statements: Sequence[Any]) -> list[types.D1Result[Any]]:
    """Execute statements in one transaction. Raises D1Error, and TypeError for what is no statement."""
    if isinstance(statements, (str, bytes)) or not isinstance(statements, Sequence):
        raise TypeError(f"batch() takes a list of prepared statements, not {type(statements).__name__}")
    for index, statement in enumerate(statements):
        if not isinstance(statement, D1PreparedStatement):
            kind = type(statement).__name__
            raise TypeError(f"batch() takes a list of prepared statements, and number {index} is {kind}")
    answers = await runner.run([statement._query for statement in statements], objects)
    return [result(answer) for answer in answers]


def result(answer: Answer) -> types.D1Result[Any]:
    """What the code gets of an answer."""
    return types.D1Result(success=True, meta=types.D1Meta(answer.meta), results=answer.results)


def prepared(runner: Runner, query: object) -> D1PreparedStatement:
    """A statement of a text of SQL. Raises TypeError for anything else."""
    if not isinstance(query, str):
        raise TypeError(f"prepare() takes a str with SQL, not {type(query).__name__}")
    return D1PreparedStatement(runner, Query(well_formed(query)))
