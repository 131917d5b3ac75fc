"""`concurrency.limit`: how many instances of a workflow run at once, and the queue of the others."""

import asyncio

import pytest
from slot_work import create, slots, statuses, until

from cfworkflows import WorkflowError
from cfworkflows_emulator.engine import admission
from cfworkflows_emulator.engine.admission import Slots


async def test_more_than_the_limit_are_queued_and_begin_in_order(working, work):
    """Two of five run; each that ends lets the next one begin."""
    server = await working(2)
    await create(server, "a", "b", "c", "d", "e")
    await work.until_began("a", "b")
    assert ["running", "running", "queued", "queued", "queued"] == await statuses(server, *"abcde")
    await work.end("b")
    await work.until_began("a", "b", "c")
    await work.end("a", "c")
    await work.until_began(*"abcde")
    assert ["complete"] * 3 + ["running"] * 2 == await statuses(server, *"abcde")
    await work.end("d", "e")
    await server.clock.settle()
    assert ["complete"] * 5 == await statuses(server, *"abcde")
    assert (0, 0) == slots(server)


async def test_a_queued_instance_is_a_row_and_nothing_in_memory(working, work):
    """Its events are queued alone until it begins, and then those of any instance."""
    server = await working(1)
    a, b = await create(server, "a", "b")
    await work.until_began("a")
    assert 1 == len(server.engine.residents.actors)
    assert ["workflow_queued"] == await server.journal(b)
    await work.end("a", "b")
    await server.clock.settle()
    assert await server.journal(a) == await server.journal(b)


@pytest.mark.parametrize("evict_after_ms", [None, 0])
@pytest.mark.parametrize("way", ["sleep", "wait", "retry"])
async def test_who_waits_gives_its_slot_back_and_goes_on_before_those_that_have_not_begun(serve, way, evict_after_ms):
    """With one slot: while the first waits the second begins, and the first is next, though the third was there."""
    began, log, go = asyncio.Event(), [], asyncio.Event()

    async def run(event, step):
        if event.instance_id == "a":
            log.append("a begins")
            if way == "sleep":
                await step.sleep("nap", "1 hour")
            elif way == "wait":
                await step.wait_for_event("go", type="go", timeout="2 hours")
            else:
                await step.do("flaky", {"retries": {"limit": 1, "delay": "1 hour"}}, flaky)
            await step.do("go on", lambda: log.append("a goes on"))
            return

        async def hold():
            log.append(f"{event.instance_id} begins")
            began.set()
            if event.instance_id == "b":
                await go.wait()

        await step.do("hold", {"timeout": "1 day"}, hold)

    async def flaky(ctx):
        if ctx.attempt == 1:
            raise ValueError("not yet")

    server = await serve(run, concurrency_limit=1, evict_after_ms=evict_after_ms)
    (a,) = await create(server, "a")
    await server.clock.settle()
    if evict_after_ms == 0:
        await server.clock.advance(0)
    assert "waiting" == (await a.status()).status
    assert (0, 0) == slots(server)
    await create(server, "b", "c")
    await began.wait()
    if way == "wait":
        await a.send_event(type="go")
    else:
        await server.time_out(began)
    await until(lambda: (1, 2) == slots(server))
    assert "queued" == (await a.status()).status
    go.set()
    await server.clock.settle()
    assert ["complete"] * 3 == await statuses(server, *"abc")
    assert [line for line in log if line != "a begins"] == ["b begins", "a goes on", "c begins"]
    assert 2 == (await server.journal(a)).count("workflow_queued")
    assert (0, 0) == slots(server)


@pytest.mark.parametrize("act", ["pause", "terminate", "delete"])
async def test_a_slot_is_given_back_by(working, work, act):
    """Whoever is stopped makes room for the next; a queued one leaves the queue."""
    server = await working(1)
    a, _, c, _ = await create(server, *"abcd")
    await work.until_began("a")
    await getattr(c, act)()
    await getattr(a, act)()
    await work.end("a")  # a pause waits for the callback
    await work.until_began("a", "b")
    await work.end("b")
    await work.until_began("a", "b", "d")
    await work.end("d")
    await server.clock.settle()
    assert (0, 0) == slots(server)
    if act == "pause":
        assert ["paused"] * 2 == await statuses(server, "a", "c")


async def test_a_paused_instance_is_queued_anew_when_it_is_resumed(working, work):
    """At the end of the queue, whether it had begun or not."""
    server = await working(1)
    a, b, _ = await create(server, *"abc")
    await work.until_began("a")
    await b.pause()
    await b.resume()
    assert "queued" == (await b.status()).status
    await work.end(*"abc")
    await server.clock.settle()
    assert ["a", "c", "b"] == work.began
    assert "complete" == (await a.status()).status


async def test_a_pause_in_the_queue_does_not_cost_a_sleeper_its_time(serve):
    """A sleep of 10 hours, paused for 5 after 1: it ends 9 hours after the resume, though that was queued first."""

    async def run(event, step):
        async def hold():
            await step.sleep("inner", "2 hours")

        if event.payload == "sleep":
            await step.sleep("nap", "10 hours")
        else:
            await step.do("hold", {"timeout": "1 year"}, hold)

    server = await serve(run, concurrency_limit=1)
    sleeper = await server.create(params="sleep")
    await server.clock.advance("1 hour")
    await sleeper.pause()
    await server.clock.advance("5 hours")
    await server.create(params="hold")
    start = server.clock.now()
    await sleeper.resume()
    assert "queued" == (await sleeper.status()).status
    await server.finish(sleeper)
    assert 9 * 3_600_000 == server.clock.now() - start


async def test_a_restart_keeps_the_slot(working, work):
    """The instance that runs begins anew at once, and those that are queued stay so."""
    server = await working(1)
    a, _ = await create(server, "a", "b")
    await work.until_began("a")
    await a.restart()
    await work.until_began("a", "a")
    assert ["running", "queued"] == await statuses(server, "a", "b")
    await work.end("a", "b")
    await server.clock.settle()
    assert ["a", "a", "b"] == work.began


async def test_a_restart_of_an_instance_that_ended_is_queued(working, work):
    """It has no slot any more."""
    server = await working(1)
    (a,) = await create(server, "a")
    await work.until_began("a")
    await work.end("a")
    await server.clock.settle()
    await create(server, "b", "c")
    await work.until_began("a", "b")
    await a.restart()
    assert "queued" == (await a.status()).status
    await work.end("b", "c")
    await server.clock.settle()
    assert ["a", "b", "c", "a"] == work.began


async def test_a_rollback_needs_no_slot(serve):
    """Its status is not running: the next one begins while the handlers work."""
    undoing, go, began = asyncio.Event(), asyncio.Event(), []

    async def run(event, step):
        began.append(event.instance_id)

        async def undo():
            undoing.set()
            await go.wait()

        if event.instance_id == "a":
            await step.do("work", lambda: 1, {"rollback": undo})
            raise ValueError("no")

    server = await serve(run, concurrency_limit=1)
    await create(server, "a", "b")
    await undoing.wait()
    await until(lambda: ["a", "b"] == began)
    assert "rollingBack" == (await statuses(server, "a"))[0]
    go.set()
    await server.clock.settle()
    assert ["errored", "complete"] == await statuses(server, "a", "b")
    assert (0, 0) == slots(server)


async def test_code_that_goes_on_between_steps_waits_for_a_slot_at_its_next_step(serve):
    """While it awaited something of its own the instance counted as waiting, and its slot went to another."""
    at_work, most = set(), 0

    async def run(event, step):
        async def own():
            for _ in range(50):
                await asyncio.sleep(0)
            return await step.do("own", work)

        async def work():
            nonlocal most
            at_work.add(event.instance_id)
            most = max(most, len(at_work))
            await asyncio.sleep(0)
            at_work.remove(event.instance_id)

        await asyncio.gather(step.sleep("nap", "1 hour"), own(), step.do("first", work))

    server = await serve(run, concurrency_limit=1)
    await create(server, *"abc")
    await server.clock.advance("1 day")
    assert ["complete"] * 3 == await statuses(server, *"abc")
    assert 1 == most
    assert (0, 0) == slots(server)


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_time_passes_while_the_queue_waits_for_a_callback_that_sleeps(serve, evict_after_ms):
    """A step in a callback keeps the slot; who is queued meanwhile does not hold the virtual clock."""

    async def run(event, step):
        async def outer():
            await step.sleep("inner", "1 day")

        if event.instance_id == "a":
            await step.sleep("nap", "1 hour")
        else:
            await step.do("outer", {"timeout": "1 year"}, outer)

    server = await serve(run, concurrency_limit=1, evict_after_ms=evict_after_ms)
    a, b = await create(server, "a", "b")
    await server.clock.advance("2 hours")
    assert ["queued", "running"] == await statuses(server, "a", "b")
    await server.clock.advance("1 day")
    assert ["complete", "complete"] == await statuses(server, "a", "b")
    assert 2 == (await server.journal(a)).count("workflow_queued")
    assert 1 == (await server.journal(b)).count("workflow_queued")


async def test_a_queue_that_is_full_refuses_new_instances(working, work, monkeypatch):
    """By name; nothing is created, and a free slot is never refused."""
    monkeypatch.setattr(admission, "MAX_QUEUED", 1)
    server = await working(1)
    await create(server, "a", "b")
    await work.until_began("a")
    with pytest.raises(WorkflowError, match=r"\(instance\.too_many_queued\) 1 instances are queued.*slots of workflow"):
        await create(server, "c")
    assert not await server.engine.exists("run", "c")
    await work.end("a", "b")
    await server.clock.settle()
    await create(server, "c")


def test_slots_are_taken_in_the_order_of_places():
    """Whoever left the queue gets none, and who has one is not given a second."""
    slots = Slots(1)
    assert slots.take(1)
    assert slots.take(1)
    assert not slots.take(2)
    for key, place in ((2, 20), (3, 30), (4, -5)):
        slots.queue(key, place)
    slots.queued.pop(2)
    assert slots.next() is None
    slots.holders.clear()
    assert 4 == slots.next()
    slots.holders.clear()
    assert 3 == slots.next()
    slots.holders.clear()
    assert slots.next() is None
