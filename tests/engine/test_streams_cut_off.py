"""A stream that is cut off while its step reads it: nothing is left, and it ends the same."""

import asyncio
import contextlib
import hashlib
import sqlite3

import pytest
from programs import effects
from stream_sources import Gate, counted, left, whole
from world import Death

from cfworkflows import WorkflowError
from cfworkflows_emulator.engine.run.streams import BLOCK_BYTES


async def stopped_in_the_middle(server, gate):
    instance = await server[server.classes[0]].create(id="i")
    await gate.reached.wait()
    await server.engine.store.flushed()
    assert [BLOCK_BYTES] == (await left(server))["s-1", 1]
    return instance


@pytest.mark.parametrize("act", ["terminate", "terminate with rollback", "delete", "restart", "restart from", "kill"])
async def test_nothing_is_left_of_a_stream_that_was_cut_off(serve, act):
    """However it was; what was stored before stays where the instance does."""
    gates = [Gate(), Gate()]

    async def run(step):
        await step.do("before", lambda: counted([b"x"]), {"rollback": lambda: None})
        gate = gates[min(effects["gate"], 1)]
        effects["gate"] += 1
        stream = await step.do("s", gate.stream)
        return len(await whole(stream))

    server = await serve(run, file=True)
    instance = await stopped_in_the_middle(server, gates[0])
    gates[1].on.set()
    match act:
        case "terminate":
            await instance.terminate()
        case "terminate with rollback":
            await instance.terminate(rollback=True)
        case "delete":
            await instance.delete()
        case "restart":
            await instance.restart()
        case "restart from":
            await instance.restart(from_={"name": "s"})
        case "kill":
            await server.restart()
            instance = await server.get("i")
    await server.clock.settle()
    before = {("before-1", 1): [1]}
    if act in ("terminate", "terminate with rollback"):
        assert before == await left(server)
    elif act == "delete":
        assert {} == await left(server)
    else:
        assert BLOCK_BYTES + 1 == (await server.finish(instance)).output
        attempt = 2 if act == "kill" else 1
        assert {**before, ("s-1", attempt): [BLOCK_BYTES, 1]} == await left(server)
    assert (2 if act == "restart" else 1) == effects["stream"]
    assert (1 if act == "kill" else 0) == gates[0].closed  # code that is over does nothing more


async def test_a_pause_waits_for_the_stream(serve):
    """The attempt that runs is finished first, as any is."""
    gate = Gate()

    async def run(step):
        return len(await whole(await step.do("s", gate.stream)))

    server = await serve(run)
    instance = await stopped_in_the_middle(server, gate)
    await instance.pause()
    assert "waitingForPause" == (await instance.status()).status
    gate.on.set()
    await server.clock.settle()
    assert "paused" == (await instance.status()).status
    await instance.resume()
    assert BLOCK_BYTES + 1 == (await server.finish(instance)).output


async def test_a_stream_that_nobody_awaits_is_lost_whole(serve):
    """The instance has ended: what its callback still gives is not stored."""
    gate = Gate()

    async def run(step):
        step.do("s", gate.stream)
        await gate.reached.wait()

    server = await serve(run)
    instance = await server.create()
    assert "complete" == (await server.finish(instance)).status
    assert {} == await left(server)
    gate.on.set()
    await gate.over.wait()
    assert {} == await left(server)


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_killed_after_any_commit_it_ends_the_same(serve, monkeypatch, evict_after_ms):
    """Each journal write and each chunk: the same output, finished streams are not made again, and nothing is left."""
    data = [bytes([n]) * (BLOCK_BYTES // 2) for n in range(5)]

    async def run(step):
        first = await step.do("first", lambda: counted(data))
        await step.sleep("nap", "1 day")
        second = await step.do("second", lambda: first)
        return hashlib.sha256(await whole(second)).hexdigest()

    expected = hashlib.sha256(b"".join(data)).hexdigest()
    commits, status = 0, None
    while status is None:
        effects.clear()
        server = await serve(run, file=True, evict_after_ms=evict_after_ms)
        with monkeypatch.context() as patch:
            death = Death(patch, commits)
            life = asyncio.ensure_future(_live(server))
            end = asyncio.ensure_future(death.came.wait())
            await asyncio.wait({life, end}, return_when=asyncio.FIRST_COMPLETED)
            end.cancel()
            status = life.result() if life.done() else life.cancel() and None
        await server.kill()
        calls = effects["stream"]
        done = _is_done(server.path, "first-1")
        assert done or status is None
        await server.start()
        instance = await server["run"].create(id="i") if await _needs_creation(server) else await server.get("i")
        assert expected == (await server.finish(instance)).output, commits
        if done:
            assert calls == effects["stream"]
        found = await left(server)
        assert [[BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES // 2]] * 2 == list(found.values()), commits
        assert ["first-1", "second-1"] == [step for step, _ in found]
        await server.stop()
        commits += 1
    assert commits > 8


async def _live(server):
    return await server.finish(await server["run"].create(id="i"))


def _is_done(path, step):
    """Whether the only instance has a result of the step, as the file says."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        query = "SELECT count(*) FROM journal WHERE step = ? AND type = 'step_completed'"
        return connection.execute(query, (step,)).fetchone()[0] == 1


async def _needs_creation(server):
    try:
        await server.get("i")
    except WorkflowError:
        return True
    return False
