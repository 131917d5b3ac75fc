"""`check_determinism` of the engine: a replay whenever an instance rests, and what is left alone."""

import itertools

import pytest
from world import TestEngine, workflow

from cfworkflows_emulator.engine.divergence.determinism import DeterminismCheck


@pytest.fixture
async def checked():
    servers = []

    async def start(run):
        # Evicted, it would begin anew each time.
        servers.append(await TestEngine(workflow(run), evict_after_ms=None, check_determinism=True).start())
        return servers[-1]

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
def replays(monkeypatch):
    """The instances that are replayed, one for each replay."""
    found = []
    check = DeterminismCheck._check

    async def counted(self, instance, after, upto):
        found.append((instance.id, after < upto))
        await check(self, instance, after, upto)

    monkeypatch.setattr(DeterminismCheck, "_check", counted)
    return found


async def nap(event, step):
    await step.do("a", lambda: 1)
    await step.sleep("nap", "1 hour")


async def test_an_instance_is_replayed_when_it_rests_and_when_it_ends(checked, replays):
    """Once for each rest, over what is new since the last; one that does the same has no diagnosis."""
    server = await checked(nap)
    await server.finish(await server.create(id="same"))
    await server.engine.activity.rehearsed()
    assert [("same", True), ("same", True)] == replays
    assert [] == await server.engine.diagnosis("nap", "same")


async def test_what_differs_is_found_once(checked, replays):
    """What is known to differ goes on differing, and is not looked for again."""
    calls = itertools.count()

    async def run(event, step):
        await step.do(f"a {next(calls)}", lambda: 1)
        for n in range(3):
            await step.sleep(f"nap {n}", "1 hour")

    server = await checked(run)
    instance = await server.create(id="other")
    await server.engine.activity.rehearsed()
    await server.clock.settle()
    await server.finish(instance)
    await server.engine.activity.rehearsed()
    (found,) = await server.engine.diagnosis("run", "other")
    assert 'step "a 0-1"' == str(found.missing[0])
    assert [("other", True)] == replays


async def test_what_was_terminated_is_not_replayed(checked, replays):
    """It was cut off anywhere."""
    server = await checked(nap)
    instance = await server.create(id="gone")
    await server.engine.activity.rehearsed()
    replays.clear()
    await instance.terminate()
    await server.engine.activity.rehearsed()
    assert [] == replays
