"""What a test puts into `env` reaches the Worker; environments that are over, or of another event loop, say so."""

import asyncio
import copy
from collections.abc import Iterator

import pytest

from cfworkflows import WorkflowEntrypoint
from cfworkflows import env as module_env
from cfworkflows.testing import FakeEnv, introspect_workflow_instance


class Reader(WorkflowEntrypoint):
    async def run(self, event, step):
        return await step.do("read", lambda: [self.env.KV.get("a"), module_env.KV.get("b")])


class Kv:
    def __init__(self, word: str) -> None:
        self.word = word

    def get(self, key: str) -> str:
        return f"{self.word} {key}"


async def _read(env: FakeEnv) -> object:
    return await (await env.READER.create()).result()


async def test_stand_in_given_or_set_reaches_the_workflow() -> None:
    """As a keyword, as an attribute later, and for both ways to the environment."""
    async with FakeEnv(READER=Reader, KV=Kv("given")) as env:
        assert ["given a", "given b"] == await _read(env)
        env.KV = Kv("set")
        assert ["set a", "set b"] == await _read(env)


async def test_monkeypatch_is_undone() -> None:
    """For a value, and for a binding, which is the test's own with `result()` again."""
    async with FakeEnv(READER=Reader, KV=Kv("first")) as env:
        reader = env.READER
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(env, "KV", Kv("patched"))
            assert ["patched a", "patched b"] == await _read(env)
            patch.setattr(env, "READER", None)
            assert env.READER is None
        assert env.READER is reader
        assert ["first a", "first b"] == await _read(env)


async def test_stand_in_can_be_new_and_be_taken_away() -> None:
    """A binding that was never there; without it the error is that of an environment that lacks it."""
    async with FakeEnv(READER=Reader) as env:
        env.KV = Kv("new")
        assert ["new a", "new b"] == await _read(env)
        env.READER = None
        del env.READER, env.KV
        assert "reader" == env.READER._workflow
        with pytest.raises(AttributeError, match="env has no binding KV; the configuration has: READER"):
            env.KV  # noqa: B018 - it raises


async def test_names_of_the_kit_cannot_be_set() -> None:
    """They would hide what the environment itself has."""
    async with FakeEnv(READER=Reader) as env:
        with pytest.raises(AttributeError, match="FakeEnv has an attribute clock of its own"):
            env.clock = 1


async def test_copy_of_the_environment_is_none_of_the_workers() -> None:
    """What is set on it stays there."""
    async with FakeEnv(READER=Reader, KV=Kv("own")) as env:
        copied = copy.copy(env._world.env)
        copied.KV = Kv("copied")
        assert ["own a", "own b"] == await _read(env)


async def test_calls_after_the_end_say_that_it_is_over() -> None:
    """Of a binding, a handle, the clock and an introspector: nothing speaks of connections."""
    async with FakeEnv(READER=Reader, KV=Kv("x")) as env:
        binding, clock = env.READER, env.clock
        handle = await binding.create(id="r1")
        await handle.result()
        looking = introspect_workflow_instance(binding, "r2")
    calls = [
        binding.create,
        handle.status,
        handle.result,
        handle.history,
        handle.timeline,
        clock.settle,
        clock.advance_to_next,
        lambda: clock.advance("1 hour"),
        lambda: clock.advance("1 hour", while_busy=True),
        lambda: looking.wait_for_status("complete"),
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match="The environment of this test is closed"):
            await call()


@pytest.fixture
def other_loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def test_calls_from_another_event_loop_are_refused(other_loop: asyncio.Runner) -> None:
    """At once, where they would hang, and the environment can still be closed."""
    fake = FakeEnv(READER=Reader, KV=Kv("x"))
    env = other_loop.run(fake.__aenter__())
    for call in (env.READER.create, env.clock.settle, lambda: env.READER.get("a")):
        with asyncio.Runner() as runner, pytest.raises(RuntimeError, match=r"Write `async def test_…\(env\)`"):
            runner.run(call())
    other_loop.run(fake.__aexit__(None, None, None))
