"""The writer: where a group is written, and when the log is folded into the database."""

import asyncio
import threading

import pytest

from cfworkflows_emulator.storage import Database
from cfworkflows_emulator.storage import writer as module
from cfworkflows_emulator.storage.writer import Writer

INSERT = "INSERT INTO notes VALUES (?)"
UPDATE = "UPDATE notes SET text = ? WHERE rowid = ?"


def _notes(connection):
    connection.execute("CREATE TABLE notes (text TEXT)")


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(tmp_path / "notes.sqlite", [_notes])
    yield database
    await database.close()


@pytest.fixture
def groups(monkeypatch):
    """Where each transaction was done, in the order in which they were."""
    done = []
    transact, transaction = Database.transact, Database.transaction

    def in_place(database, function):
        done.append("in place")
        return transact(database, function)

    async def in_thread(database, function):
        done.append("thread")
        return await transaction(database, function)

    monkeypatch.setattr(Database, "transact", in_place)
    monkeypatch.setattr(Database, "transaction", in_thread)
    return done


def _writer(database):
    return Writer(database, INSERT, UPDATE, lambda batch: None)


async def _count(database):
    return await database.run(lambda connection: connection.execute("SELECT count(*) FROM notes").fetchone()[0])


async def test_a_small_group_is_written_in_place(database, groups):
    """All of one turn of the loop is one transaction."""
    writer = _writer(database)
    for n in range(10):
        writer.write((str(n),))
    await writer.flushed()
    assert (["in place"], 10) == (groups, await _count(database))


async def test_a_heavy_group_is_written_by_the_thread(database, groups):
    """Many rows, or few large ones: the loop is not kept."""
    writer = _writer(database)
    for n in range(module.HEAVIEST_IN_PLACE + 1):
        writer.write((str(n),))
    await writer.flushed()
    writer.write(("x" * 4096 * module.HEAVIEST_IN_PLACE,), 4096 * module.HEAVIEST_IN_PLACE)
    await writer.flushed()
    assert ["thread", "thread"] == groups


async def test_while_the_thread_is_busy_it_writes_too(database, groups):
    """Two threads on one connection would come between each other."""
    writer, go, runs = _writer(database), threading.Event(), threading.Event()

    def keep_busy(connection):
        runs.set()
        go.wait()

    busy = asyncio.ensure_future(database.run(keep_busy))
    await asyncio.to_thread(runs.wait)
    writer.write(("a",))
    flushed = writer.flushed()
    while not groups:
        await asyncio.to_thread(lambda: None)
    go.set()
    await asyncio.gather(busy, flushed)
    assert ["thread"] == groups


async def test_what_nobody_waits_for_is_written_all_the_same(database, groups):
    """After a few turns of the loop."""
    writer = _writer(database)
    writer.write(("a",))
    while not groups:
        await database.read(lambda connection: None)
    assert 1 == await _count(database)


async def test_the_log_is_folded_into_the_database_when_it_is_long(database, tmp_path, monkeypatch):
    """By weight: so a few large values count like many small ones."""
    monkeypatch.setattr(module, "CHECKPOINT_AFTER", 20)
    folded = []
    checkpoint = Database.checkpoint

    async def fold(database):
        await checkpoint(database)
        folded.append((tmp_path / "notes.sqlite").stat().st_size)

    monkeypatch.setattr(Database, "checkpoint", fold)
    writer = _writer(database)
    for _ in range(2):
        writer.write(("x" * 40_960,), 40_960)
        await writer.flushed()
    while not folded:
        await database.run(lambda connection: None)
    assert 81_920 < folded[0]


async def test_the_log_is_folded_when_nobody_writes(database, monkeypatch):
    """Once there is something worth folding, and the writing has stopped for a moment."""
    monkeypatch.setattr(module, "CHECKPOINT_WHEN_IDLE_AFTER", 5)
    monkeypatch.setattr(module, "IDLE_S", 0)
    folded = asyncio.Event()
    checkpoint = Database.checkpoint

    async def fold(database):
        await checkpoint(database)
        folded.set()

    monkeypatch.setattr(Database, "checkpoint", fold)
    writer = _writer(database)
    for n in range(5):
        assert not folded.is_set()
        writer.write((str(n),))
        await writer.flushed()
    async with asyncio.timeout(30):
        await folded.wait()
    assert 5 == await _count(database)


async def test_of_several_updates_of_a_row_the_last_counts(database, groups):
    """In one transaction; what is written between them sees those before it, and those after it come later."""
    writer, seen = _writer(database), []
    writer.write(("a",))
    writer.write(("b",))
    writer.update(1, ("a1", 1))
    writer.update(2, ("b1", 2))
    writer.update(1, ("a2", 1))
    writer.write(lambda connection: seen.extend(connection.execute("SELECT text FROM notes").fetchall()))
    writer.update(1, ("a3", 1))
    await writer.flushed()
    texts = await database.run(lambda connection: connection.execute("SELECT text FROM notes").fetchall())
    assert ([("a2",), ("b1",)], [("a3",), ("b1",)]) == (seen, texts)
    assert ["in place"] == groups


async def test_an_abandoned_writer_tells_nobody_and_writes_nothing(database):
    """What a process that was killed would have gone on with."""
    writer, told = _writer(database), []
    writer.write(("a",))
    writer.when_durable(told.append)
    writer.abandon()
    writer.write(("b",))
    writer.when_durable(told.append)
    assert (0, []) == (await _count(database), told)
