"""Code that catches the cancellation of its run, and goes on: it holds up nothing and nobody."""

import asyncio
import contextlib

import pytest
from world import TestEngine, workflow

LET_GO = {
    "pause": lambda instance: instance.pause(),
    "terminate": lambda instance: instance.terminate(),
    "terminate with a rollback": lambda instance: instance.terminate(rollback=True),
    "restart": lambda instance: instance.restart(),
}

GOING_ON = ("running", "waiting")


async def poll(step):
    while True:
        with contextlib.suppress(BaseException):
            await step.sleep("poll", "1 hour")


async def poll_with_an_undo(step):
    await step.do("undone", lambda: None, rollback=lambda: None)
    await poll(step)


async def poll_in_tasks(step):
    while True:
        with contextlib.suppress(BaseException):
            async with asyncio.TaskGroup() as group:
                group.create_task(poll(step))
                group.create_task(poll(step))


async def poll_in_the_background(step):
    task = asyncio.create_task(poll(step))
    await asyncio.wait([task])


async def poll_in_a_callback(step):
    await step.do("poll", {"timeout": "1 day"}, lambda: poll(step))


async def poll_with_a_timeout(step):
    while True:
        with contextlib.suppress(BaseException):
            async with asyncio.timeout(3600):
                await asyncio.shield(step.sleep("poll", "1 hour"))


async def poll_in_a_generator(step):
    async def polls():
        while True:
            try:
                yield await step.sleep("poll", "1 hour")
            except BaseException:  # noqa: BLE001 - what is tested
                yield None

    async for _ in polls():
        pass


async def other(step):
    await step.sleep("a while", "2 hours")
    return "done"


POLLS = [poll, poll_in_tasks, poll_in_the_background, poll_in_a_callback, poll_with_a_timeout, poll_in_a_generator]


async def completes(server):
    return (await server.finish(await server["other"].create())).output


@pytest.mark.parametrize("program", POLLS, ids=lambda program: program.__name__)
async def test_instance_that_is_evicted_is_replayed_and_others_complete(serve, program):
    """It goes on where its journal ends."""
    server = await serve(program, other, evict_after_ms=1_000)
    instance = await server[program].create()
    assert "done" == await completes(server)
    await server.clock.advance("3 hours")
    assert (await instance.status()).status in GOING_ON


@pytest.mark.parametrize("let_go", LET_GO.values(), ids=LET_GO.keys())
@pytest.mark.parametrize("program", [poll, poll_with_an_undo], ids=lambda program: program.__name__)
async def test_instance_that_is_let_go_by_hand(serve, program, let_go):
    """The call returns, and others complete."""
    server = await serve(program, other)
    instance = await server[program].create()
    await server.clock.settle()
    await let_go(instance)
    assert "done" == await completes(server)


async def test_instance_that_is_deleted(serve):
    """It is gone, and others complete."""
    server = await serve(poll, other)
    instance = await server[poll].create()
    await server.clock.settle()
    await server.engine.delete_instances("poll", [instance.id])
    assert "done" == await completes(server)


@pytest.mark.parametrize("program", POLLS, ids=lambda program: program.__name__)
async def test_engine_that_is_closed(serve, program):
    """The next one goes on."""
    server = await serve(program, other, file=True)
    instance = await server[program].create()
    await server.clock.settle()
    await server.stop()
    await server.database.close()
    await server.start()
    assert "done" == await completes(server)
    assert (await (await server[program].get(instance.id)).status()).status in GOING_ON


async def test_code_of_an_undone_run_stays_where_it_waits(serve):
    """What would catch its cancellation is not cancelled."""
    caught = []

    async def stubborn(step):
        await step.do("undone", lambda: None, rollback=lambda: None)
        while True:
            try:
                await step.sleep("poll", "1 hour")
            except BaseException as error:  # noqa: BLE001 - what is tested
                caught.append(str(error))

    server = await serve(stubborn, other)
    instance = await server[stubborn].create()
    await server.clock.settle()
    await instance.terminate(rollback=True)
    assert "done" == await completes(server)
    assert "terminated" == (await instance.status()).status
    assert [] == caught


@pytest.mark.parametrize("in_a_callback", [False, True])
def test_code_that_waits_for_something_else_holds_up_no_end_of_the_event_loop(in_a_callback):
    """It stays where it waits, and the loop ends without it."""
    waits, began = 0, asyncio.Event()

    async def stubborn(step):
        nonlocal waits
        while True:
            waits += 1
            began.set()
            with contextlib.suppress(BaseException):
                await asyncio.sleep(3600)

    async def calls(step):
        await step.do("stubborn", lambda: stubborn(step))

    async def main():
        server = await TestEngine(workflow(calls if in_a_callback else stubborn)).start()
        await server[server.classes[0]].create()
        await began.wait()
        await server.stop()

    asyncio.run(main())
    assert 1 == waits
