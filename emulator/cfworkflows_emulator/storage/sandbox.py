"""What SQL of the user's may do in a SQLite file: the rules of the platform for D1 and for Durable Objects.

Each statement is checked by SQLite's authorizer when it is compiled; the limits are SQLite's own.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

MAX_SQL_BYTES = 100_000
MAX_VALUE_BYTES = 2_000_000

_LIMITS = {
    apsw.SQLITE_LIMIT_LENGTH: MAX_VALUE_BYTES,
    apsw.SQLITE_LIMIT_SQL_LENGTH: MAX_SQL_BYTES,
    apsw.SQLITE_LIMIT_COLUMN: 100,
    apsw.SQLITE_LIMIT_EXPR_DEPTH: 100,
    apsw.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    apsw.SQLITE_LIMIT_VDBE_OP: 25_000,
    apsw.SQLITE_LIMIT_FUNCTION_ARG: 32,
    apsw.SQLITE_LIMIT_ATTACHED: 0,
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    apsw.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    apsw.SQLITE_LIMIT_TRIGGER_DEPTH: 10,
}

TRANSACTION = (
    "To execute a transaction, please use the state.storage.transaction() or state.storage.transactionSync() APIs "
    "instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. The JavaScript API is safer because it will "
    "automatically roll back on exceptions, and because it interacts correctly with Durable Objects' automatic atomic "
    "write coalescing."
)
"""The platform's text for BEGIN and its like, which it has for D1 too."""

RESERVED = "_cf_"
"""How the names of tables begin that are not the user's."""


class Sandbox:
    """The rules for a connection, from now on. What is executed in a `trusted` block is not checked.

    `refusal` is the platform's own text for what was refused last, None where SQLite's says it; `changes_schema` tells
    whether a statement that changes the schema was compiled since it was set to False, and `renames` the same of ALTER
    TABLE, whose new name SQLite's authorizer is not given. While `tolerates` is set, BEGIN,
    COMMIT and forbidden pragmas do nothing instead, and are counted in `tolerated`: the output of SQLite's `.dump` has
    them.
    """

    def __init__(self, sqlite: apsw.Connection) -> None:
        self.refusal: str | None = None
        self.changes_schema = False
        self.renames = False
        self.tolerates = False
        self.tolerated: dict[str, int] = {}
        self._trusts = False
        self._tables: set[str | None] = set()  # whose rows may be used
        for limit, value in _LIMITS.items():
            sqlite.limit(limit, value)
        sqlite.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        sqlite.config(apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)
        sqlite.authorizer = self._authorize

    @contextmanager
    def trusted(self) -> Iterator[None]:
        """What is compiled in the block is our own."""
        before, self._trusts = self._trusts, True
        try:
            yield
        finally:
            self._trusts = before

    def _authorize(
        self, operation: int, first: str | None, second: str | None, database: str | None, inner: str | None
    ) -> int:
        if self._trusts or operation in _HARMLESS or (operation in _ROWS and first in self._tables):
            return apsw.SQLITE_OK
        if operation == apsw.SQLITE_FUNCTION:
            return apsw.SQLITE_OK if (second or "").lower() in FUNCTIONS else apsw.SQLITE_DENY
        if operation == apsw.SQLITE_PRAGMA:
            if _may_ask((first or "").lower(), second):
                return apsw.SQLITE_OK
            return self._passed_over(f"PRAGMA {first}") or apsw.SQLITE_DENY
        if operation in (apsw.SQLITE_TRANSACTION, apsw.SQLITE_SAVEPOINT):
            self.refusal = TRANSACTION
            return self._passed_over(first or "SAVEPOINT") or apsw.SQLITE_DENY
        if operation in _TABLES:
            if operation in _SCHEMA:
                self.changes_schema = True
                self.renames = self.renames or operation == apsw.SQLITE_ALTER_TABLE
            named = (first or "", second or "") if operation in _NAMES_TWO else (first or "",)
            if any(name.lower().startswith(RESERVED) for name in named) or (first or "").lower() in _HIDDEN:
                return apsw.SQLITE_DENY
            if operation == apsw.SQLITE_CREATE_VTABLE and (second or "").lower() not in MODULES:
                return apsw.SQLITE_DENY
            if operation in _ROWS and len(self._tables) < _MOST_TABLES:
                self._tables.add(first)
            return apsw.SQLITE_OK
        return apsw.SQLITE_DENY

    def _passed_over(self, what: str) -> int:
        """SQLITE_IGNORE if it is tolerated, else 0."""
        if not self.tolerates:
            return 0
        self.refusal = None
        self.tolerated[what] = self.tolerated.get(what, 0) + 1
        return apsw.SQLITE_IGNORE


def _may_ask(pragma: str, value: str | None) -> bool:
    return pragma in PRAGMAS or (pragma in _READ_ONLY_PRAGMAS and value is None)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PRAGMAS = _words(
    "case_sensitive_like foreign_keys defer_foreign_keys ignore_check_constraints legacy_alter_table "
    "recursive_triggers reverse_unordered_selects foreign_key_check foreign_key_list index_info index_list "
    "index_xinfo quick_check optimize table_list table_info table_xinfo"
)
"""The pragmas that may be asked for, and set."""

_READ_ONLY_PRAGMAS = frozenset({"data_version", "page_size"})

MODULES = frozenset({"fts5", "fts5vocab", "rtree", "rtree_i32"})
"""The virtual tables that may be created."""

FUNCTIONS = _words(
    # core
    "abs changes char coalesce concat concat_ws format glob hex ifnull iif if instr last_insert_rowid length like "
    "likelihood likely lower ltrim max min nullif octet_length printf quote random randomblob replace round rtrim sign "
    "soundex substr substring total_changes trim typeof unhex unicode unistr unistr_quote unlikely upper zeroblob "
    # dates and times
    "date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp "
    # aggregates and windows
    "avg count group_concat string_agg sum total "
    "row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value "
    # mathematics: log10 is not allowed on the platform
    "acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log2 mod pi pow power "
    "radians sin sinh sqrt tan tanh trunc "
    # JSON
    "json jsonb json_array jsonb_array json_array_length json_error_position json_extract jsonb_extract -> ->> "
    "json_insert jsonb_insert json_object jsonb_object json_patch jsonb_patch json_pretty json_remove jsonb_remove "
    "json_replace jsonb_replace json_set jsonb_set json_type json_valid json_quote json_group_array jsonb_group_array "
    "json_group_object jsonb_group_object json_each json_tree jsonb_each jsonb_tree "
    # full text, trees, and what ALTER TABLE calls
    "match highlight bm25 snippet fts5 rtreedepth "
    "sqlite_rename_column sqlite_rename_table sqlite_rename_test sqlite_rename_quotefix sqlite_drop_column "
    "sqlite_drop_constraint sqlite_add_constraint sqlite_find_constraint sqlite_fail"
)
"""The functions that may be called."""

# Tables that SQLite makes up, and that tell of the process.
_HIDDEN = frozenset({"dbstat", "sqlite_dbpage", "sqlite_stmt", "bytecode", "tables_used", "carray", "fts3tokenize"})

_HARMLESS = frozenset({apsw.SQLITE_SELECT, apsw.SQLITE_RECURSIVE, apsw.SQLITE_ANALYZE, apsw.SQLITE_REINDEX})
_SCHEMA = frozenset(
    {
        apsw.SQLITE_CREATE_INDEX,
        apsw.SQLITE_CREATE_TABLE,
        apsw.SQLITE_CREATE_TRIGGER,
        apsw.SQLITE_CREATE_VIEW,
        apsw.SQLITE_CREATE_VTABLE,
        apsw.SQLITE_DROP_INDEX,
        apsw.SQLITE_DROP_TABLE,
        apsw.SQLITE_DROP_TRIGGER,
        apsw.SQLITE_DROP_VIEW,
        apsw.SQLITE_DROP_VTABLE,
        apsw.SQLITE_ALTER_TABLE,
    }
)
# The others, of temporary objects and of attached databases, are refused.
_ROWS = frozenset({apsw.SQLITE_READ, apsw.SQLITE_INSERT, apsw.SQLITE_UPDATE, apsw.SQLITE_DELETE})
_TABLES = _SCHEMA | _ROWS
_MOST_TABLES = 1000
_NAMES_TWO = frozenset({apsw.SQLITE_CREATE_INDEX, apsw.SQLITE_CREATE_TRIGGER, apsw.SQLITE_ALTER_TABLE})
