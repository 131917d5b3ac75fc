"""The queue and the slots survive crashes, crowds and whatever is done to the instances."""

import asyncio
import random
from contextlib import suppress

import programs
import pytest
from programs import OUTPUTS, effects
from slot_work import create, slots, statuses, until
from world import Death

from cfworkflows import WorkflowError, WorkflowTimeoutError


async def test_after_a_crash_the_queue_has_its_old_order(serve, monkeypatch):
    """First those that ran, then those that had woken, then those that were never begun, each in their order."""
    began, go = [], asyncio.Event()

    async def run(event, step):
        if event.payload:
            await step.sleep("nap", event.payload)

        async def work():
            began.append(event.instance_id)
            await go.wait()

        await step.do("work", {"timeout": "1 year"}, work)

    server = await serve(run, file=True, concurrency_limit=1)
    for id, nap in (("late", 2000), ("early", 1000)):
        await server.create(id=id, params=nap)
    await create(server, "z", "y", "x")
    await until(lambda: ["z"] == began)
    for _ in range(2):
        server.clock._fire_next()
    await until(lambda: (1, 4) == slots(server))
    await server.engine.store.flushed()
    await server.restart()
    await until(lambda: ["z", "z"] == began)
    assert ["running"] + ["queued"] * 4 == await statuses(server, "z", "early", "late", "y", "x")
    go.set()
    await server.clock.settle()
    assert ["z", "z", "early", "late", "y", "x"] == began


async def test_a_lower_limit_after_a_restart_queues_what_is_too_much(working, work):
    """Three ran, one may: the oldest goes on, the others before what was queued."""
    server = await working(3, file=True)
    await create(server, *"abcd")
    await work.until_began("a", "b", "c")
    server.settings["concurrency_limit"] = 1
    await server.restart()
    await work.until_began("a", "b", "c", "a")
    await until(lambda: (1, 3) == slots(server))
    await work.end(*"abcd")
    await server.clock.settle()
    assert [*"abc", *"abcd"] == work.began


@pytest.mark.parametrize("program", OUTPUTS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_killed_after_any_commit_all_end_and_none_has_kept_a_slot(serve, monkeypatch, program, evict_after_ms):
    """Three instances that share one slot, in a program of every verb."""
    ids, commits, survived = ("a", "b", "c"), 0, False
    while not survived:
        effects.clear()
        server = await serve(program, file=True, evict_after_ms=evict_after_ms, concurrency_limit=1)
        with monkeypatch.context() as patch:
            survived = await _lives(server, patch, ids, commits)
        await server.restart()
        for id in ids:
            instance = await _get_or_create(server, id)
            assert OUTPUTS[program] == (await programs.finish(server, instance)).output, (commits, id)
        assert (0, 0) == slots(server)
        await server.stop()
        commits += 1
    assert commits > 9


async def _lives(server, patch, ids, commits):
    """Whether all instances end before the process dies, which it does after so many commits."""
    died = Death(patch, commits).came

    async def live():
        instances = [await _get_or_create(server, id) for id in ids]
        for instance in instances:
            await programs.finish(server, instance)

    life, death = asyncio.ensure_future(live()), asyncio.ensure_future(died.wait())
    await asyncio.wait({life, death}, return_when=asyncio.FIRST_COMPLETED)
    death.cancel()
    if life.done():
        life.result()
        return True
    life.cancel()
    return False


async def _get_or_create(server, id):
    try:
        return await server.get(id)
    except WorkflowError:
        return await server[server.classes[0]].create(id=id)


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_of_a_thousand_never_more_than_three_run(serve, evict_after_ms):
    """With sleeps in between, on which slots change hands; all end."""
    at_work, most = set(), 0

    async def run(event, step):
        async def work():
            nonlocal most
            at_work.add(event.instance_id)
            most = max(most, len(at_work))
            for _ in range(3):
                await asyncio.sleep(0)
            at_work.remove(event.instance_id)

        await step.do("before", work)
        await step.sleep("nap", 1 + event.payload % 7)
        await step.do("after", work)

    server = await serve(run, concurrency_limit=3, evict_after_ms=evict_after_ms)
    binding = server["run"]
    for start in range(0, 1000, 100):
        await binding.create_batch([{"params": start + n} for n in range(100)])
    await server.clock.advance("1 minute")
    assert {"complete": 1000} == await server.engine.counts("run")
    assert 3 == most
    assert (0, 0) == slots(server)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("evict_after_ms", [None, 0, 5_000])
async def test_whatever_is_done_to_instances_no_slot_is_lost(serve, seed, evict_after_ms):
    """Every kind of call and a kill now and then, in any order: never too many at work, and all end."""
    chance, at_work, most = random.Random(seed), [], 0

    async def run(event, step):
        async def work():
            nonlocal most
            at_work.append(event.instance_id)
            most = max(most, len(at_work))
            try:
                for _ in range(event.payload):
                    await asyncio.sleep(0)
            finally:
                at_work.remove(event.instance_id)

        try:
            await step.do("one", work, {"rollback": lambda: None})
            await step.sleep("nap", f"{event.payload + 1} minutes")
            await step.wait_for_event("go", type="go", timeout="5 minutes")
        except WorkflowTimeoutError:
            pass
        await asyncio.gather(step.do("two", work), step.sleep("other", "1 minute"))

    server = await serve(run, file=True, concurrency_limit=2, evict_after_ms=evict_after_ms)
    for number in range(60):
        id = f"i{chance.randrange(8)}"
        act = chance.choice(["create", "pause", "resume", "terminate", "rollback", "restart", "from", "event", "delete",
                             "advance", "advance", "settle", "kill"])  # fmt: skip
        if act in ("advance", "settle"):
            await server.clock.advance(chance.choice([0, "1 minute", "10 minutes"]) if act == "advance" else 0)
        elif act == "kill":
            await server.restart()
        else:
            with suppress(WorkflowError):
                await _act(server, act, id, chance)
        assert slots(server)[0] <= 2, number
    await server.clock.settle()
    for row in await server.engine.list("run"):
        await (await server.get(row.id)).resume()
    await server.clock.advance("1 day")
    assert {"complete", "terminated"} >= (await server.engine.counts("run")).keys()
    assert most <= 2
    assert (0, 0) == slots(server)


async def _act(server, act, id, chance):
    if act == "create":
        await server["run"].create(id=id, params=chance.randrange(5))
        return
    instance = await server.get(id)
    if act == "event":
        await instance.send_event(type="go")
    elif act == "rollback":
        await instance.terminate({"rollback": True})
    elif act == "from":
        await instance.restart({"from": {"name": "one"}})
    else:
        await getattr(instance, act)()
