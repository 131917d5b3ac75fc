"""Deletion, in each phase of an instance: what runs is stopped, and nothing is left."""

import asyncio

import pytest

from cfworkflows import WorkflowError

NOT_FOUND = {"code": 10400, "message": "workflows.api.error.instance.not_found"}


async def rows(server):
    """How many instances and journal entries are on disk."""
    return await server.database.run(
        lambda connection: tuple(
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("instances", "journal")
        )
    )


async def gone(instance):
    for call in (instance.status, instance.pause, instance.restart, instance.delete):
        with pytest.raises(WorkflowError) as caught:
            await call()
        assert "instance.not_found" == caught.value.code
    return True


@pytest.mark.parametrize("evict_after_ms", [None, 0])
@pytest.mark.parametrize("phase", ["callback", "sleeping", "waiting", "retrying", "paused", "complete", "errored"])
async def test_nothing_is_left_of_a_deleted_instance(serve, phase, evict_after_ms):
    """No row, journal, task or timer; a callback is stopped; the handle is told; the id is free again."""
    began, log = asyncio.Event(), []

    async def hang():
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            log.append("stopped")

    async def run(step):
        if phase == "callback":
            await step.do("hang", hang)
        if phase == "retrying":
            await step.do("fail", lambda: int("no"))
        if phase == "waiting":
            await step.wait_for_event("go", type="go")
        if phase in ("sleeping", "paused"):
            await step.sleep("nap", "1 day")
        if phase == "errored":
            raise ValueError("no")

    server = await serve(run, evict_after_ms=evict_after_ms)
    instance = await server["run"].create(id="i")
    await (began.wait() if phase == "callback" else server.clock.settle())
    if phase == "paused":
        await instance.pause()
    if evict_after_ms == 0 and phase != "callback":
        await server.clock.advance(0)
        assert {} == server.engine.residents.actors
    await instance.delete()
    await server.clock.settle()
    await asyncio.sleep(0)
    assert (0, 0) == await rows(server)
    assert {} == server.engine.residents.actors
    assert set() == server.engine._shared.callbacks.running
    assert [] == log
    assert await gone(instance)
    await server.clock.advance("8 days")
    assert server.clock.next_timer is None
    began.clear()
    again = await server["run"].create(id="i")
    await (began.wait() if phase == "callback" else server.clock.settle())
    assert (await again.status()).status in ("running", "waiting", "complete", "errored")


@pytest.mark.parametrize("where", ["run", "task", "callback", "batch"])
async def test_an_instance_that_deletes_itself_stops_there(serve, where):
    """Nothing after the await is done, be it in run(), in a task of its own, or in a callback."""
    log = []

    async def run(event, step):
        async def delete():
            binding = server["run"]
            if where == "batch":
                await binding.delete_batch([event.instance_id, "other"])
            else:
                await (await binding.get(event.instance_id)).delete()
            log.append("after")

        if event.instance_id == "other":
            await step.sleep("nap", "1 day")
        if where in ("run", "batch"):
            await delete()
        elif where == "task":
            await asyncio.gather(asyncio.create_task(delete()))
        else:
            await step.do("delete", delete)
        log.append("later")
        await step.do("last", lambda: log.append("last"))

    server = await serve(run)
    await server["run"].create(id="other")
    instance = await server["run"].create(id="i")
    while "i" in [row.id for row in await server.engine.list("run")]:  # noqa: ASYNC110 - each turn asks again
        await asyncio.sleep(0)
    await server.clock.settle()
    assert await gone(instance)
    assert [] == log
    assert ([] if where == "batch" else ["other"]) == [row.id for row in await server.engine.list("run")]


async def test_a_batch_tells_each_position(serve):
    """An id that is given twice is deleted once and told twice; what is not there is an error with the code."""

    async def run(step):
        await step.sleep("nap", "1 day")

    server = await serve(run)
    for id in "abc":
        await server.create(id=id)
    result = await server["run"].deleteBatch(["a", "x", "b", "a", "x"])
    assert [{"id": "a"}, {"id": "b"}, {"id": "a"}] == result.deleted
    assert [{"id": "x", **NOT_FOUND}] * 2 == result.errors
    assert ["c"] == [row.id for row in await server.engine.list("run")]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ("abc", "(body) Provided argument is invalid"),
        (None, "(body) Provided argument is invalid"),
        ({"ids": []}, "(body) Provided argument is invalid"),
        ([], "(body) batchDeleteInstances should have at least 1 instance"),
        (["i"] * 101, "(body) batchDeleteInstances only supports 100 instances at a time"),
        (["i", "a.b"], "(instance.invalid_id) Instance ID is invalid"),
        (["i", 5], "(instance.invalid_id) Instance ID is invalid"),
    ],
)
async def test_a_batch_that_is_none_deletes_nothing(serve, ids, message):
    """In the platform's words."""

    async def run(step):
        await step.sleep("nap", "1 day")

    server = await serve(run)
    instance = await server.create(id="i")
    with pytest.raises(WorkflowError) as caught:
        await server["run"].delete_batch(ids)
    assert message == str(caught.value)
    assert "waiting" == (await instance.status()).status


@pytest.mark.parametrize("other", ["send_event", "restart", "status", "pause"])
@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_whatever_is_asked_at_the_same_time_the_instance_is_gone(serve, other, evict_after_ms):
    """Each interleaving of a deletion with another call ends without the instance, and the store still writes."""

    async def run(step):
        await step.sleep("nap", "1 day")

    server = await serve(run, evict_after_ms=evict_after_ms)
    for turns in range(12):
        for first in (True, False):
            instance = await server.create(id="i")
            await server.clock.advance(0)
            options = {"type": "go"} if other == "send_event" else {}
            act = lambda: getattr(instance, other)(**options)  # noqa: B023, E731 - called in this turn of the loop
            calls = [instance.delete, act] if first else [act, instance.delete]
            tasks = [asyncio.ensure_future(calls[0]())]
            for _ in range(turns):
                await asyncio.sleep(0)
            tasks.append(asyncio.ensure_future(calls[1]()))
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert not isinstance(result, Exception) or "instance.not_found" == result.code
            assert await gone(instance)
    assert (0, 0) == await rows(server)


async def test_an_instance_deleted_as_its_alarm_fires_is_not_taken_up(serve, caplog):
    """It was evicted, and its wake-up time is still in memory."""

    async def run(step):
        await step.sleep("nap", "1 day")

    server = await serve(run, evict_after_ms=0)
    instance = await server.create()
    await server.clock.advance(0)
    await instance.delete()
    await server.clock.advance("1 day")
    assert [] == [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_deletion_that_was_told_survives_a_kill(serve):
    """The next process knows of no such instance, and takes nothing up."""
    began = asyncio.Event()

    async def run(step):
        await step.do("hang", hang)

    async def hang():
        began.set()
        await asyncio.Event().wait()

    server = await serve(run, file=True)
    instance = await server["run"].create(id="i")
    await began.wait()
    await instance.delete()
    await server.restart()
    assert (0, 0) == await rows(server)
    with pytest.raises(WorkflowError, match="not_found"):
        await server.get("i")


async def test_an_instance_can_be_deleted_before_it_starts(serve):
    """Another caller finds the row that its creation has just written."""
    started = []

    async def run(event, step):
        started.append(event.instance_id)

    server = await serve(run)
    for turns in range(12):
        creation = asyncio.ensure_future(server["run"].create(id=f"i{turns}"))
        for _ in range(turns):
            await asyncio.sleep(0)
        while not (await server["run"].delete_batch([f"i{turns}"])).deleted:  # noqa: ASYNC110 - each turn asks again
            await asyncio.sleep(0)
        await creation
    await server.clock.settle()
    assert (0, 0) == await rows(server)


async def test_a_subscription_of_a_deleted_instance_ends(serve):
    """Nobody waits for events of what is gone."""

    async def run(step):
        await step.sleep("nap", "1 day")

    server = await serve(run)
    instance = await server.create(id="i")
    async with await instance.subscribe({"filter": ["workflow_completed"]}) as subscription:
        waiting = asyncio.ensure_future(subscription.next())
        await asyncio.sleep(0)
        await instance.delete()
        assert (await asyncio.wait_for(waiting, 10)).done


@pytest.mark.parametrize("invalid", ["", "a" * 272, "a.b", 5, None])
async def test_what_is_no_id_is_refused(serve, invalid):
    """By its own error, and nothing is deleted."""

    async def run(step):
        return 1

    server = await serve(run)
    await server.create(id="i")
    with pytest.raises(WorkflowError, match=r"^\(instance.invalid_id\) Instance ID is invalid"):
        await server["run"].delete_batch(["i", invalid])
    assert "i" == (await server.get("i")).id
