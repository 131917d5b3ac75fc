"""Instances that ended are deleted when their retention is over."""

import asyncio
import sqlite3

import pytest

from cfworkflows import WorkflowError
from cfworkflows_emulator.actors import alarms
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.engine import MIGRATIONS
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.storage.database import Database

DAY = 86_400_000
KEPT = {"success_retention_ms": 3 * DAY, "error_retention_ms": 5 * DAY}


async def end(event, step):
    """Ends as its params say."""
    if event.payload == "errored":
        raise ValueError("no")
    if event.payload == "terminated":
        await step.wait_for_event("never", type="never", timeout="300 days")


async def ended(server, how, **options):
    instance = await server.create(params=how, **options)
    if how == "terminated":
        await instance.terminate()
    assert how == (await server.settled(instance)).status
    return instance


def exists(server, instance):
    return server.engine.exists("end", instance.id)


@pytest.mark.parametrize("file", [True, False])
@pytest.mark.parametrize(("how", "days"), [("complete", 3), ("terminated", 3), ("errored", 5)])
async def test_it_is_deleted_when_the_retention_of_its_workflow_is_over(serve, how, days, file):
    """To the millisecond; then its id is free, and nothing is left of its journal."""
    server = await serve(end, file=file, **KEPT)
    instance = await ended(server, how, id="i")
    await server.clock.advance(days * DAY - 1)
    assert await exists(server, instance)
    await server.clock.advance(1)
    assert not await exists(server, instance)
    with pytest.raises(WorkflowError, match=r"\(instance\.not_found\)"):
        await instance.status()
    rows = await server.database.run(lambda connection: connection.execute("SELECT count(*) FROM journal").fetchone())
    assert (0,) == rows
    await ended(server, how, id="i")


@pytest.mark.parametrize("key", ["successRetention", "success_retention"])
async def test_the_retention_of_an_instance_goes_before_that_of_its_workflow(serve, key):
    """In either spelling; what it does not say is as the workflow says."""
    server = await serve(end, **KEPT)
    short = await ended(server, "complete", retention={key: "1 hour"})
    failed = await ended(server, "errored", retention={key: "1 hour"})
    await server.clock.advance("1 hour")
    assert [False, True] == [await exists(server, each) for each in (short, failed)]
    await server.clock.advance("5 days")
    assert not await exists(server, failed)


async def test_an_instance_that_has_not_ended_is_not_deleted(serve):
    """The time counts from its end, however long it waited."""
    server = await serve(end, **KEPT)
    instance = await server.create(params="terminated")
    await server.clock.advance("100 days")
    assert "waiting" == (await instance.status()).status
    await instance.terminate()
    await server.clock.advance("3 days")
    assert not await exists(server, instance)


async def test_a_restart_takes_the_expiry_back(serve):
    """What is at work again is not deleted; its new end counts."""
    runs = []

    async def end(step):
        runs.append(1)
        if len(runs) == 2:
            await step.sleep("nap", "10 days")

    server = await serve(end, **KEPT)
    instance = await server.create()
    await server.clock.advance("2 days")
    await instance.restart()
    await server.clock.advance("9 days")
    assert "waiting" == (await instance.status()).status
    await server.clock.advance("3 days")
    assert "complete" == (await instance.status()).status
    await server.clock.advance("1 day")
    assert not await exists(server, instance)


async def test_what_is_overdue_at_the_start_is_deleted(serve):
    """The others when their time comes."""
    server = await serve(end, file=True, **KEPT)
    success, failure = await ended(server, "complete", id="s"), await ended(server, "errored", id="f")
    await server.stop()
    server.clock = VirtualClock(server.clock.now() + 4 * DAY)
    await server.start()
    await server.clock.advance(0)
    assert [False, True] == [await exists(server, each) for each in (success, failure)]
    await server.clock.advance("1 day")
    assert not await exists(server, failure)


async def test_more_of_them_than_fit_into_memory_are_deleted_in_order(serve, monkeypatch):
    """Those that are due later are found in the database."""
    monkeypatch.setattr(alarms, "IN_MEMORY", 3)
    server = await serve(end, file=True, **KEPT)
    hours = [(n * 7) % 20 + 1 for n in range(20)]
    for hour in hours:
        await ended(server, "complete", retention={"successRetention": f"{hour} hours"})
    assert len(server.engine._retention._alarms._heap) <= 6
    await server.restart()
    for left in range(19, -1, -1):
        await server.clock.advance("1 hour")
        assert ({"complete": left} if left else {}) == await server.engine.counts("end")


async def test_an_instance_in_use_is_deleted_a_little_later(serve):
    """Not under the hands of who uses it."""
    server = await serve(end, **KEPT)
    instance = await ended(server, "complete", id="i")
    async with server.engine._using("end", "i"):
        await server.clock.advance("3 days")
        assert await exists(server, instance)
    await server.clock.advance(0)
    assert not await exists(server, instance)


async def test_without_a_retention_it_is_kept(serve):
    """And no timer is left."""
    server = await serve(end)
    instance = await ended(server, "complete")
    assert server.clock.next_timer is None
    await server.clock.advance("1000 days")
    assert await exists(server, instance)


@pytest.mark.parametrize(
    "retention", [{"successRetention": 0}, {"errorRetention": -1}, {"success_retention": "0 days"}]
)
async def test_a_retention_must_be_more_than_nothing(serve, retention):
    """It is refused, and nothing is created."""
    server = await serve(end)
    with pytest.raises(WorkflowError, match="retention: "):
        await server.create(retention=retention)
    assert {} == await server.engine.counts("end")


async def test_a_killed_server_deletes_what_it_had_not_deleted_yet(serve):
    """The deletion is one transaction with nothing before it to be lost."""
    server = await serve(end, file=True, **KEPT)
    instance = await ended(server, "complete", id="i")
    server.engine.store._write = lambda operation: None  # the disk hears of nothing from here on
    await server.clock.advance("3 days")
    await server.restart()
    await server.clock.advance(0)
    assert not await exists(server, instance)


async def test_a_database_of_the_first_schema_opens_with_all_that_is_in_it(serve, tmp_path):
    """What ended gets its expiry, counted from its end; the others go on, and what was queued keeps its order."""
    path = tmp_path / "old.sqlite"
    now = VirtualClock().now()
    database = await Database.open(path, MIGRATIONS[:1])

    def fill(connection):
        ago = now - 4 * DAY
        for key, (id, status, data) in enumerate(
            [
                ("done", "complete", "{}"),
                ("failed", "errored", "{}"),
                ("own", "complete", '"retention":{"successRetention":864000000}'),
                ("first", "queued", "{}"),
                ("second", "queued", "{}"),
            ],
            start=1,
        ):
            connection.execute(
                "INSERT INTO instances (key, workflow, id, status, created_at, modified_at) "
                "VALUES (?, 'end', ?, ?, ?, ?)",
                (key, id, status, ago, ago),
            )
            created = f'{{"timestamp":{ago}{"," + data if data != "{}" else ""}}}'
            entries = [(key, 1, ago, "workflow_queued", created, '"complete"')]
            if status == "complete":
                entries.append((key, 2, ago, "workflow_completed", "{}", "null"))
            elif status == "errored":
                entries.append((key, 2, ago, "workflow_errored", '{"error":{"name":"E","message":"m"}}', None))
            connection.executemany(
                "INSERT INTO journal (instance, seq, time, type, data, value) VALUES (?, ?, ?, ?, ?, ?)", entries
            )

    await database.transaction(fill)
    await database.close()

    began = []

    async def end(event, step):
        began.append(event.instance_id)

    server = await serve(end, file=True, concurrency_limit=1, **KEPT)
    await server.stop()
    server.path = path
    await server.start()
    await server.clock.advance(0)
    assert ["first", "second"] == began
    rows = {row.id: row.expires_at for row in await server.engine.list("end")}
    fresh = now + 3 * DAY
    assert {"failed": now + DAY, "own": now + 6 * DAY, "first": fresh, "second": fresh} == rows
    await server.clock.advance("1 day")
    assert ["first", "own", "second"] == sorted(row.id for row in await server.engine.list("end"))
    await server.stop()
    with sqlite3.connect(path) as connection:
        assert (len(MIGRATIONS),) == connection.execute("PRAGMA user_version").fetchone()
    connection.close()


async def test_many_that_are_overdue_are_deleted_in_few_transactions(tmp_path, serve):
    """10,000 at the start: as many as are read at once go together."""
    server = await serve(end, file=True, **KEPT)
    now = server.clock.now()

    def fill(connection):
        connection.executemany(
            "INSERT INTO instances (key, workflow, id, status, created_at, modified_at, expires_at) "
            "VALUES (?, 'end', ?, 'complete', 0, 0, ?)",
            [(key, f"i{key}", now - key) for key in range(1, 10_001)],
        )

    await server.database.transaction(fill)
    await server.stop()
    await server.start()
    transactions = []
    await server.database.run(lambda connection: connection.set_trace_callback(transactions.append))
    await server.clock.advance(0)
    while await server.engine.counts("end"):
        await asyncio.sleep(0)
        await server.clock.settle()
        await server.clock.advance(0)
    assert transactions.count("COMMIT") <= 20
    assert await InstanceStore(server.database).last_key() == 0


async def test_an_id_is_taken_until_the_retention_is_over(serve):
    """Then it may be given again."""

    async def run(step):
        return 1

    server = await serve(run, success_retention_ms=3_600_000)
    await server.finish(await server.create(id="a"))
    await server.clock.advance("59 minutes")
    with pytest.raises(WorkflowError, match="already_exists"):
        await server.create(id="a")
    await server.clock.advance("2 minutes")
    assert 1 == (await server.finish(await server.create(id="a"))).output
