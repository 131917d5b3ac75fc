"""Exports of D1: whatever the schema is, what is written makes the same database again."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cfworkflows_emulator.storage.datafile import DataFile
from cfworkflows_emulator.stores.d1.exports import statements
from cfworkflows_emulator.stores.d1.imports import load
from cfworkflows_emulator.stores.d1.store import SCHEMA
from cfworkflows_emulator.stores.d1.transaction import Transactions

NAMES = (
    st.text(st.sampled_from("ab\"'`[];,. \n-%_?é😀1/*"), min_size=1, max_size=6)
    | st.sampled_from(
        ["select", "rowid", "oid", "_rowid_", "table", "rank", "cf_x", "NEW", "content='x'", "USING fts5("]
    )
).filter(lambda name: not name.lower().startswith(("_cf_", "sqlite_")))
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.binary(max_size=20),
)
KEYS = ["", "INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT", "WITHOUT ROWID", "INT PRIMARY KEY", "DESC"]
TYPES = ["", "INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC", "VARCHAR(3) COLLATE NOCASE", "DATETIME DEFAULT 'x;''y'"]


def quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def named(data: st.DataObject, least: int, most: int) -> list[str]:
    return data.draw(st.lists(NAMES, min_size=least, max_size=most, unique_by=str.lower))


class Made:
    """A database with a schema and rows that Hypothesis draws."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.database = Transactions(DataFile(None, SCHEMA).sqlite)
        names = named(data, 1, 9)
        self.free = names[data.draw(st.integers(1, min(4, len(names)))) :]
        tables = names[: len(names) - len(self.free)]
        self.columns = {name: named(data, 1, 4) for name in tables}
        self.keys = {name: data.draw(st.sampled_from(KEYS)) for name in tables}
        parts: list[Callable[[str, str, str], str]] = [self.index, self.view, self.trigger, self.fts, self.rtree]
        self.run([self.table(name) for name in tables])
        for name in tables:
            self.fill(name)
        for name in self.free:
            part, table = data.draw(st.sampled_from(parts)), data.draw(st.sampled_from(tables))
            self.run([part(name, table, data.draw(st.sampled_from(self.columns[table])))])

    def run(self, sql: list[str]) -> None:
        load(self.database, [f"{each};" for each in sql], "made")

    def table(self, name: str) -> str:
        data, key = self.data, self.keys[name]
        first, *others = self.columns[name]
        parts = [f"{quoted(first)} {self.key(key)}"]
        ids = [each for each, kind in self.keys.items() if kind.startswith("INTEGER")]
        for other in others:
            kind = data.draw(st.sampled_from(TYPES))
            parent = data.draw(st.sampled_from([None, *ids]))
            references = f" REFERENCES {quoted(parent)} ({quoted(self.columns[parent][0])})" if parent else ""
            parts.append(f"{quoted(other)} {kind}{references}")
        if data.draw(st.booleans()) and "made" not in [each.lower() for each in self.columns[name]]:
            stored = data.draw(st.sampled_from(["STORED", "VIRTUAL"]))
            parts.insert(data.draw(st.integers(0, len(parts))), f"made AS (typeof({quoted(first)}) || ';') {stored}")
        rest = " WITHOUT ROWID" if key == "WITHOUT ROWID" else ""
        return f"CREATE TABLE {quoted(name)} ({', '.join(parts)}){rest}"

    @staticmethod
    def key(key: str) -> str:
        return {"WITHOUT ROWID": "PRIMARY KEY", "DESC": "INTEGER PRIMARY KEY DESC"}.get(key, key)

    def fill(self, name: str) -> None:
        columns = self.columns[name]
        own = self.database.own
        targets = {row[3]: row for row in own("SELECT * FROM pragma_foreign_key_list(?)", (name,))}
        for _ in range(self.data.draw(st.integers(0, 3))):
            row: list[Any] = [None if self.keys[name].startswith("INTEGER") else self.data.draw(VALUES)]
            row += [None if column in targets else self.data.draw(VALUES) for column in columns[1:]]
            if self.keys[name] == "WITHOUT ROWID" and row[0] is None:
                row[0] = "key"
            marks = ",".join("?" * len(row))
            names = ",".join(map(quoted, columns))
            own(f"INSERT OR IGNORE INTO {quoted(name)} ({names}) VALUES ({marks})", row)
        for column, target in targets.items():  # in cycles too
            own("PRAGMA foreign_keys = OFF")
            first = quoted(self.columns[target[2]][0])
            own(f"UPDATE {quoted(name)} SET {quoted(column)} = (SELECT max({first}) FROM {quoted(target[2])})")
            own("PRAGMA foreign_keys = ON")
        if self.data.draw(st.booleans()):  # what AUTOINCREMENT has counted stays
            own(f"DELETE FROM {quoted(name)} WHERE 0 = (SELECT count(*) FROM pragma_foreign_key_list(?))", (name,))

    def index(self, name: str, table: str, column: str) -> str:
        return f"CREATE INDEX {quoted(name)} ON {quoted(table)} ({quoted(column)} DESC) WHERE {quoted(column)} <> ';'"

    def view(self, name: str, table: str, column: str) -> str:
        return f"CREATE VIEW {quoted(name)} AS SELECT {quoted(column)} AS x, ';' FROM {quoted(table)} /* ; */"

    def trigger(self, name: str, table: str, column: str) -> str:
        body = f"UPDATE {quoted(table)} SET {quoted(column)} = CASE WHEN 1 THEN 'changed;' END"
        return f"CREATE TRIGGER {quoted(name)} AFTER INSERT ON {quoted(table)} BEGIN {body}; SELECT ';'; END"

    def fts(self, name: str, table: str, column: str) -> str:
        if name.lower() in ("rank", "rowid"):
            return "SELECT 1"
        sql = f"CREATE VIRTUAL TABLE {quoted(name)} USING fts5(body, tokenize = 'porter')"
        return f"{sql}; INSERT INTO {quoted(name)} (rowid, body) VALUES (7, 'running; it''s'), (3, NULL)"

    def rtree(self, name: str, table: str, column: str) -> str:
        sql = f"CREATE VIRTUAL TABLE {quoted(name)} USING rtree(id, a, b)"
        return f"{sql}; INSERT INTO {quoted(name)} VALUES (4, 1.5, 2.5)"


def content(of: Transactions) -> list[Any]:
    """The schema, and every row of every table that is not made by another."""
    schema = of.own("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
    kinds = of.own("SELECT name, type FROM pragma_table_list WHERE schema = 'main' ORDER BY name")
    rows = []
    for name, kind in kinds:
        if kind in ("table", "virtual") and name != "sqlite_schema":
            columns = [column for (column,) in of.own("SELECT name FROM pragma_table_xinfo(?)", (name,))]
            types = ", ".join(f"typeof({quoted(column)})" for column in columns)
            rows.append((name, of.own(f"SELECT *, {types} FROM {quoted(name)}")))
    return [schema, rows, of.own("PRAGMA foreign_key_check")]


@given(st.data())
def test_export_makes_the_same_database(data: st.DataObject) -> None:
    """And what is exported of that one is the same text."""
    made = Made(data).database
    again = Transactions(DataFile(None, SCHEMA).sqlite)
    written = "".join(f"{line}\n" for line in statements(made.sqlite))
    load(again, [written], "export")
    assert content(made) == content(again)
    assert written == "".join(f"{line}\n" for line in statements(again.sqlite))
