"""Instances that wait cost nothing but rows: what is in memory does not grow with how often they are woken."""

import asyncio
import gc

from cfworkflows import WorkflowTimeoutError

WAVE = 200
NAPS = 10


async def naps(event, step):
    for i in range(NAPS):
        if i % 2:
            try:
                await step.wait_for_event("answer", {"type": "answer", "timeout": "1 minute"})
            except WorkflowTimeoutError:
                continue
        else:
            await step.sleep("nap", "1 minute")


async def footprint(server):
    """What is in memory once everything has settled."""
    await server.clock.settle()
    await asyncio.sleep(0)
    gc.collect()
    engine = server.engine
    loop, commits = asyncio.get_running_loop(), engine.store._commits
    return {
        "tasks": len(asyncio.all_tasks()),
        "timers": len(server.clock._timers),
        "handles": len(loop._ready) + len(loop._scheduled) - (commits._idle is not None),
        "instances": len(engine.residents.actors),
        "alarms": len(engine._alarms._heap),
        "expiries": len(engine._retention._alarms._heap),
        "waking": len(engine.residents.work) + len(engine._creation.under_way),
        "slots": len(engine._admission._of),
    }, len(gc.get_objects())


async def wave(server):
    """WAVE instances, each of which waits, is evicted and is woken NAPS times."""
    workflow = server["naps"]
    await workflow.create_batch([{} for _ in range(100)])
    await workflow.create_batch([{} for _ in range(WAVE - 100)])
    while (await server.engine.counts("naps")).get("waiting"):
        await server.clock.advance("1 minute")
        await server.clock.settle()
    ids = [row.id for row in await server.engine.list("naps", limit=WAVE)]
    for start in range(0, WAVE, 100):
        await workflow.delete_batch(ids[start : start + 100])


async def test_ten_thousand_cycles_of_wait_evict_and_wake_leave_memory_flat(serve):
    """After 10,000 cycles there are as many tasks, timers, handles, instances and objects as after the first 2,000."""
    server = await serve(naps, evict_after_ms=0)
    await wave(server)
    before, objects = await footprint(server)
    for _ in range(4):
        await wave(server)
    after, more_objects = await footprint(server)
    assert before == after
    assert more_objects - objects < 4 * WAVE * NAPS // 10  # not even one object for ten cycles


async def test_instances_that_wait_leave_memory(serve):
    """After the grace period none of a thousand sleepers is in memory: neither its run nor a task nor a timer of it."""

    async def sleeper(event, step):
        await step.sleep("long", "1 day")

    server = await serve(sleeper)
    tasks = len(asyncio.all_tasks())
    for _ in range(10):
        await server["sleeper"].create_batch([{} for _ in range(100)])
    await server.clock.settle()
    assert 1_000 == len(server.engine.residents.actors)
    await server.clock.advance("11 seconds")
    assert {} == server.engine.residents.actors
    ending = {task for task in asyncio.all_tasks() if task.cancelling()}
    if (writing := server.engine.store._commits._writing) is not None:
        ending.add(writing)
    if ending:
        await asyncio.wait(ending)
    assert tasks == len(asyncio.all_tasks())
    assert {"waiting": 1_000} == await server.engine.counts("sleeper")
    await server.clock.advance("1 day")
    await server.clock.settle()
    assert {"complete": 1_000} == await server.engine.counts("sleeper")
