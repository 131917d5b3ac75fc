"""Statements of D1 as one transaction over a connection."""

from collections.abc import Sequence
from secrets import token_hex
from time import perf_counter
from typing import Any, NamedTuple

import apsw

from cfworkflows_bindings.d1 import Answer, Formed, Query, Rows, StatementError
from cfworkflows_emulator.storage.sandbox import MAX_SQL_BYTES, Sandbox
from cfworkflows_emulator.stores.d1 import errors
from cfworkflows_emulator.stores.d1.statements import split

# SQLite's library keeps compiled statements by their text, and one that is kept is not checked again: no statement of
# the user's may have the text of these.
_OURS = f"/* {token_hex(8)} */"
_BEGIN = f"BEGIN IMMEDIATE {_OURS}"
_COMMIT = f"COMMIT {_OURS}"
_ROLLBACK = f"ROLLBACK {_OURS}"
_RESERVED_NAMES = (
    "SELECT name FROM sqlite_schema WHERE name LIKE '\\_cf\\_%' ESCAPE '\\' AND name <> '_cf_METADATA' "
    "AND type <> 'index' /* cfworkflows */"
)
_SIZE = (
    "SELECT (page_count - freelist_count) * page_size /* cfworkflows */ "
    "FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
)
_MOST_COMPILED, _LONGEST_COMPILED = 10_000, 2_000  # texts, and characters of one


class _Done(NamedTuple):
    columns: list[str]
    rows: Rows


class Transactions:
    """Executes queries over a connection, which it has for itself, by the rules of the sandbox.

    Raises StatementError for a query that fails, and apsw.Error for the file's faults; nothing happened then.
    """

    def __init__(self, sqlite: apsw.Connection) -> None:
        self.sandbox = Sandbox(sqlite)
        self.sqlite = sqlite
        self._size = self._measured()
        self._schema = 0  # how often it has changed
        self._compiled: dict[str, int] = {}  # when a text was first seen
        self._columns: list[str] = []
        self._writes = False
        self._statements = 0

    def run(self, queries: Sequence[Query], formed: Formed) -> list[Answer]:
        """All of the queries, as one transaction."""
        if not queries:
            raise StatementError(errors.NO_STATEMENT)
        self.begin()
        try:
            answers = [self._answer(query, index, formed) for index, query in enumerate(queries)]
            self._commit(queries[-1].sql, len(queries) - 1)
        except BaseException:
            self.roll_back()
            raise
        return answers

    def script(self, sql: str) -> int:
        """Execute all statements of a text within a transaction that is open. Returns how many.

        Raises StatementError, with the line where the statement begins.
        """
        count = 0
        for statement in split(sql):
            if statement.is_empty:
                continue
            try:
                self._executed(Query(statement.text), count)
            except StatementError as error:
                error.line = statement.line
                raise
            count += 1
        return count

    def own(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement of ours."""
        with self.sandbox.trusted():
            return self.sqlite.execute(statement, values).fetchall()

    def image(self) -> bytes:
        """All of the database, as a file would have it."""
        with self.sandbox.trusted():
            return self.sqlite.serialize("main")

    def begin(self) -> None:
        self.sandbox.renames = False
        self.own(_BEGIN)

    def commit(self) -> None:
        """Raises StatementError for what is checked at the end only: deferred keys, and names."""
        self._commit("", 0)
        self._size = self._measured()

    def roll_back(self) -> None:
        """Undo what the open transaction has done, if there is one."""
        self._size = -1
        if self.sqlite.in_transaction:
            self.own(_ROLLBACK)
        self._size = self._measured()
        self._schema += 1

    def _commit(self, sql: str, index: int) -> None:
        # SQLite's authorizer does not see what a table is renamed to.
        if self.sandbox.renames and self.own(_RESERVED_NAMES):
            raise StatementError("not authorized: SQLITE_AUTH", index, sql, hint=errors.RESERVED_NAME)
        try:
            self.own(_COMMIT)
        except apsw.Error as error:
            raise errors.statement_error(error, self.sandbox, "", index) from error

    def _answer(self, query: Query, index: int, formed: Formed) -> Answer:
        sqlite, size = self.sqlite, self._size
        changes, row_id = sqlite.total_changes(), sqlite.last_insert_rowid()
        self._writes = False
        start = perf_counter()
        done = self._executed(query, index)
        took = (perf_counter() - start) * 1000
        changed = sqlite.total_changes() - changes
        if self._writes:
            self._size = self._measured()
        last = sqlite.last_insert_rowid()
        meta = {
            "served_by": "miniflare.db",
            "served_by_primary": True,
            "total_attempts": 1,
            "timings": {"sql_duration_ms": took},
            "duration": took,
            "changes": changed,
            "last_row_id": last,
            "changed_db": changed != 0 or last != row_id or size != self._size,
            "size_after": self._size,
            "rows_read": len(done.rows),
            "rows_written": changed,
        }
        return Answer(formed(done.columns, done.rows), meta)

    def _executed(self, query: Query, index: int) -> _Done:
        sql = query.sql
        if len(sql) * 4 > MAX_SQL_BYTES and len(sql.encode("utf-8", "replace")) > MAX_SQL_BYTES:
            raise errors.too_long(sql, index)
        if "\0" in sql:
            raise errors.has_nul(sql, index)
        if ";" not in sql.rstrip().removesuffix(";"):
            return self._one(sql, query.values, index)
        statements = list(split(sql))
        if not statements:
            raise StatementError(errors.NO_STATEMENT, index, sql)
        *first, last = statements
        for each in first:
            if not each.is_empty:
                self._one(each.text, (), index, errors.ONLY_LAST)
        if last.is_empty and first:
            raise StatementError(errors.NO_LAST_STATEMENT, index, sql)
        return self._one(last.text, query.values, index)

    def _one(self, sql: str, values: Sequence[Any], index: int, has_parameters: str = errors.WRONG_COUNT) -> _Done:
        """One statement, which may turn out to be none."""
        self._statements = 0
        self.sandbox.changes_schema = False
        cursor = self.sqlite.cursor()
        cursor.exec_trace = self._seen
        try:
            rows = cursor.execute(sql, values, can_cache=self._is_fresh(sql)).fetchall()
        except apsw.Error as error:
            if isinstance(error, apsw.BindingsError):
                raise StatementError(has_parameters, index, sql) from None
            raise errors.statement_error(error, self.sandbox, sql, index) from error
        if not self._statements:
            raise StatementError(errors.NO_STATEMENT, index, sql)
        if self.sandbox.changes_schema:
            self._schema += 1
        return _Done(self._columns, rows)

    def _is_fresh(self, sql: str) -> bool:
        """Whether a compiled form of the text may be kept, and used again. One that was compiled before the schema
        changed would tell columns that are no more.
        """
        known = self._compiled.get(sql)
        if known is not None:
            return known == self._schema
        if len(self._compiled) >= _MOST_COMPILED or len(sql) > _LONGEST_COMPILED:
            return False
        self._compiled[sql] = self._schema
        return True

    def _seen(self, cursor: apsw.Cursor, sql: str, values: Any) -> bool:
        """Called before a statement is executed, once it is compiled."""
        self._statements += cursor.has_vdbe
        self._writes = self._writes or not cursor.is_readonly
        self._columns = [column[0] for column in cursor.get_description()]
        return True

    def _measured(self) -> int:
        """The size of the data in bytes, without pages that are free."""
        [[size]] = self.own(_SIZE)
        return int(size)
