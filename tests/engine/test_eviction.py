"""Instances that only wait leave memory, and come back for a time or an event."""

import asyncio

import programs
import pytest
from programs import OUTPUTS, effects

from cfworkflows_emulator.actors import alarms, eviction


async def sleeper(step):
    got = []
    nap = step.sleep("nap", "1 day")
    got.append((await step.wait_for_event("go", type="go", timeout="2 days")).payload)
    await nap
    return got


def steps():
    others = asyncio.all_tasks() - {asyncio.current_task()}
    return [t for t in others if t.get_name().endswith(("-1", "-2")) and not t.cancelling()]


async def test_it_leaves_memory_after_the_grace_period(serve):
    """No object and no task is left; an event brings it back, and so does a time."""
    server = await serve(sleeper, evict_after_ms=5_000)
    instance = await server.create()
    assert 1 == len(server.engine.residents.actors)
    await server.clock.advance(5_000)
    assert ({}, []) == (server.engine.residents.actors, steps())
    assert "waiting" == (await instance.status()).status
    await instance.send_event(type="go", payload=1)
    await server.clock.advance(5_000)
    assert ({}, []) == (server.engine.residents.actors, steps())
    await server.clock.advance("1 day")
    assert [1] == (await instance.status()).output
    assert ({}, []) == (server.engine.residents.actors, steps())


@pytest.mark.parametrize("program", OUTPUTS, ids=lambda program: program.__name__)
async def test_every_program_ends_the_same_if_each_wait_is_a_replay(serve, program):
    """Each callback once, but for its retries; nothing is left in memory at the end."""
    effects.clear()
    server = await serve(program, evict_after_ms=0)
    instance = await server.create()
    assert OUTPUTS[program] == (await programs.finish(server, instance)).output
    state = await server.state(instance)
    assert {name: state.steps[name].attempts for name in effects} == effects
    assert ({}, []) == (server.engine.residents.actors, steps())
    assert server.clock.next_timer is None


@pytest.mark.parametrize("file", [True, False])
async def test_more_sleepers_than_fit_into_memory_wake_in_order(serve, monkeypatch, file):
    """Those that are due later are found in the database, also by a new process."""
    monkeypatch.setattr(alarms, "IN_MEMORY", 3)
    woken = []

    async def run(event, step):
        await step.sleep("nap", event.payload)
        woken.append(event.payload)

    server = await serve(run, file=file, evict_after_ms=0)
    naps = [1000 * ((n * 7) % 20 + 1) for n in range(20)]
    instances = [await server.create(params=nap) for nap in naps]
    await server.clock.advance(0)
    assert {} == server.engine.residents.actors
    if file:
        await server.restart()
    else:
        assert len(server.engine._alarms._heap) <= 6
    await server.clock.advance("1 minute")
    assert sorted(naps) == woken
    assert ["complete"] * 20 == [(await (await server.get(each.id)).status()).status for each in instances]


async def test_overdue_timers_fire_in_order_at_the_start(serve):
    """The earliest first, each instance once."""
    woken = []

    async def run(event, step):
        await step.sleep("nap", event.payload)
        woken.append(event.payload)

    server = await serve(run, file=True)
    for nap in (3000, 1000, 2000):
        await server.create(params=nap)
    await server.stop()
    server.clock._now += 10_000
    server.clock._timers.clear()
    await server.start()
    await server.clock.advance(0)
    assert [1000, 2000, 3000] == woken


async def test_instances_of_a_workflow_that_is_gone_do_not_keep_others_asleep(serve, monkeypatch, caplog):
    """More of them than fit into memory, all overdue."""
    monkeypatch.setattr(alarms, "IN_MEMORY", 2)

    async def gone(step):
        await step.sleep("nap", "1 hour")

    async def stays(step):
        await step.sleep("nap", "2 hours")
        return "awake"

    server = await serve(gone, stays, file=True)
    for _ in range(5):
        await server["gone"].create()
    await server["stays"].create(id="i")
    await server.clock.settle()
    del server.classes[0]
    await server.restart()
    await server.clock.advance("3 hours")
    assert "awake" == (await (await server.get("i")).status()).output


async def test_two_operations_at_once_on_an_evicted_instance_see_one_object(serve):
    """Both events arrive, in order, and one run takes them."""

    async def run(step):
        return [(await step.wait_for_event(f"w{n}", type="go")).payload for n in range(2)]

    server = await serve(run, evict_after_ms=0)
    instance = await server.create()
    await server.clock.advance(0)
    assert {} == server.engine.residents.actors
    await asyncio.gather(*(instance.send_event(type="go", payload=n) for n in range(2)))
    assert [0, 1] == (await server.settled(instance)).output


async def test_a_callback_that_timed_out_delays_the_eviction_and_does_not_prevent_it(serve):
    """When it ends at last, the instance leaves memory."""
    began, go = asyncio.Event(), asyncio.Event()

    async def run(step):
        async def slow(ctx):
            if ctx.attempt == 1:
                began.set()
                await go.wait()

        await step.do("slow", {"timeout": "1 hour", "retries": {"limit": 1, "delay": "1 day"}}, slow)

    server = await serve(run, evict_after_ms=0)
    instance = await server["run"].create()
    await server.time_out(began)
    await server.clock.advance("1 minute")
    assert 1 == len(server.engine.residents.actors)
    go.set()
    await asyncio.gather(*server.engine._shared.callbacks.running)
    await asyncio.sleep(0)
    assert {} == server.engine.residents.actors
    assert "complete" == (await server.finish(instance)).status


async def test_nothing_is_left_of_workflows_that_ended(serve):
    """No task, timer, waiter or instance."""

    async def run(step):
        await asyncio.gather(*(step.do(f"s{n}", lambda n=n: n) for n in range(20)))
        pending = step.wait_for_event("never", type="never")
        await step.sleep("nap", 5)
        return pending.done()

    server = await serve(run)
    before = asyncio.all_tasks()
    for _ in range(5):
        assert not await server.run()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert before == asyncio.all_tasks()
    assert {} == server.engine.residents.actors
    assert server.clock.next_timer is None


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("limit", [None, 300])
async def test_a_crowd_is_taken_up_ahead_and_goes_on_at_its_time(serve, monkeypatch, limit, restarted):
    """A few seconds before they are due they are in memory; none goes on early. With a limit each asks at its time."""
    monkeypatch.setattr(alarms, "CROWD", 5)
    woken = []

    async def run(event, step):
        await step.sleep("nap", event.payload)
        woken.append((event.payload, server.clock.now() - began))

    server = await serve(run, file=True, evict_after_ms=10_000, concurrency_limit=limit)
    began = server.clock.now()
    naps = [60_000 + n for n in range(20)]
    for nap in naps:
        await server.create(params=nap)
    await server.clock.advance("50 seconds")
    assert {} == server.engine.residents.actors
    if restarted:
        await server.restart()
    await server.clock.advance("9 seconds")
    assert ([], 20 if limit is None else 0) == (woken, len(server.engine.residents.actors))
    await server.clock.advance("2 seconds")
    assert [(nap, nap) for nap in naps] == woken
    assert {"complete": 20} == {status: n for status, n in (await server.engine.counts("run")).items() if n}


async def test_an_instance_of_a_crowd_can_be_paused_and_ended_ahead_of_its_time(serve, monkeypatch):
    """It is in memory, and no alarm is set for it; it leaves, and comes back, as any other."""
    monkeypatch.setattr(alarms, "CROWD", 3)

    async def run(event, step):
        await step.sleep("nap", "1 minute")
        return "slept"

    server = await serve(run)
    paused, ended, third = [await server.create() for _ in range(3)]
    await server.clock.advance("58 seconds")
    assert 3 == len(server.engine.residents.actors)
    await paused.pause()
    await ended.terminate()
    await server.clock.advance("1 minute")
    assert ["paused", "terminated", "complete"] == [(await each.status()).status for each in (paused, ended, third)]
    await paused.resume()
    assert "slept" == (await server.finish(paused)).output


async def test_of_more_than_may_be_parked_the_first_leave_at_once(serve, monkeypatch):
    """The grace period is for few; who goes on within it is not counted."""
    monkeypatch.setattr(eviction, "MOST_PARKED", 4)

    async def run(event, step):
        await step.sleep("nap", event.payload)

    server = await serve(run)
    soon = [await server.create(params="9 seconds") for _ in range(3)]
    later = [await server.create(params="1 hour") for _ in range(6)]
    resident = {instance.id for instance in server.engine.residents.actors.values()}
    assert {each.id for each in (*soon, *later[2:])} == resident
    await server.clock.advance("1 hour")
    assert {"complete": 9} == {status: n for status, n in (await server.engine.counts("run")).items() if n}


async def test_one_whose_workflow_is_gone_does_not_keep_others_asleep(serve, caplog):
    """Of those that are due together, those that have code go on; the others are left as they are, with a warning."""

    async def kept(step):
        await step.sleep("nap", "1 day")
        return "awake"

    async def gone(step):
        await step.sleep("nap", "1 day")

    server = await serve(gone, kept, file=True)
    await server["gone"].create(id="first")
    second = await server["kept"].create(id="second")
    await server.clock.settle()
    server.classes.pop(0)
    await server.restart()
    await server.clock.advance("1 day")
    assert "awake" == (await (await server["kept"].get(second.id)).status()).output
    warnings = [record.getMessage() for record in caplog.records]
    assert ["1 instance(s) of workflow gone are left as they are: it is not configured."] == warnings
