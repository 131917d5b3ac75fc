"""Tests that wait on the machine's time for the virtual one: a report, or the mode in which it passes by itself."""

import asyncio
from datetime import timedelta

import pytest

from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import FakeEnv, StalledError
from cfworkflows_emulator.testing import idling
from cfworkflows_emulator.testing.records import Record, Settings, recording


class Sleeper(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.sleep("nap", "1 hour")
        return "rested"


@pytest.fixture
def _impatient():
    with recording(Record(Settings(patience_s=0.4))):
        yield


async def test_status_asked_for_in_vain_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the instance waits for, until when, and what lets the time pass."""
    monkeypatch.setattr(idling, "POLLED_S", 0)
    async with FakeEnv(SLEEPER=Sleeper) as env:
        sleeper = await env.SLEEPER.create(id="s1")
        with pytest.raises(StalledError, match=r's1 sleeps \(step "nap-1", .*\) until 2026-01-01 01:00') as raised:
            [await sleeper.status() for _ in range(100)]
        assert "clock.real_time()" in str(raised.value)
        assert "rested" == await sleeper.result()


async def test_status_asked_for_often_is_fine_while_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of the clock is progress."""
    monkeypatch.setattr(idling, "POLLED_S", 0)
    async with FakeEnv(SLEEPER=Sleeper) as env:
        sleeper = await env.SLEEPER.create()
        for _ in range(50):
            await env.clock.advance("1 minute")
            assert "waiting" == (await sleeper.status()).status


@pytest.mark.usefixtures("_impatient")
async def test_waiting_for_anything_else_is_ended_after_the_patience() -> None:
    """The test is cancelled where it waits, and fails with the report."""

    async def wait_for_nothing() -> None:
        async with FakeEnv(SLEEPER=Sleeper) as env:
            await env.SLEEPER.create(id="s1")
            await asyncio.Event().wait()

    with pytest.raises(StalledError, match=r"For 0\.4 seconds nothing went on but the test itself") as raised:
        await wait_for_nothing()
    assert "sleeper/s1 sleeps" in str(raised.value)


@pytest.mark.usefixtures("_impatient")
async def test_test_without_unfinished_instances_may_wait() -> None:
    """It waits for something that is none of the kit's."""
    async with FakeEnv(SLEEPER=Sleeper) as env:
        await (await env.SLEEPER.create()).result()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 1)


async def test_time_goes_by_itself_in_real_time() -> None:
    """Inside of the block, as fast as it is asked for; it stands still again behind it."""
    async with FakeEnv(SLEEPER=Sleeper) as env:
        sleeper = await env.SLEEPER.create()
        async with env.clock.real_time(speed=36_000):
            while (await sleeper.status()).status != "complete":  # noqa: ASYNC110 - to poll is what is tested
                await asyncio.sleep(0.01)
        stopped = env.clock.now()
        await asyncio.sleep(0.02)
        assert stopped == env.clock.now()
        assert timedelta(hours=1) <= env.clock.datetime - (await sleeper.history())[0].time


async def test_callback_that_hangs_meets_its_timeout_in_real_time() -> None:
    """The time goes by whatever is at work."""

    class Hanging(WorkflowEntrypoint):
        async def run(self, event, step):
            config = {"timeout": "1 minute", "retries": {"limit": 0, "delay": 0}}
            await step.do("hang", config, asyncio.Event().wait)

    async with FakeEnv(HANGING=Hanging) as env:
        hanging = await env.HANGING.create()
        async with env.clock.real_time(speed=600):
            while (await hanging.status()).status != "errored":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert "Execution timed out after 60000ms" == (await hanging.status()).error.message


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
async def test_speed_is_above_zero(speed: float) -> None:
    """Anything else is refused."""
    async with FakeEnv() as env:
        with pytest.raises(ValueError, match="speed is a number above 0"):
            async with env.clock.real_time(speed=speed):
                pass
