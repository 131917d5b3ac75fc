"""`cfwf dev` with a D1 database, killed again and again: what was acknowledged is there, and nothing half."""

# ruff: noqa: ASYNC110 - other processes set no asyncio.Event

import asyncio
import random
import sqlite3
import subprocess

import pytest
from devserver import CFWF, clean_environment
from served import NO_ANSWER, Served

CONFIG = """
name = "store"
main = "entry.py"
compatibility_date = "2026-11-01"
compatibility_flags = ["python_workers"]
[[d1_databases]]
binding = "DB"
"""
BATCH = 20


@pytest.fixture
def folder(tmp_path):
    """A project with a database."""
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "entry.py").write_text("")
    return tmp_path


def rows(folder, sql, *, check=True):
    """Read by SQLite itself, in this process."""
    [file] = (folder / "served/state/d1").glob("*.sqlite")
    sqlite = sqlite3.connect(file)
    try:
        assert not check or [("ok",)] == sqlite.execute("PRAGMA integrity_check").fetchall()
        return sqlite.execute(sql).fetchall()
    finally:
        sqlite.close()


async def execute(served, *statements):
    status, answer = await served.ask("POST", "/d1/database/DB/raw", {"batch": [{"sql": each} for each in statements]})
    assert 200 == status, answer
    return answer["result"]


@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_acknowledged_writes_survive_kills(folder, durability):
    """Single statements and batches of several clients; a batch is there with all its rows, or with none."""
    chance = random.Random(7)
    served = Served(folder / "served", "--durability", durability, config=folder / "wrangler.toml")
    acknowledged, numbers = set(), iter(range(10**6))

    async def client():
        try:
            while True:
                number = next(numbers)
                size = chance.choice([1, BATCH])
                insert = f"INSERT INTO t (batch, size) VALUES ({number}, {size})"
                await execute(served, *[insert] * size)
                acknowledged.add((number, size))
        except NO_ANSWER:
            pass

    try:
        for _ in range(4):
            served.start()
            await served.ready()
            await execute(served, "CREATE TABLE IF NOT EXISTS t (batch, size)")
            clients = [asyncio.create_task(client()) for _ in range(3)]
            wanted = len(acknowledged) + chance.randint(1, 40)
            while len(acknowledged) < wanted:
                await asyncio.sleep(chance.random() * 0.01)
            served.kill()
            await asyncio.gather(*clients)
    finally:
        await served.close()
    found = rows(folder, "SELECT batch, size, count(*) FROM t GROUP BY batch")
    assert [] == [batch for batch, size, count in found if size != count]
    assert set() == acknowledged - {(batch, size) for batch, size, _ in found}


def test_migration_that_is_killed_is_applied_with_its_row_or_not_at_all(folder):
    """And the next `apply` does what is left."""
    (folder / "migrations").mkdir()
    names = [f"{number:04}_m.sql" for number in range(1, 5)]
    for number, name in enumerate(names):
        rows_of_it = f"INSERT INTO m{number} (b) VALUES (zeroblob(20000));\n" * 200
        (folder / "migrations" / name).write_text(f"CREATE TABLE m{number} (b);\n{rows_of_it}")
    state = folder / "served/state"
    command = [str(CFWF), "d1", "migrations", "apply", "DB", "--cwd", str(folder), "--persist-to", str(state)]
    wal = state / "d1/%44%42.sqlite-wal"

    def is_within():
        """A migration has begun: the log has what is not committed yet."""
        return wal.exists() and wal.stat().st_size > before + 2_000_000

    def is_behind():
        """A migration has just been committed."""
        return wal.exists() and len(rows(folder, tables_of_it, check=False)) > applied

    tables_of_it = "SELECT name FROM sqlite_schema WHERE name GLOB 'm[0-9]*'"
    applied, codes = 0, []
    for moment in (is_within, is_behind, is_within, None):
        before = wal.stat().st_size if wal.exists() else 0
        process = subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while moment is not None and process.poll() is None and not moment():
            pass
        if moment is not None:
            process.kill()
        process.communicate()
        codes.append(process.returncode)
        tables = {name for (name,) in rows(folder, tables_of_it)}
        done = rows(folder, "SELECT name FROM d1_migrations") if tables else []
        assert {f"m{names.index(name)}" for (name,) in done} == tables
        assert [] == [name for name in tables if rows(folder, f"SELECT count(*) FROM {name}") != [(200,)]]
        assert applied <= len(done)
        applied = len(done)
    assert (-9, 0) == (codes[0], codes[-1])
    assert names == [name for (name,) in rows(folder, "SELECT name FROM d1_migrations ORDER BY id")]
