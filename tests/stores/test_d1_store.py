"""The data of D1: who waits for whom, what ends when, and what is there afterwards."""

import asyncio
from pathlib import Path

import pytest

from cfworkflows_bindings.d1 import Query, StatementError, objects
from cfworkflows_emulator.clock import SystemClock, VirtualClock
from cfworkflows_emulator.stores.d1 import D1Store, file_of

FOREVER = Query("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c")
LONG = Query(
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000) SELECT count(*) AS n FROM c"
)


async def test_statement_without_end_is_ended() -> None:
    """With the platform's text, and the store is as it was."""
    async with D1Store(None, "DB", VirtualClock(), time_limit_s=0.1).open() as store:
        await store.run([Query("CREATE TABLE t (a)")], objects)
        with pytest.raises(StatementError, match="exceeded timeout which caused object to be reset"):
            await store.run([Query("INSERT INTO t VALUES (1)"), FOREVER], objects)
        [answer] = await store.run([Query("SELECT count(*) AS c FROM t")], objects)
        assert [{"c": 0}] == answer.results


async def test_loop_goes_on_during_a_long_statement() -> None:
    """What was begun in place is undone, and done once in a thread; who comes meanwhile waits."""
    async with D1Store(None, "DB", SystemClock()).open() as store:
        await store.run([Query("CREATE TABLE t (a)")], objects)
        long = asyncio.create_task(store.run([Query("INSERT INTO t VALUES (1)"), LONG], objects))
        turns = 0
        while not long.done():
            await asyncio.sleep(0)
            turns += 1
            if turns == 2:
                behind = asyncio.create_task(store.run([Query("SELECT count(*) AS c FROM t")], objects))
        assert turns > 10
        assert [{"n": 300000}] == long.result()[1].results
        assert [{"c": 1}] == (await behind)[0].results


async def test_closing_ends_what_runs(tmp_path: Path) -> None:
    """It is undone, and its caller is told."""
    store = D1Store(tmp_path / "x.sqlite", "DB", SystemClock())
    await store.run([Query("CREATE TABLE t (a)")], objects)
    running = asyncio.create_task(store.run([Query("INSERT INTO t VALUES (1)"), FOREVER], objects))
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(StatementError):
        await running
    async with D1Store(tmp_path / "x.sqlite", "DB", SystemClock()).open() as again:
        assert [{"c": 0}] == (await again.run([Query("SELECT count(*) AS c FROM t")], objects))[0].results


async def test_bookmarks_grow_from_one_opening_to_the_next(tmp_path: Path) -> None:
    """Whatever the process before has counted."""
    path = file_of(tmp_path, "DB")
    marks = []
    for _ in range(2):
        async with D1Store(path, "DB", SystemClock()).open() as store:
            for _ in range(3):
                await store.run([Query("SELECT 1")], objects)
                marks.append(await store.bookmark())
    assert sorted(set(marks)) == marks


async def test_text_of_ours_is_no_way_out_of_a_transaction() -> None:
    """What is compiled for us is not found by the same words of the user's."""
    async with D1Store(None, "DB", VirtualClock()).open() as store:
        for sql in ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "PRAGMA page_count"):
            await store.run([Query("SELECT 1")], objects)
            with pytest.raises(StatementError):
                await store.run([Query(sql)], objects)


async def test_compiled_statement_of_ours_is_not_the_users() -> None:
    """The library keeps it under a text that nobody can guess."""
    async with D1Store(None, "DB", VirtualClock()).open() as store:
        await store.run([Query("CREATE TABLE t (a)")], objects)
        for sql in ("COMMIT /* cfworkflows */", "ROLLBACK /* cfworkflows */", "COMMIT"):
            with pytest.raises(StatementError, match="To execute a transaction, please use"):
                await store.run([Query("INSERT INTO t VALUES (1)"), Query(sql), Query("SELECT nope")], objects)
        assert [] == (await store.run([Query("SELECT * FROM t")], objects))[0].results


@pytest.mark.parametrize("name", ["_cf_x", "_CF_x"])
async def test_table_is_not_renamed_to_a_reserved_name(name: str) -> None:
    """Nobody could use it then, nor drop it."""
    async with D1Store(None, "DB", VirtualClock()).open() as store:
        await store.run([Query("CREATE TABLE t (a)")], objects)
        with pytest.raises(StatementError, match="not authorized: SQLITE_AUTH"):
            await store.run([Query(f"ALTER TABLE t RENAME TO {name}")], objects)
        await store.run([Query("ALTER TABLE t RENAME TO u"), Query("SELECT * FROM u")], objects)


@pytest.mark.parametrize("sql", ["SELECT 1\0", "SELECT 1; \0 SELECT 2", "\0", "SELECT 'a\0b'"])
async def test_sql_with_a_nul_is_refused(sql: str) -> None:
    """As an error of that statement, wherever the character is."""
    async with D1Store(None, "DB", VirtualClock()).open() as store:
        with pytest.raises(StatementError, match="unrecognized token") as caught:
            await store.run([Query(sql)], objects)
        assert sql.index("\0") == caught.value.offset


async def test_statements_are_executed_in_the_order_in_which_they_came() -> None:
    """Who comes when a long statement has just ended is behind those that have waited for it."""
    async with D1Store(None, "DB", SystemClock()).open() as store:
        await store.run([Query("CREATE TABLE t (a)")], objects)
        asked: list[int] = []

        async def insert(number: int) -> None:
            asked.append(number)
            await store.run([Query(f"INSERT INTO t VALUES ({number})")], objects)

        long = asyncio.create_task(store.run([LONG], objects))
        tasks = []
        while not long.done() or len(tasks) < 100:
            tasks.append(asyncio.create_task(insert(len(tasks))))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        [answer] = await store.run([Query("SELECT a FROM t ORDER BY rowid")], objects)
        assert asked == [row["a"] for row in answer.results]


async def test_callers_that_are_cancelled_take_nobodys_turn() -> None:
    """Neither the one whose statement is being executed, nor one that waits."""
    async with D1Store(None, "DB", SystemClock()).open() as store:
        await store.run([Query("CREATE TABLE t (a)")], objects)
        long = asyncio.create_task(store.run([Query("INSERT INTO t VALUES (1)"), LONG], objects))
        await asyncio.sleep(0)
        waits = asyncio.create_task(store.run([Query("INSERT INTO t VALUES (2)")], objects))
        behind = asyncio.create_task(store.run([Query("SELECT a FROM t")], objects))
        await asyncio.sleep(0)
        long.cancel()
        waits.cancel()
        assert [{"a": 1}] == (await behind)[0].results
