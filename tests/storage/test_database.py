"""A database and its thread: who uses the connection, and what is left of it when it cannot be opened."""

import asyncio
import sqlite3
import threading

import pytest

from cfworkflows_emulator.storage import Database, StateError


def _fail(connection):
    raise RuntimeError("a fault of ours")


@pytest.mark.parametrize(
    ("migrations", "error"), [([], StateError), ([_fail], RuntimeError)], ids=["a folder", "a migration"]
)
async def test_a_database_that_cannot_be_opened_leaves_no_thread(tmp_path, migrations, error):
    """The error of the connection is raised where it was to be opened."""
    before = set(threading.enumerate())
    with pytest.raises(error):
        await Database.open(tmp_path / "s" if migrations else tmp_path, migrations)
    for thread in set(threading.enumerate()) - before:
        thread.join(30)  # it has nothing more to say to the loop
        assert not thread.is_alive()


@pytest.fixture
async def database():
    database = await Database.open(None, [])
    yield database
    await database.close()


async def test_what_is_short_is_read_in_place_while_the_thread_is_idle(database):
    """In the thread while it is at work, even when nobody waits for that any more."""
    go, runs = threading.Event(), threading.Event()

    def keep_busy(connection):
        runs.set()
        go.wait()

    here = threading.get_ident()
    assert here == await database.read(lambda connection: threading.get_ident())
    busy = asyncio.ensure_future(database.run(keep_busy))
    await asyncio.to_thread(runs.wait)
    busy.cancel()
    await asyncio.wait([busy])
    reading = asyncio.ensure_future(database.read(lambda connection: threading.get_ident()))
    await asyncio.sleep(0)
    go.set()
    assert here != await reading
    assert (True, True) == (database.is_idle, database.commits_in_place)
    await database.close()
    assert (False, False) == (database.is_idle, database.commits_in_place)


async def test_errors_of_the_code_are_raised_as_they_are(database):
    """Only those of the file and the disk are translated."""
    for execute in (database.run, database.read, database.transaction):
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await execute(lambda connection: connection.execute("SELECT * FROM missing"))
