"""A database as SQL that can be executed again.

In the order in which that works: tables, rows, virtual tables, indexes, triggers, views. The tables in which virtual
ones keep their data are left out; they fill them themselves.
"""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.storage.sandbox import RESERVED

_NAME = r"""(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[\w$]+)"""
_BLANK = r"(?:\s|--[^\n]*|/\*.*?\*/)*"
_VIRTUAL = re.compile(
    rf"CREATE\s+VIRTUAL\s+TABLE{_BLANK}{_NAME}{_BLANK}USING{_BLANK}(?P<module>{_NAME})"
    rf"{_BLANK}(?:\((?P<arguments>.*)\))?",
    re.IGNORECASE | re.DOTALL,
)
_ARGUMENT = re.compile(rf"(?:{_NAME}|[^,])+", re.DOTALL)
_OPTION = re.compile(rf"\s*(\w+)\s*=\s*({_NAME}?)", re.DOTALL)

_ROWIDS = ("rowid", "_rowid_", "oid")


class _Table(NamedTuple):
    name: str
    kind: str  # as pragma_table_list has it: table, virtual, shadow, view
    sql: str
    has_rowid: bool


def dump(path: Path, only: Sequence[str] = (), *, with_schema: bool = True, with_data: bool = True) -> Iterator[str]:
    """The statements, each of one or more lines, of a database file as it is at one moment; a server may use it.

    `only` are the tables that are wanted, all by default. Raises CfworkflowsError if one is not there.
    """
    sqlite = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        sqlite.set_busy_timeout(5000)
        sqlite.execute("BEGIN")
        yield from statements(sqlite, only, with_schema=with_schema, with_data=with_data)
    finally:
        sqlite.close()


def statements(
    sqlite: apsw.Connection, only: Sequence[str] = (), *, with_schema: bool = True, with_data: bool = True
) -> Iterator[str]:
    """The same of a connection, within a transaction of its own."""
    tables = _tables(sqlite)
    if missing := set(only) - {table.name for table in tables}:
        raise CfworkflowsError(
            f"There is no table {min(missing)}; there are: {', '.join(each.name for each in tables)}."
        )
    wanted = [table for table in tables if not only or table.name in only]
    plain = [table for table in wanted if table.kind == "table"]
    virtual = [table for table in wanted if table.kind == "virtual"]
    yield "PRAGMA defer_foreign_keys=TRUE;"
    if with_schema:
        yield from (f"{table.sql};" for table in plain)
    if with_data:
        for table in plain:
            yield from _rows(sqlite, table)
        yield from _sequences(sqlite, [table.name for table in plain])
    for table in virtual:
        if with_schema:
            yield f"{table.sql};"
        if with_data:
            yield from _content(sqlite, table)
    if with_schema:
        names = {table.name for table in wanted}
        for name, sql in sqlite.execute(_OTHERS):
            if not only or name in names:
                yield f"{sql};"


def _tables(sqlite: apsw.Connection) -> list[_Table]:
    """The user's tables, in the order in which they were made; shadow tables and our own are not among them."""
    sqls = dict(sqlite.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY rowid"))
    kinds = {
        name: (kind, not without)
        for name, kind, without in sqlite.execute("SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'")
    }
    return [
        _Table(name, kinds[name][0], sql, kinds[name][1])
        for name, sql in sqls.items()
        if kinds[name][0] in ("table", "virtual") and not name.lower().startswith((RESERVED, "sqlite_"))
    ]


def _rows(sqlite: apsw.Connection, table: _Table) -> Iterator[str]:
    columns = [
        (name, pk) for name, hidden, pk in sqlite.execute(_COLUMNS, (table.name,)) if hidden == 0
    ]  # those that are generated are not stored
    names = [name for name, _ in columns]
    # The number of a row may be what others know it by, so it is kept where no column has it.
    rowid = next((each for each in _ROWIDS if each not in [name.lower() for name in names]), None)
    if table.has_rowid and rowid is not None and not _is_numbered(sqlite, table):
        names = [rowid, *names]
    yield from _inserts(sqlite, table.name, names)


def _is_numbered(sqlite: apsw.Connection, table: _Table) -> bool:
    """Whether a column is the number of the row."""
    keys = [(kind, pk) for kind, pk in sqlite.execute(_KEYS, (table.name,)) if pk]
    has_index = any(origin == "pk" for (origin,) in sqlite.execute(_INDEXES, (table.name,)))
    return len(keys) == 1 and keys[0][0].upper() == "INTEGER" and not has_index


def _content(sqlite: apsw.Connection, table: _Table) -> Iterator[str]:
    """The rows of a virtual table, or how it finds them again."""
    module, options = _module(table.sql)
    if module.startswith("rtree"):
        names = [name for (name,) in sqlite.execute(_NAMES, (table.name,))]
        yield from _inserts(sqlite, table.name, names)
    if module != "fts5":
        return
    content = options.get("content")
    if content is None:
        names = ["rowid", *(name for name, hidden, _ in sqlite.execute(_COLUMNS, (table.name,)) if not hidden)]
        yield from _inserts(sqlite, table.name, names)
    elif content.strip("'\"[]`"):
        yield _REBUILD.format(table=_quoted(table.name))
    else:
        yield f"-- {table.name!r} keeps no content, so its rows cannot be written."


def _module(sql: str) -> tuple[str, dict[str, str]]:
    """The module of a virtual table in lower case, and the options of its arguments."""
    found = _VIRTUAL.match(sql)
    if found is None:
        return "", {}
    options = (_OPTION.match(argument) for argument in _ARGUMENT.findall(found["arguments"] or ""))
    return found["module"].strip("'\"[]`").lower(), {each[1].lower(): each[2] for each in options if each is not None}


def _inserts(sqlite: apsw.Connection, table: str, names: list[str]) -> Iterator[str]:
    columns = ",".join(map(_quoted, names))
    start = _INSERT.format(table=_quoted(table), columns=columns)
    order = " ORDER BY rowid" if names[:1] == ["rowid"] else ""
    for row in sqlite.execute(_SELECT.format(columns=columns, table=_quoted(table), order=order)):
        yield f"{start}{','.join(map(literal, row))});"


def _sequences(sqlite: apsw.Connection, tables: list[str]) -> Iterator[str]:
    """How far AUTOINCREMENT has counted, which may be beyond the last row."""
    if not sqlite.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchall():
        return
    for name, number in sqlite.execute("SELECT name, seq FROM sqlite_sequence"):
        if name in tables:
            yield _FORGET.format(name=literal(name))
            yield _COUNT.format(name=literal(name), number=literal(number))


def literal(value: Any) -> str:
    """A value of SQLite as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, float):
        if math.isinf(value):
            return "9.0e+999" if value > 0 else "-9.0e+999"
        return repr(value)
    if isinstance(value, int):
        # The smallest integer has no literal: its minus would be applied to a REAL.
        return str(value) if value > -(2**63) else "(-9223372036854775807-1)"
    if "\0" in value:
        return f"CAST(X'{value.encode('utf-8', 'replace').hex()}' AS TEXT)"
    return "'{}'".format(value.replace("'", "''"))


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


_FORGET = "DELETE FROM sqlite_sequence WHERE name = {name};"
_COUNT = "INSERT INTO sqlite_sequence (name, seq) VALUES({name},{number});"
_REBUILD = "INSERT INTO {table}({table}) VALUES('rebuild');"
_INSERT = "INSERT INTO {table} ({columns}) VALUES("
_SELECT = "SELECT {columns} FROM {table}{order}"
_COLUMNS = "SELECT name, hidden, pk FROM pragma_table_xinfo(?)"
_NAMES = "SELECT name FROM pragma_table_info(?)"
_KEYS = "SELECT type, pk FROM pragma_table_info(?)"
_INDEXES = "SELECT origin FROM pragma_index_list(?)"
_OTHERS = (
    "SELECT tbl_name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL "
    "AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' "
    "ORDER BY CASE type WHEN 'index' THEN 0 WHEN 'view' THEN 1 ELSE 2 END, rowid"
)
