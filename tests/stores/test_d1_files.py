"""Migrations, imports and exports of D1."""

from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfworkflows_emulator.storage.datafile import DataFile
from cfworkflows_emulator.stores.d1.exports import statements
from cfworkflows_emulator.stores.d1.imports import load
from cfworkflows_emulator.stores.d1.migrations import MigrationError, applied, apply, migrations_in, next_name
from cfworkflows_emulator.stores.d1.scripts import ScriptError
from cfworkflows_emulator.stores.d1.statements import split
from cfworkflows_emulator.stores.d1.store import SCHEMA
from cfworkflows_emulator.stores.d1.transaction import Transactions

EVERYTHING = """
CREATE TABLE child (id INTEGER PRIMARY KEY AUTOINCREMENT, p INTEGER REFERENCES parent (id), v REAL,
    g TEXT GENERATED ALWAYS AS (v || 'x') STORED, gv AS (v + 1) VIRTUAL);
CREATE TABLE parent (id INTEGER PRIMARY KEY, data BLOB, t TEXT, n);
CREATE TABLE "odd ""name"" ; x" ([a b], `c`);
CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE s (i INTEGER, t TEXT, a ANY) STRICT;
INSERT INTO parent VALUES (1, x'00ff', 'it''s
multi; line -- no', 9e999), (2, NULL, char(0) || 'z', -9e999), (3, x'', '', -9223372036854775807 - 1);
INSERT INTO child (p, v) VALUES (1, 1.5), (2, 3.0), (3, 1e300); DELETE FROM child WHERE id = 3;
INSERT INTO "odd ""name"" ; x" (rowid, [a b], c) VALUES (77, 1, 2.0), (5, 'é😀', 3);
INSERT INTO w VALUES ('a', 1); INSERT INTO s VALUES (1, 'x', 2.0);
CREATE VIRTUAL TABLE f USING fts5(title, body);
INSERT INTO f (rowid, title, body) VALUES (3, 'hello', 'world'), (9, 'more', 'text here');
CREATE VIRTUAL TABLE ext USING fts5(t, content='parent', content_rowid='id');
INSERT INTO ext (ext) VALUES ('rebuild');
CREATE VIRTUAL TABLE r USING rtree(id, x1, x2);
INSERT INTO r VALUES (1, 0.5, 2.5);
CREATE INDEX ix ON parent (t) WHERE n IS NOT NULL;
CREATE VIEW vw AS SELECT child.id, t FROM child JOIN parent ON p = parent.id;
CREATE TRIGGER tr AFTER INSERT ON parent BEGIN INSERT INTO ext (rowid, t) VALUES (new.id, new.t);
    UPDATE w SET v = v + 1 WHERE k = 'a'; SELECT CASE WHEN 1 THEN 2 END; END;
"""
QUERIES = (
    "SELECT * FROM child", "SELECT * FROM parent", 'SELECT rowid, * FROM "odd ""name"" ; x"', "SELECT * FROM w",
    "SELECT *, typeof(a) FROM s", "SELECT rowid, * FROM f WHERE f MATCH 'hello OR text'", "SELECT * FROM r",
    "SELECT rowid FROM ext WHERE ext MATCH 'multi'", "SELECT * FROM vw", "SELECT * FROM sqlite_sequence",
    "SELECT type, name, sql FROM sqlite_schema ORDER BY name",
)  # fmt: skip


def database() -> Transactions:
    """One in memory."""
    return Transactions(DataFile(None, SCHEMA).sqlite)


def content(of: Transactions) -> list[Any]:
    return [of.own(query) for query in QUERIES]


def test_export_can_be_imported_and_is_the_same() -> None:
    """Whatever SQLite has: keys, triggers, full text, generated columns, odd names, infinities."""
    first, second = database(), database()
    load(first, [EVERYTHING], "everything")
    written = [f"{line}\n" for line in statements(first.sqlite)]
    load(second, written, "export")
    assert content(first) == content(second)
    assert written == [f"{line}\n" for line in statements(second.sqlite)]


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False),
            st.text(st.characters(exclude_categories=["Cs"])),
            st.binary(),
        )
    )
)
def test_every_value_survives_an_export(values: list[Any]) -> None:
    """With its type."""
    first, second = database(), database()
    first.own("CREATE TABLE t (a)")
    for value in values:
        first.own("INSERT INTO t VALUES (?)", (value,))
    load(second, "\n".join(statements(first.sqlite)), "export")
    query = "SELECT rowid, typeof(a), a FROM t"
    assert first.own(query) == second.own(query)


@given(st.data())
def test_import_takes_text_in_any_parts(data: st.DataObject) -> None:
    """Where the parts end makes no difference."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(EVERYTHING)), max_size=8)))
    parts = [EVERYTHING[a:b] for a, b in zip([0, *cuts], [*cuts, len(EVERYTHING)], strict=True)]
    imported = database()
    assert len([each for each in split(EVERYTHING) if not each.is_empty]) == load(imported, parts, "x").statements


def test_output_of_dump_is_understood() -> None:
    """Its transaction and its pragmas do nothing, and a note says that the platform refuses them."""
    text = (
        "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"
        "CREATE TABLE c (p REFERENCES t (a));\nINSERT INTO c VALUES (1);\n"
        "CREATE TABLE t (a PRIMARY KEY);\nINSERT INTO t VALUES(1);\nCOMMIT;\n"
    )
    imported = database()
    done = load(imported, [text], "dump.sql")
    assert ["Passed over, for the platform refuses it: BEGIN, COMMIT."] == done.notes
    assert [(1,)] == imported.own("SELECT p FROM c")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("CREATE TABLE t (a);\n\nINSERT INTO t VALUES (1);\nINSERT INTO t VALUES (1, 2);\n", "x.sql:4"),
        ("CREATE TABLE t (a UNIQUE);\nINSERT INTO t VALUES (1);\nINSERT INTO t\nVALUES (1);\nSELECT 1;", "x.sql:3"),
        ("CREATE TABLE t (a);\nSELECT\n  nope\nFROM t;\nSELECT 1;", "x.sql:3"),
        ("SELECT 1;\nSELECT 'open", "x.sql:2"),
        ("SELECT ?;", "x.sql:1"),
        ("-- nothing\n", "x.sql"),
    ],
)
def test_mistake_in_a_file_is_found_by_its_line(text: str, where: str) -> None:
    """And nothing of the file is kept."""
    imported = database()
    with pytest.raises(ScriptError) as caught:
        load(imported, [text], "x.sql")
    assert where in str(caught.value)
    assert [] == imported.own("SELECT name FROM sqlite_schema WHERE name = 't'")


def test_key_that_is_checked_at_the_end_names_the_file(tmp_path: Path) -> None:
    """In a migration and in an import; nothing is kept."""
    text = "PRAGMA defer_foreign_keys = ON; CREATE TABLE p (a PRIMARY KEY); CREATE TABLE c (b REFERENCES p (a));"
    text += " INSERT INTO c VALUES (1);"
    migrated = database()
    (tmp_path / "0001_a.sql").write_text(text)
    with pytest.raises(MigrationError, match=r"0001_a.sql failed(.|\n)*FOREIGN KEY constraint failed"):
        apply(migrated, "d1_migrations", migrations_in(tmp_path)[0])
    with pytest.raises(ScriptError, match=r"FOREIGN KEY constraint failed(.|\n)*in x.sql"):
        load(migrated, [text], "x.sql")
    assert [] == migrated.own("SELECT name FROM sqlite_schema WHERE name IN ('p', 'c')")


def test_statements_end_where_sqlite_ends_them() -> None:
    """Not in strings, comments, or the bodies of triggers."""
    text = (
        "SELECT ';' /* ; */ -- ;\n;\nCREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; END;\n"
        'SELECT "a;b", [c;d], `e;f`;  -- end'
    )
    found = [(each.line, each.is_empty) for each in split(text)]
    assert [(1, False), (3, False), (4, False), (4, True)] == found


SQL = st.lists(
    st.sampled_from(
        ["SELECT a", ";", "\n", " ", "'x;y'", '"q;"', "`b;`", "[c;]", "-- c;\n", "/* ; */", "-", "/*", "é", "END;", "'",
         "CREATE TRIGGER t AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; END;", "TEMP TRIGGER", "BEGIN"]
    ),
    max_size=20,
).map("".join)  # fmt: skip


@given(SQL)
def test_each_statement_is_complete_for_sqlite(text: str) -> None:
    """All but the last; together they are the text, and each is where it says."""
    found = list(split(text))
    assert "".join(text.split()) == "".join("".join(each.text for each in found).split())
    for each in found[:-1]:
        assert apsw.complete(each.text)
    at = 0
    for each in found:
        at = text.index(each.text, at)
        assert text.count("\n", 0, at) + 1 == each.line
        at += len(each.text)


def test_migrations_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Numbers first, then the others; a new one has the next number."""
    for name in ("0002_b.sql", "10_c.sql", "0001_a.sql", "z.sql", "README.md"):
        (tmp_path / name).write_text("")
    found = migrations_in(tmp_path)
    assert ["0001_a.sql", "0002_b.sql", "10_c.sql", "z.sql"] == [each.name for each in found]
    assert "0011_add_users.sql" == next_name(found, "add users!")


def test_migration_and_its_row_are_one_transaction(tmp_path: Path) -> None:
    """One that fails leaves nothing, and is shown with its line."""
    (tmp_path / "0001_a.sql").write_text("CREATE TABLE a (x);")
    (tmp_path / "0002_b.sql").write_text("CREATE TABLE b (x);\n\nCREATE TABEL c (x);")
    first, second = migrations_in(tmp_path)
    migrated = database()
    apply(migrated, "d1_migrations", first)
    with pytest.raises(MigrationError) as caught:
        apply(migrated, "d1_migrations", second)
    assert "Migration 0002_b.sql failed with the following errors:" in str(caught.value)
    assert f"{tmp_path}/0002_b.sql:3\n  CREATE TABEL c (x);\n         ^" in str(caught.value)
    assert ["0001_a.sql"] == list(applied(migrated, "d1_migrations"))
    assert [] == migrated.own("SELECT 1 FROM sqlite_schema WHERE name = 'b'")
