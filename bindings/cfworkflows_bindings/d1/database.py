"""The binding of a D1 database."""

from collections.abc import Sequence
from typing import Any, NoReturn

from cfworkflows import types
from cfworkflows.errors import D1Error
from cfworkflows_bindings.d1.refusal import refused
from cfworkflows_bindings.d1.session import D1DatabaseSession
from cfworkflows_bindings.d1.statement import D1PreparedStatement, Runner, prepared, run_batch
from cfworkflows_bindings.d1.store import D1Store, Query, StatementError
from cfworkflows_bindings.d1.values import lists, well_formed


class D1Binding:
    """`env.DB`: a SQLite database."""

    def __init__(self, store: D1Store, id: str) -> None:
        self._store = store
        self._id = id
        self._runner = Runner(store)

    def __repr__(self) -> str:
        return f"<D1 Database {self._id}>"

    def prepare(self, query: str, /) -> D1PreparedStatement:
        """A statement. Nothing of it is checked before it is executed.

        await env.DB.prepare("INSERT INTO users (name) VALUES (?)").bind("ann").run()
        """
        return prepared(self._runner, query)

    async def batch(self, statements: Sequence[types.D1PreparedStatement], /) -> list[types.D1Result[Any]]:
        """Execute statements in one transaction: all of them, or none. Raises D1Error for the first that fails."""
        return await run_batch(self._runner, statements)

    async def exec(self, query: str, /) -> types.D1ExecResult:
        """Execute each line as a statement, all of them in one transaction. Raises D1Error (`D1_EXEC_ERROR`).

        A statement of several lines is for `prepare`.
        """
        if not isinstance(query, str):
            raise TypeError(f"exec() takes a str with SQL, not {type(query).__name__}")
        lines = well_formed(query).strip().split("\n")
        queries = [Query(line) for line in lines if line.strip()]
        try:
            answers = await self._store.run(queries, lists)
        except StatementError as error:
            # The platform's own text names the first line, whichever it is; the notes have the right one.
            made = refused(error, queries, "D1_EXEC_ERROR", f"Error in line 1: {lines[0]}: {error}")
            raise made from made.__cause__
        return types.D1ExecResult(count=len(queries), duration=sum(answer.meta["duration"] for answer in answers))

    async def dump(self) -> NoReturn:
        """Fails, as it always does on the platform, which has deprecated it."""
        error = D1Error("D1_DUMP_ERROR: Status + 404")
        error.add_note("dump() works for databases of the platform's alpha only: use `cfwf d1 export`.")
        raise error from Exception("Status 404")

    def with_session(self, constraint_or_bookmark: object = None, /) -> D1DatabaseSession:
        """A session that sees its own writes. Here there is one copy of the data, so every statement does."""
        if constraint_or_bookmark is not None and not isinstance(constraint_or_bookmark, str):
            kind = type(constraint_or_bookmark).__name__
            raise TypeError(f"with_session() takes a constraint or a bookmark as a str, not {kind}")
        return D1DatabaseSession(self._store, constraint_or_bookmark)

    withSession = with_session  # noqa: N815 - the platform's name
