"""D1: what its methods take and give, with the platform's texts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cfworkflows import D1Error
from cfworkflows_bindings import D1Binding
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.stores.d1 import D1Store


@pytest.fixture
async def db() -> AsyncIterator[D1Binding]:
    """A database with a table."""
    async with D1Store(None, "DB", VirtualClock()).open() as store:
        database = D1Binding(store, "DB")
        await database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n REAL)")
        yield database


async def test_rows_are_objects_with_attributes(db: D1Binding) -> None:
    """As results are."""
    result = await db.prepare("INSERT INTO t (name) VALUES (?) RETURNING *").bind("ann").run()
    assert (True, 1, "ann") == (result.success, result["meta"]["changes"], result.results[0].name)
    assert {"id": 1, "name": "ann", "n": None} == await db.prepare("SELECT * FROM t").first()
    assert "ann" == await db.prepare("SELECT * FROM t").first("name")
    assert None is await db.prepare("SELECT * FROM t WHERE id = 9").first("name")


async def test_rows_as_lists_have_the_names_of_columns_first(db: D1Binding) -> None:
    """In both spellings, and where there are no rows."""
    statement = db.prepare("SELECT id, name AS id FROM t")
    assert [["id", "id"]] == await statement.raw({"columnNames": True}) == await statement.raw(column_names=True)
    assert [] == await statement.raw()


@pytest.mark.parametrize(
    ("value", "kind", "given"),
    [
        ("é\0", "text", "é\0"),
        (1, "real", 1),
        (True, "real", 1),
        (1.5, "real", 1.5),
        (None, "null", None),
        (float("nan"), "null", None),
        (float("inf"), "null", None),
        (b"\0\1", "blob", b"\0\1"),
        (memoryview(b"x"), "blob", b"x"),
        ([1, 2, 255], "blob", b"\1\2\xff"),
        ("\ud800", "text", "?"),
    ],
)
async def test_value_is_bound_as_on_the_platform(db: D1Binding, value: Any, kind: str, given: Any) -> None:
    """Numbers are REALs, and what JSON does not have is NULL."""
    assert [[given, kind]] == await db.prepare("SELECT ?1, typeof(?1)").bind(value).raw()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**60, "Type 'bigint' not supported for value '1152921504606846976'"),
        ({"a": 1}, "Type 'object' not supported for value '[object Object]'"),
        ([256], "Type 'object' not supported for value '256'"),
        (datetime(2020, 1, 1, tzinfo=UTC), "Type 'object' not supported for value 'Wed Jan 01 2020 00:00:00 GMT+0000 "),
        (Decimal(1), "Type 'object' not supported for value '1'"),
        (print, "Type 'function' not supported for value '<built-in"),
    ],
)
def test_value_that_cannot_be_bound_is_refused(value: Any, text: str) -> None:
    """At once, with what to write instead."""
    statement = D1Binding(D1Store(None, "DB", VirtualClock()), "DB").prepare("SELECT ?")
    with pytest.raises(D1Error) as caught:
        statement.bind(value)
    assert f"D1_TYPE_ERROR: {text}" in str(caught.value)
    assert caught.value.__notes__


async def test_whole_numbers_are_ints_as_far_as_floats_have_them(db: D1Binding) -> None:
    """Beyond, they are floats, as everything is in JavaScript."""
    [row] = await db.prepare("SELECT 3.0, 9007199254740991, 9007199254740993, 9e999").raw()
    assert ["3", "9007199254740991", "9007199254740992.0", "None"] == [str(value) for value in row]


async def test_error_shows_the_place_and_the_caller_below_the_platforms_text(db: D1Binding) -> None:
    """The notes have no values in them."""
    with pytest.raises(D1Error) as caught:
        await db.prepare("SELECT id,\n  nope FROM t WHERE name = ?").bind("secret").all()
    error = caught.value
    assert ("D1_ERROR: no such column: nope at offset 13: SQLITE_ERROR", "Error") == (error.message, error.name)
    assert "no such column: nope at offset 13: SQLITE_ERROR" == str(error.__cause__)
    *shown, where = error.__notes__
    assert ["    nope FROM t WHERE name = ?", "    ^", "parameters: TEXT"] == shown
    assert where.startswith(f"called at {__file__}:")


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("", "No SQL statements detected."),
        ("-- nothing", "No SQL statements detected."),
        ("SELECT 1; -- end", "SQL code did not contain a statement."),
        ("SELECT ?", "Wrong number of parameter bindings for SQL query."),
        ("SELECT ?; SELECT 1", "When executing multiple SQL statements in a single call, only the last statement can "),
        ("PUT", 'near "PUT": syntax error at offset 0: SQLITE_ERROR'),
        ("ATTACH 'x' AS y", "not authorized: SQLITE_AUTH"),
        ("CREATE TEMP TABLE x (a)", "not authorized: SQLITE_AUTH"),
        ("CREATE TABLE _CF_x (a)", "not authorized: SQLITE_AUTH"),
        ("SELECT * FROM _cf_METADATA", "access to _cf_METADATA.key is prohibited: SQLITE_AUTH"),
        ("PRAGMA user_version = 5", "not authorized: SQLITE_AUTH"),
        ("SELECT log10(1)", "not authorized to use function: log10 at offset 7: SQLITE_ERROR"),
        ("BEGIN", "To execute a transaction, please use the state.storage.transaction() "),
        ("ROLLBACK", "To execute a transaction, please use the state.storage.transaction() "),
        ("SELECT zeroblob(2000001)", "string or blob too big: SQLITE_TOOBIG"),
        (f"SELECT '{'x' * 100_000}'", "statement too long: SQLITE_TOOBIG"),
        (f"SELECT {','.join('?' * 101)}", "too many SQL variables at offset 207: SQLITE_ERROR"),
        (f"SELECT max({','.join('1' * 33)})", "too many arguments on function max at offset 7: SQLITE_ERROR"),
    ],
)
async def test_what_the_platform_refuses_is_refused(db: D1Binding, sql: str, text: str) -> None:
    """In its words, and nothing has happened."""
    with pytest.raises(D1Error) as caught:
        await db.prepare(f"{sql}").all()
    assert str(caught.value).startswith(f"D1_ERROR: {text}")
    assert 0 == await db.prepare("SELECT count(*) AS c FROM t").first("c")


async def test_batch_is_one_transaction(db: D1Binding) -> None:
    """The first that fails undoes all of it, and is named."""
    insert = db.prepare("INSERT INTO t (id) VALUES (?)")
    with pytest.raises(D1Error, match=r"UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT \(extended: ") as caught:
        await db.batch([insert.bind(1), insert.bind(1), insert.bind(2)])
    assert "statement 2 of 3; nothing of the others was kept" in caught.value.__notes__
    assert [] == (await db.prepare("SELECT * FROM t").all()).results
    with pytest.raises(TypeError, match="batch\\(\\) takes a list of prepared statements, and number 0 is int"):
        await db.batch([1])  # type: ignore[list-item]  # what is no statement


async def test_exec_executes_each_line(db: D1Binding) -> None:
    """All in one transaction; the first line is named in the error, as on the platform."""
    done = await db.exec("INSERT INTO t (name) VALUES ('a')\n\nINSERT INTO t (name) VALUES ('b');")
    assert 2 == done.count
    with pytest.raises(D1Error) as caught:
        await db.exec("INSERT INTO t (name)\nVALUES ('c')")
    assert "D1_EXEC_ERROR: Error in line 1: INSERT INTO t (name): incomplete input: SQLITE_ERROR" == str(caught.value)
    assert any("use prepare()" in note for note in caught.value.__notes__)


async def test_columns_are_those_after_a_change_of_the_schema(db: D1Binding) -> None:
    """A statement that was compiled before tells no columns that are no more."""
    statement = db.prepare("SELECT * FROM t")
    await statement.all()
    await db.exec("ALTER TABLE t DROP COLUMN n")
    assert [["id", "name"]] == await statement.raw(column_names=True)


async def test_session_has_bookmarks_that_grow(db: D1Binding) -> None:
    """None before the first answer, unless it began with one."""
    session = db.with_session("first-primary")
    assert None is session.get_bookmark()
    await session.prepare("SELECT 1").all()
    first = session.getBookmark()
    await session.batch([session.prepare("SELECT 1")])
    second = session.get_bookmark()
    assert (first or "") < (second or "")
    assert second == db.withSession(second).get_bookmark()


async def test_pragmas_end_with_their_call(db: D1Binding) -> None:
    """Foreign keys cannot be turned off, and are deferred in one transaction alone."""
    await db.exec("PRAGMA foreign_keys = OFF")
    assert 1 == await db.prepare("PRAGMA foreign_keys").first("foreign_keys")
    await db.exec("PRAGMA defer_foreign_keys = ON")
    assert 0 == await db.prepare("PRAGMA defer_foreign_keys").first("defer_foreign_keys")


async def test_sql_with_a_lone_surrogate_is_taken_as_utf8_has_it(db: D1Binding) -> None:
    """Neither `prepare` nor `exec` fails with an error of Python's."""
    assert "?x" == await db.prepare("SELECT '\ud800x' AS v").first("v")
    assert 1 == (await db.exec("SELECT '\ud800'")).count
