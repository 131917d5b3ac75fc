"""How an instance comes into being, and what closing the engine leaves of it."""

import asyncio
from contextvars import ContextVar

import pytest

from cfworkflows import WorkflowError


async def test_a_cancelled_creation_still_starts_the_instance(serve):
    """The request that created it may be gone; what is on disk as queued is not stuck."""

    async def run(step):
        return 1

    server = await serve(run)
    request = asyncio.ensure_future(server["run"].create(id="i"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    await asyncio.gather(*server.engine._creation.under_way)
    assert "complete" == (await server.settled(await server.get("i"))).status


async def test_an_id_created_twice_at_once_is_one_instance(serve):
    """One of the two is refused, and `run()` runs once."""
    runs = []

    async def run(step):
        runs.append(1)
        await step.do("a", lambda: 1)

    server = await serve(run)
    outcomes = await asyncio.gather(*(server["run"].create(id="i") for _ in range(3)), return_exceptions=True)
    await server.clock.settle()
    text = '(instance.already_exists) Workflow instance with id "i" already exists'
    assert [text] * 2 == [str(outcome) for outcome in outcomes if isinstance(outcome, WorkflowError)]
    assert [1] == runs


async def test_an_instance_that_is_found_while_it_is_created_is_the_same(serve):
    """An event that is sent the moment the row is there reaches the run that is being started."""

    async def run(step):
        return (await step.wait_for_event("go", type="go")).payload

    server = await serve(run)

    async def send(id):
        while not await server.engine.exists("run", id):
            pass
        await (await server.get(id)).send_event(type="go", payload=id)

    ids = [f"i{n}" for n in range(20)]
    await asyncio.gather(*(server["run"].create(id=id) for id in ids), *(send(id) for id in ids))
    assert ids == [(await server.settled(await server.get(id))).output for id in ids]


async def test_a_run_sees_nothing_of_the_request_that_created_it(serve):
    """Context variables are the server's, on the first run as on a replay."""
    variable = ContextVar("variable", default="server's")
    seen = []

    async def run(step):
        seen.append(variable.get())
        await step.sleep("nap", 1)

    server = await serve(run, evict_after_ms=0)
    variable.set("request's")
    await server.run()
    assert ["server's", "server's"] == seen


async def test_closing_during_a_commit_loses_nothing(serve):
    """What was under way is written, and the next process goes on."""

    async def run(step):
        return [await step.do(f"s{n}", lambda n=n: n) for n in range(10)]

    server = await serve(run, file=True)
    instance = await server["run"].create(id="i")
    for _ in range(8):
        await asyncio.sleep(0)
    await server.stop()
    with pytest.raises(WorkflowError, match="stopping"):
        await server["run"].create()
    await server.start()
    assert list(range(10)) == (await server.finish(await server.get(instance.id))).output
