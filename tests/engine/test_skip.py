"""Skipping: a sleep, a wait or a retry delay ends now, in memory or not, and stays ended."""

import asyncio

import pytest
from world import workflow

from cfworkflows import WorkflowError
from cfworkflows_bindings import WorkflowBinding
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.engine import Engine, WorkflowDefinition, open_database

HOUR = 3_600_000


async def naps(step):
    await step.sleep("nap", "1 hour")
    return "up"


async def waits(step):
    try:
        await step.wait_for_event("answer", type="go", timeout="1 day")
    except TimeoutError:
        return "no answer"


async def retries(step):
    async def once(ctx):
        if ctx.attempt == 1:
            raise ValueError("no")
        return ctx.attempt

    return await step.do("flaky", once, retries={"limit": 1, "delay": "1 day"})


async def several(step):
    await asyncio.gather(
        step.sleep("nap", "1 hour"), step.sleep("nap", "2 hours"), step.wait_for_event("nap", type="go")
    )


@pytest.mark.parametrize("evict_after_ms", [None, 0], ids=["in memory", "evicted"])
@pytest.mark.parametrize(("run", "output"), [(naps, "up"), (waits, "no answer"), (retries, 2)])
async def test_the_only_delay_is_skipped(serve, run, output, evict_after_ms):
    """Without a name; no time passes. A wait times out."""
    server = await serve(run, evict_after_ms=evict_after_ms)
    instance = await server.create()
    before = server.clock.now()
    await server.engine.skip(run.__name__, instance.id)
    status = await server.settled(instance)
    assert ("complete", output, before) == (status.status, status.output, server.clock.now())


@pytest.mark.parametrize(("run", "output"), [(naps, "up"), (waits, "no answer"), (retries, 2)])
async def test_a_paused_instance_skips_when_it_is_resumed(serve, run, output):
    """The end of the pause moves what is left of the others, and not what was skipped."""
    server = await serve(run)
    instance = await server.create()
    await instance.pause()
    await server.clock.advance("10 minutes")
    await server.engine.skip(run.__name__, instance.id)
    await server.clock.advance("10 minutes")
    assert "paused" == (await server.settled(instance)).status
    await instance.resume()
    assert ("complete", output) == ((status := await server.settled(instance)).status, status.output)


async def test_a_rollback_does_not_wait_for_its_next_attempt(serve):
    """Only the rollback's own delay can be skipped then."""
    tried = []

    async def run(step):
        async def undo():
            tried.append(server.clock.now())
            if len(tried) == 1:
                raise ValueError("not yet")

        nap = step.sleep("nap", "1 day")
        await step.do("a", lambda: 1, rollback=undo, rollback_config={"retries": {"limit": 1, "delay": "1 hour"}})
        raise RuntimeError(str(nap.done()))

    server = await serve(run)
    instance = await server.create()
    with pytest.raises(WorkflowError, match=r'not in "nap"\. It is in retry delay of the rollback of "a-1"'):
        await server.engine.skip("run", instance.id, "nap")
    skipped = await server.engine.skip("run", instance.id, "a")
    assert ("rollback", "a-1") == (skipped.kind, skipped.step)
    assert "errored" == (await server.settled(instance)).status
    assert 0 == tried[1] - tried[0]


async def test_several_delays_have_to_be_named(serve):
    """By the name with its number, and by the type where that is not enough; the error lists them."""
    server = await serve(several)
    instance = await server.create()

    async def skip(*which):
        await server.engine.skip("several", instance.id, *which)
        await server.clock.settle()
        state = await server.state(instance)
        return [name for verbs in (state.sleeps, state.waits) for name, verb in verbs.items() if not verb.done]

    for which in [(), ("nap",), ("nap-1",), (None, "sleep")]:
        with pytest.raises(WorkflowError, match=r'Several things could be skipped: sleep "nap-1", ') as caught:
            await skip(*which)
        assert "instance.cannot_skip" == caught.value.code
    with pytest.raises(WorkflowError, match=r'not in do "nap". It is in sleep "nap-1", sleep "nap-2", wait "nap-1"'):
        await skip("nap", "do")
    assert ["nap-2", "nap-1"] == await skip("nap-1", "sleep")
    assert ["nap-2"] == await skip("nap", "wait")
    assert (await server.state(instance)).waits["nap-1"].timed_out


async def test_what_ended_has_nothing_to_skip(serve):
    """It says in which status it is."""
    server = await serve(naps)
    instance = await server.create()
    await server.finish(instance)
    with pytest.raises(WorkflowError, match="nothing to skip: the instance is complete"):
        await server.engine.skip("naps", instance.id)
    with pytest.raises(WorkflowError, match=r"instance\.not_found"):
        await server.engine.skip("naps", "nobody")


async def test_what_was_skipped_stays_so_after_a_crash(serve):
    """The journal says it, before the sleep ended."""
    server = await serve(naps, file=True)
    instance = await server.create(id="i")
    await instance.pause()
    await server.engine.skip("naps", "i")
    await server.restart()
    instance = await server.get("i")
    await instance.resume()
    assert "complete" == (await server.settled(instance)).status


async def test_a_restart_from_a_later_step_keeps_what_was_skipped(serve):
    """A sleep that started before the step stays skipped, though it had not ended."""

    async def run(step):
        nap = step.sleep("nap", "1 hour")
        await step.do("a", lambda: 1)
        await nap

    server = await serve(run)
    instance = await server.create()
    await instance.pause()
    await server.engine.skip("run", instance.id)
    await instance.restart(from_={"name": "a"})
    assert "complete" == (await server.settled(instance)).status


async def test_a_dormant_engine_runs_nothing(tmp_path, serve):
    """What is asked of it is done by the next engine over the same database; in lists nothing seems to be at work."""

    async def undone(event, step):
        await step.do("a", lambda: 1, rollback=lambda: effects.append("undone"))
        await step.wait_for_event("answer", type="go", timeout="1 day")
        effects.append("answered")

    effects = []
    server = await serve(undone, file=True)
    for id in ("event", "skipped", "rolled back", "restarted", "paused", "terminated"):
        await server.create(id=id.replace(" ", "_"))
    await server.stop()

    def never():
        raise AssertionError("dormant")

    database = await open_database(server.path)
    engine = await Engine.open([WorkflowDefinition("undone", never)], server.clock, database, dormant=True)
    undone = WorkflowBinding(engine, "undone")
    await (await undone.get("event")).send_event(type="go", payload=1)
    await engine.skip("undone", "skipped")
    await (await undone.get("rolled_back")).terminate(rollback=True)
    await (await undone.get("restarted")).restart()
    await (await undone.get("paused")).pause()
    await (await undone.get("terminated")).terminate()
    await undone.create(id="new")
    rows = {row.id: row.status for row in await engine.list("undone")}
    assert {
        "event": "waiting",
        "skipped": "waiting",
        "rolled_back": "rollingBack",
        "restarted": "queued",
        "paused": "paused",
        "terminated": "terminated",
        "new": "queued",
    } == rows
    await engine.close()
    assert [] == effects

    await server.start()
    await server.clock.advance("1 second")
    rows = {row.id: row.status for row in await server.engine.list("undone")}
    assert {
        "event": "complete",
        "skipped": "errored",
        "rolled_back": "terminated",
        "restarted": "waiting",
        "paused": "paused",
        "terminated": "terminated",
        "new": "waiting",
    } == rows
    assert ["answered", "undone", "undone"] == sorted(effects)


async def test_a_database_is_read_without_a_change(tmp_path):
    """A read-only one refuses writes, and needs the schema to be up to date."""
    path = tmp_path / "a b?.sqlite"
    await (await open_database(path)).close()
    database = await open_database(path, read_only=True)
    engine = await Engine.open([WorkflowDefinition("w", lambda: workflow(naps)(None, None))], VirtualClock(), database)
    assert [] == await engine.list("w")
    with pytest.raises(Exception, match="readonly database"):
        await database.run(lambda connection: connection.execute("DELETE FROM instances"))
    await engine.close()
    old = await open_database(path)
    await old.run(lambda connection: connection.execute("PRAGMA user_version = 1"))
    await old.close()
    with pytest.raises(Exception, match=r"older cfworkflows\. Start `cfwf dev` once"):
        await open_database(path, read_only=True)
