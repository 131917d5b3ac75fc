"""Commits: where a group is written, and when the log is folded into the database."""

import asyncio
import threading

import pytest

from cfworkflows_emulator.storage import Database, DiskError, StateError, connection, place
from cfworkflows_emulator.storage import commits as module
from cfworkflows_emulator.storage.batch import MOST_ROWS_AT_ONCE, Insert
from cfworkflows_emulator.storage.commits import Commits

NOTES = Insert("notes", "text")
DRAFTS = Insert("drafts", "text")
UPDATE = "UPDATE notes SET text = ? WHERE rowid = ?"


def _notes(connection):
    connection.execute("CREATE TABLE notes (text TEXT)")
    connection.execute("CREATE TABLE drafts (text TEXT)")


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(tmp_path / "notes.sqlite", [_notes])
    yield database
    await database.close()


@pytest.fixture
async def statements(database):
    """What SQLite executes, with the values in their places."""
    seen = []
    await database.run(lambda connection: connection.set_trace_callback(seen.append))
    return seen


@pytest.fixture
def groups(monkeypatch):
    """Where each transaction was done, in the order in which they were."""
    done = []
    transact, transaction = Database.transact, Database.transaction

    def in_place(database, function, *, is_atomic):
        done.append("in place")
        return transact(database, function, is_atomic=is_atomic)

    async def in_thread(database, function):
        done.append("thread")
        return await transaction(database, function)

    monkeypatch.setattr(Database, "transact", in_place)
    monkeypatch.setattr(Database, "transaction", in_thread)
    return done


def _commits(database, written=lambda keys: None, failed=lambda: None):
    return Commits(database, written, failed)


async def _count(database):
    return await database.run(lambda connection: connection.execute("SELECT count(*) FROM notes").fetchone()[0])


async def test_a_small_group_is_written_in_place(database, groups):
    """All of one turn of the loop is one transaction."""
    commits = _commits(database)
    for n in range(10):
        commits.write_row(NOTES, (str(n),), n)
    await commits.flushed()
    assert (["in place"], 10) == (groups, await _count(database))


async def test_rows_alone_need_no_transaction_around_them(database, statements):
    """Few rows of one table are one statement, which SQLite makes durable or undoes as a whole."""
    commits = _commits(database)
    for n in range(3):
        commits.write_row(NOTES, (str(n),), n)
    await commits.flushed()
    assert ["INSERT INTO notes (text) VALUES ('0'), ('1'), ('2')"] == statements


@pytest.mark.parametrize("other", ["a function", "an update", "another table", "many rows"])
async def test_rows_with_something_else_are_a_transaction(database, statements, other):
    """All of it is between BEGIN and COMMIT."""
    commits = _commits(database)
    commits.write_row(NOTES, ("a",), 1)
    if other == "a function":
        commits.write(lambda connection: None)
    elif other == "an update":
        commits.write_latest(UPDATE, 1, ("a1", 1))
    elif other == "another table":
        commits.write_row(DRAFTS, ("b",), 1)
    else:
        for _ in range(MOST_ROWS_AT_ONCE):
            commits.write_row(NOTES, ("b",), 1)
    await commits.flushed()
    assert ("BEGIN IMMEDIATE", "COMMIT") == (statements[0], statements[-1])


@pytest.mark.parametrize("rows", [3, MOST_ROWS_AT_ONCE + 1])
async def test_rows_that_cannot_be_written_leave_nothing(database, rows):
    """Neither those before the one that fails; every waiter gets the error, and so does who comes later."""
    await database.run(
        lambda connection: connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON notes WHEN new.text = 'bad' "
            "BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    )
    failures, errors = [], []
    commits = _commits(database, failed=lambda: failures.append(str(commits.failure)))
    for _ in range(rows - 1):
        commits.write_row(NOTES, ("good",), 1)
    commits.write_row(NOTES, ("bad",), 1)
    commits.when_durable(errors.append)
    with pytest.raises(StateError, match="disk is full"):
        await commits.flushed()
    commits.write_row(NOTES, ("late",), 1)
    commits.when_durable(errors.append)
    assert [str(await commits.failed())] * 2 == [str(error) for error in errors]
    assert [str(commits.failure)] == failures
    with pytest.raises(StateError, match="disk is full"):
        commits.check()
    assert 0 == await _count(database)


async def test_what_was_written_about_is_notified_once_it_is_durable(database):
    """The keys of a commit, each once; not those of functions and updates that have none."""
    written = []
    commits = _commits(database, written.append)
    for key in (1, 2, 1):
        commits.write_row(NOTES, ("a",), key)
    commits.write(lambda connection: None, about=3)
    commits.write(lambda connection: None)
    commits.write_latest(UPDATE, 4, ("a", 4))
    assert [] == written
    await commits.flushed()
    commits.write_latest(UPDATE, 4, ("a", 4))
    await commits.flushed()
    assert [{1, 2, 3}] == written


async def test_a_heavy_group_is_written_by_the_thread(database, groups):
    """Many rows, or few large ones: the loop is not kept."""
    commits = _commits(database)
    for n in range(module.HEAVIEST_IN_PLACE + 1):
        commits.write_row(NOTES, (str(n),), n)
    await commits.flushed()
    commits.write_row(NOTES, ("x" * 4096 * module.HEAVIEST_IN_PLACE,), 1, 4096 * module.HEAVIEST_IN_PLACE)
    await commits.flushed()
    assert ["thread", "thread"] == groups


async def test_while_the_thread_is_busy_it_writes_too(database, groups):
    """Two threads on one connection would come between each other."""
    commits, go, runs = _commits(database), threading.Event(), threading.Event()

    def keep_busy(connection):
        runs.set()
        go.wait()

    busy = asyncio.ensure_future(database.run(keep_busy))
    await asyncio.to_thread(runs.wait)
    commits.write_row(NOTES, ("a",), 1)
    flushed = commits.flushed()
    while not groups:
        await asyncio.to_thread(lambda: None)
    go.set()
    await asyncio.gather(busy, flushed)
    assert ["thread"] == groups


async def test_what_nobody_waits_for_is_written_all_the_same(database, groups):
    """After a few turns of the loop."""
    commits = _commits(database)
    commits.write_row(NOTES, ("a",), 1)
    while not groups:
        await database.read(lambda connection: None)
    assert 1 == await _count(database)


async def test_the_log_is_folded_into_the_database_when_it_is_long(database, tmp_path, monkeypatch):
    """By weight: so a few large values count like many small ones."""
    monkeypatch.setattr(module, "CHECKPOINT_AFTER", 20)
    folded = []
    checkpoint = Database.checkpoint

    async def fold(database, **options):
        await checkpoint(database, **options)
        folded.append((tmp_path / "notes.sqlite").stat().st_size)

    monkeypatch.setattr(Database, "checkpoint", fold)
    commits = _commits(database)
    for _ in range(2):
        commits.write_row(NOTES, ("x" * 40_960,), 1, 40_960)
        await commits.flushed()
    while not folded:
        await database.run(lambda connection: None)
    assert 81_920 < folded[0]


async def test_the_log_is_folded_when_nobody_writes(database, monkeypatch):
    """Once there is something worth folding, and the writing has stopped for a moment."""
    monkeypatch.setattr(module, "CHECKPOINT_WHEN_IDLE_AFTER", 5)
    monkeypatch.setattr(module, "IDLE_S", 0)
    folded = asyncio.Event()
    checkpoint = Database.checkpoint

    async def fold(database, **options):
        await checkpoint(database, **options)
        folded.set()

    monkeypatch.setattr(Database, "checkpoint", fold)
    commits = _commits(database)
    for n in range(5):
        assert not folded.is_set()
        commits.write_row(NOTES, (str(n),), n)
        await commits.flushed()
    async with asyncio.timeout(30):
        await folded.wait()
    assert 5 == await _count(database)


async def test_a_long_log_is_cut_when_nobody_writes(database, tmp_path, monkeypatch):
    """What a time of much work made of its file is given back, also where that was the last that was written."""
    monkeypatch.setattr(module, "CHECKPOINT_AFTER", 1_000)
    monkeypatch.setattr(module, "IDLE_S", 0)
    log = tmp_path / "notes.sqlite-wal"
    commits = _commits(database)
    commits.write_row(NOTES, ("x" * 8_000_000,), 1, 8_000_000)
    await commits.flushed()
    assert log.stat().st_size > 8_000_000
    async with asyncio.timeout(30):
        while log.stat().st_size > connection.LONGEST_LOG_KEPT:
            await database.run(lambda connection: None)
    assert 1 == await _count(database)
    commits.close()


@pytest.mark.parametrize("replaced", [False, True])
async def test_nothing_is_acknowledged_into_a_file_that_is_gone(database, tmp_path, monkeypatch, replaced):
    """The commit after its removal fails, and says so; one in its place is not written to."""
    monkeypatch.setattr(place, "LOOK_EVERY_S", 0)
    commits = _commits(database)
    commits.write_row(NOTES, ("a",), 1)
    await commits.flushed()
    (tmp_path / "notes.sqlite").rename(tmp_path / "elsewhere")
    if replaced:
        (tmp_path / "notes.sqlite").write_bytes(b"")
    commits.write_row(NOTES, ("b",), 1)
    with pytest.raises(
        DiskError, match=r"notes\.sqlite: the file, or its folder, was removed or replaced while it was"
    ):
        await commits.flushed()
    assert 1 == await _count(database)


async def test_of_several_updates_of_a_row_the_last_counts(database, groups):
    """In one transaction; what is written between them sees those before it, and those after it come later."""
    commits, seen = _commits(database), []
    commits.write_row(NOTES, ("a",), 1)
    commits.write_row(NOTES, ("b",), 1)
    commits.write_latest(UPDATE, 1, ("a1", 1))
    commits.write_latest(UPDATE, 2, ("b1", 2))
    commits.write_latest(UPDATE, 1, ("a2", 1))
    commits.write(lambda connection: seen.extend(connection.execute("SELECT text FROM notes").fetchall()))
    commits.write_latest(UPDATE, 1, ("a3", 1))
    await commits.flushed()
    texts = await database.run(lambda connection: connection.execute("SELECT text FROM notes").fetchall())
    assert ([("a2",), ("b1",)], [("a3",), ("b1",)]) == (seen, texts)
    assert ["in place"] == groups


async def test_what_is_abandoned_is_not_written_and_no_waiter_is_called(database):
    """What a process that was killed would have gone on with."""
    commits, called = _commits(database), []
    commits.write_row(NOTES, ("a",), 1)
    commits.when_durable(called.append)
    commits.abandon()
    commits.write_row(NOTES, ("b",), 1)
    commits.when_durable(called.append)
    assert (0, []) == (await _count(database), called)
