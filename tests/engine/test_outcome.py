"""What is told of an instance that has ended, without reading its steps."""

import gc
import weakref

import pytest

from cfworkflows import NonRetryableError


async def work(event, step):
    for i in range(3):
        await step.do(f"step {i}", lambda: 1, {"rollback": lambda ctx: None} if event.payload.undo else None)
    if event.payload.fails:
        raise NonRetryableError("no")
    if event.payload.waits:
        await step.wait_for_event("go", {"type": "go"})
    return {"n": 3}


DONE = {"undo": False, "fails": False, "waits": False}


def told(state):
    return state.visible_status, state.output, state.error, state.rollback and state.rollback.outcome


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (DONE, "complete"),
        (DONE | {"fails": True}, "errored"),
        (DONE | {"fails": True, "undo": True}, "errored"),
        (DONE | {"waits": True}, "terminated"),
        (DONE | {"waits": True, "undo": True}, "terminated"),
    ],
)
async def test_an_instance_that_ended_is_told_of_without_its_steps(serve, params, expected):
    """Status, output, error and rollback are those of the whole journal, whose steps are not read."""
    server = await serve(work)
    instance = await server.create(params=params)
    if params["waits"]:
        await instance.terminate({"rollback": params["undo"]})
        await server.clock.settle()
    whole = await server.state(instance)
    outcome = await server.engine.outcome("work", instance.id)
    assert expected == outcome.visible_status
    assert told(whole) == told(outcome)
    assert ({}, 3) == (outcome.steps, len(whole.steps))


async def test_an_instance_that_waits_is_told_of_as_it_is(serve):
    """One that has not ended is told of from its whole journal, in memory or not, and after a restart too."""
    server = await serve(work, evict_after_ms=0)
    instance = await server.create(params=DONE | {"waits": True})
    await server.clock.advance("1 second")
    assert {} == server.engine.residents.actors
    assert "waiting" == (await instance.status()).status
    await instance.send_event({"type": "go", "payload": 1})
    await server.clock.settle()
    assert {"n": 3} == (await instance.status()).output
    await instance.restart()
    await server.clock.settle()
    assert ("waiting", None) == ((status := await instance.status()).status, status.output)


async def test_a_run_that_is_over_leaves_memory_at_once(serve):
    """Its parts do not hold each other, so that nothing of it is left for the garbage collector."""

    async def run(step):
        await step.sleep("nap", "1 hour")
        await step.do("a", lambda: 1)

    server = await serve(run)
    instance = await server.create()
    (resident,) = server.engine.residents.actors.values()
    over = weakref.ref(resident._run)
    del resident
    gc.disable()
    try:
        await server.finish(instance)
        assert over() is None
    finally:
        gc.enable()
