"""The journals of all instances in one database, written in groups."""

import asyncio
import re
import sqlite3

import pytest

from cfworkflows_emulator.engine import MIGRATIONS, Entry, InstanceRow, Selection
from cfworkflows_emulator.engine.journal.selection import where
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.storage import Database, StateError


def row(key, id="i", **fields):
    return InstanceRow(**{"key": key, "workflow": "w", "id": id, "status": "queued", "created_at": key,
                          "modified_at": 0, **fields})  # fmt: skip


def queued(time=0):
    return Entry(1, time, "workflow_queued", data={"timestamp": time}, value="{}")


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(tmp_path / "state.sqlite", MIGRATIONS)
    yield database
    await database.close()


@pytest.fixture
def store(database):
    return InstanceStore(database)


async def test_what_is_appended_in_one_turn_is_one_transaction(store, database):
    """Of many instances too; an entry reads back as it was written."""
    seen = []
    await database.run(lambda connection: connection.set_trace_callback(seen.append))
    created = [store.create(row(key, f"i{key}"), [queued()]) for key in range(1, 51)]
    entry = Entry(2, 5, "step_completed", "a-1", {"x": [1, None]}, '"é"')
    store.append(1, entry)
    store.index(1, "waiting", 7, 9)
    await store.flushed()
    assert [True] * 50 == [await each for each in created]
    assert ["BEGIN IMMEDIATE", "COMMIT"] == [text for text in seen if text in ("BEGIN IMMEDIATE", "COMMIT")]
    assert [queued(), entry] == await store.journal(1)
    assert row(1, "i1", status="waiting", modified_at=7, wake_at=9) == await store.get(1)
    assert 50 == await store.last_key()


async def test_an_id_is_taken_once_per_workflow(store):
    """The second creation says so, and writes nothing."""
    first = store.create(row(1), [queued(1)])
    second = store.create(row(2), [queued(2)])
    other = store.create(row(3, workflow="v"), [queued(3)])
    assert [True, False, True] == [await first, await second, await other]
    assert [] == await store.journal(2)
    assert 1 == (await store.find("w", "i")).key
    assert await store.find("w", "j") is None


async def test_lists_and_counts(store):
    """Newest first, by status, page by page."""
    for key in range(1, 6):
        store.create(row(key, f"i{key}", status="complete" if key % 2 else "running"), [queued()])
    await store.flushed()
    assert ["i5", "i4"] == [each.id for each in await store.list("w", limit=2)]
    assert ["i3", "i1"] == [each.id for each in await store.list("w", Selection(["complete"]), offset=1)]
    assert {"complete": 3, "running": 2} == await store.counts("w")
    assert ["i2", "i4"] == [each.id for each in await store.interrupted()]


async def test_a_journal_is_erased_and_begun_anew_in_one_transaction(store):
    """As a restart does it."""
    await store.create(row(1), [queued()])
    store.erase_journal(1)
    store.append(1, Entry(2, 9, "workflow_queued"))
    await store.flushed()
    assert [2] == [entry.seq for entry in await store.journal(1)]


async def test_after_a_commit_that_fails_nothing_is_written_and_every_waiter_is_told(store, database, caplog):
    """The whole group is undone, and what comes later is not written either."""
    await store.create(row(1), [queued()])
    await database.run(
        lambda connection: connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON journal WHEN new.type = 'bad' "
            "BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    )
    store.append(1, Entry(2, 0, "good"))
    created = store.create(row(2, "j"), [queued()])
    before = store.flushed()
    store.append(1, Entry(3, 0, "bad"))
    waiters = [before, store.flushed(), created]
    for waiter in waiters:
        with pytest.raises(StateError, match=r"The state cannot be written: disk is full\. .*start again"):
            await waiter
    store.append(1, Entry(4, 0, "late"))
    with pytest.raises(StateError):
        await store.create(row(3, "k"), [queued()])
    assert ["workflow_queued"] == [entry.type for entry in await store.journal(1)]
    assert 1 == await store.last_key()
    assert 1 == len(caplog.records)


async def test_a_write_that_was_cancelled_leaves_no_waiter_behind(store, monkeypatch):
    """Whoever waits for it is told, and the next write goes on, whenever the cancellation came."""
    monkeypatch.setattr(Database, "is_idle", False)
    for turns in range(6):
        key = turns + 1
        created = store.create(row(key, f"i{key}"), [queued()])
        for _ in range(turns):
            await asyncio.sleep(0)
        if store._commits._writing is not None:
            store._commits._writing.cancel()
        await asyncio.wait([created])
        store.append(key, Entry(5, 0, "later"))
        await store.flushed()
        assert "later" == (await store.journal(key))[-1].type


async def test_closing_writes_what_is_pending(tmp_path):
    """Another connection finds it."""
    path = tmp_path / "other.sqlite"
    store = InstanceStore(await Database.open(path, MIGRATIONS))
    store.create(row(1), [queued()])
    await store.close()
    with sqlite3.connect(path) as connection:
        assert [("i",)] == connection.execute("SELECT id FROM instances").fetchall()
    connection.close()


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(["waiting"]),
        Selection(since=1, until=2),
        Selection(["waiting"], since=1, until=2),
        Selection(after=(5, 5)),
        Selection(oldest_first=True, after=(5, 5)),
    ],
    ids=str,
)
async def test_a_page_is_read_from_an_index(selection):
    """However many instances there are: nothing is scanned, and nothing sorted."""
    database = await Database.open(None, MIGRATIONS)
    condition, parameters = where("w", selection)
    order = "ASC" if selection.oldest_first else "DESC"
    query = f"EXPLAIN QUERY PLAN SELECT * FROM instances {condition} ORDER BY created_at {order}, key {order} LIMIT 9"
    plan = [row[3] for row in await database.run(lambda connection: connection.execute(query, parameters).fetchall())]
    await database.close()
    assert 1 == len(plan)
    assert re.match(r"SEARCH instances USING INDEX instances_by_", plan[0]), plan


READS = [
    ("find", "w", "i"),
    ("get", 1),
    ("load", [1]),
    ("interrupted",),
    ("next_alarms", (-1, -1), 9),
    ("next_expiries", (-1, -1), 9),
    ("kept", "w"),
    ("list", "w"),
    ("count", "w", Selection(["waiting"])),
    ("counts", "w"),
    ("beginnings", [1]),
    ("journal", 1),
    ("ending", 1),
    ("entries", [(1, 1)]),
    ("last_key",),
]


@pytest.mark.parametrize(("method", "arguments"), [(method, rest) for method, *rest in READS])
async def test_no_read_scans_what_grows_with_the_instances(store, database, method, arguments):
    """Every read finds its rows through an index: none goes through a table from its start to its end."""
    store.create(row(1), [Entry(1, 0, "workflow_queued", data={"trigger": "binding"})])
    await store.flushed()
    statements: list[str] = []
    await database.run(lambda connection: connection.set_trace_callback(statements.append))
    await getattr(store, method)(*arguments)
    await database.run(lambda connection: connection.set_trace_callback(None))
    assert statements
    for statement in statements:
        query = f"EXPLAIN QUERY PLAN {statement}"
        plan = await database.run(lambda connection, query=query: connection.execute(query).fetchall())
        assert [] == [step for *_, step in plan if re.match(r"SCAN (instances|journal)\b", step)], statement
