"""Forks: instances that begin as another one did, up to a step."""

import pytest
from restarted import abc

from cfworkflows import ReadableStream, WorkflowError
from cfworkflows.values import decode
from cfworkflows_emulator.api.explorer.journals import check_journal
from cfworkflows_emulator.engine import fork


async def both(server, workflow, first, second):
    """The journals of two instances."""
    return [(await server.engine.history(workflow, id))[1] for id in (first, second)]


@pytest.mark.parametrize(
    ("output", "expected", "again"),
    [((), ["a", "b", "c"], {"b-1", "c-1"}), (({"edited": 1},), ["a", {"edited": 1}, "c"], {"c-1"})],
)
async def test_fork_executes_what_follows(serve, program, output, expected, again):
    """From the step on, or behind it if its output is given; the original is untouched."""
    server = await serve(abc(program))
    instance = await server.create()
    await server.finish(instance)
    [before, _] = await both(server, "run", instance.id, instance.id)
    id = await fork(server.engine, "run", instance.id, ("do", "b", 1), *output, new_id="forked")
    await server.clock.settle()
    assert ("forked", expected) == (id, decode((await server.engine.outcome("run", id)).output))
    assert again == {step for step, calls in program.calls.items() if calls == 2}
    [after, journal] = await both(server, "run", instance.id, id)
    assert before == after
    check_journal(journal, [])
    assert [] == await server.engine.diagnosis("run", id)


async def test_fork_of_a_wait_has_another_event(serve, program):
    """The output is its payload; a fork without one waits."""

    async def run(step):
        return (await step.wait_for_event("w", type="go", timeout="1 day")).payload

    server = await serve(run)
    instance = await server.create()
    await server.clock.settle()
    await instance.send_event(type="go", payload=1)
    await server.finish(instance)
    await fork(server.engine, "run", instance.id, ("wait", "w", 1), 2, "edited")
    await fork(server.engine, "run", instance.id, ("wait", "w", 1), new_id="waits")
    await server.clock.settle()
    assert 2 == decode((await server.engine.outcome("run", "edited")).output)
    assert "waiting" == (await server.engine.state("run", "waits")).visible_status
    check_journal((await server.engine.history("run", "edited"))[1], [])


async def test_streams_go_along(serve, program):
    """A fork has chunks of its own, which stay when the original is deleted."""

    async def chunks():
        yield b"x" * 300_000

    async def run(step):
        stream = await step.do("s", lambda: ReadableStream(chunks()))
        await step.do("b", program.effect())
        return len(b"".join([chunk async for chunk in stream]))

    server = await serve(run)
    instance = await server.create()
    await server.finish(instance)
    await fork(server.engine, "run", instance.id, ("do", "b", 1), new_id="forked")
    await server.engine.delete_instances("run", [instance.id])
    await server.clock.settle()
    assert 300_000 == decode((await server.engine.outcome("run", "forked")).output)


async def test_what_cannot_be_forked_is_refused(serve, program):
    """A step that is not there, a sleep with an output, an id that is taken; nothing is created."""

    async def run(step):
        await step.sleep("nap", "1 second")

    server = await serve(run)
    instance = await server.create()
    await server.finish(instance)
    with pytest.raises(WorkflowError, match='Step "z" not found'):
        await fork(server.engine, "run", instance.id, ("do", "z", 1))
    with pytest.raises(WorkflowError, match="nap-1 is a sleep, which has no output"):
        await fork(server.engine, "run", instance.id, ("sleep", "nap", 1), 1)
    with pytest.raises(WorkflowError, match="already"):
        await fork(server.engine, "run", instance.id, ("sleep", "nap", 1), new_id=instance.id)
    assert [instance.id] == [row.id for row in await server.engine.list("run")]
