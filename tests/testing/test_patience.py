"""Nothing of the kit goes on for ever: results, the clock, and the end of a test."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from cfworkflows import WorkflowEntrypoint, scheduler
from cfworkflows.testing import FakeEnv, StalledError
from cfworkflows_emulator.runtime import Worker
from cfworkflows_emulator.testing import clock as kit_clock
from cfworkflows_emulator.testing.records import Record, Settings, recording


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    with recording(Record(Settings(patience_s=0.4, leaks=False))):
        yield


class Failing(WorkflowEntrypoint):
    async def run(self, event, step):
        async def fail():
            raise ValueError("always")

        retries = {"limit": 10_000, "backoff": "exponential", "delay": event.payload["delay"]}
        await step.do("fail", {"retries": retries}, fail)


async def test_result_of_what_goes_on_after_the_year_9999_is_a_report() -> None:
    """It says when the next attempt would be, and the world closes as always."""
    async with FakeEnv(FAILING=Failing) as env:
        instance = await env.FAILING.create(id="f1", params={"delay": "1 day"})
        with pytest.raises(
            StalledError, match=r"year 9999 is over.*\nfailing/f1 waits for attempt 23 .* the year 10000"
        ):
            await instance.result()
        assert 9999 >= env.clock.datetime.year
        assert {9999} >= {each.until.year for each in await instance.history() if each.until is not None}


async def test_attempts_without_a_delay_are_bounded() -> None:
    """All happen at one moment, so that the time never moves: the report names the step; the story leaves lines out."""
    async with FakeEnv(FAILING=Failing) as env:
        instance = await env.FAILING.create(id="f1", params={"delay": 0})
        with pytest.raises(StalledError, match=r"After 0\.4 seconds something is still at work.*\nfailing/f1 .*fail-1"):
            await env.clock.advance("1 hour")
        assert "lines are left out" in await instance.timeline()


async def test_timers_at_one_moment_for_ever_are_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock gives up when the patience is over."""
    monkeypatch.setattr(kit_clock, "MANY_TIMERS", 10)
    async with FakeEnv() as env:

        def again() -> None:
            env.clock.call_at(env.clock.now(), again)

        again()
        with pytest.raises(StalledError, match="At 2026-01-01 00:00 timers fire for ever"):
            await env.clock.advance("1 hour")


class Endless(WorkflowEntrypoint):
    async def run(self, event, step):
        while True:
            await step.sleep("nap", 1)


async def test_result_of_a_loop_without_an_end_is_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long before the steps of an instance are used up, if they are slow."""
    monkeypatch.setattr(kit_clock, "MANY_TIMERS", 10)
    async with FakeEnv(ENDLESS=Endless) as env:
        instance = await env.ENDLESS.create(id="e1")
        with pytest.raises(StalledError, match=r"endless/e1 goes on for ever.*\nendless/e1 sleeps"):
            await instance.result()


async def test_the_clock_does_not_leave_the_year_9999() -> None:
    """No datetime is later."""
    async with FakeEnv(start=None) as env:
        with pytest.raises(ValueError, match="ends with the year 9999"):
            [await env.clock.advance("3000 years") for _ in range(3)]


async def test_advance_while_busy_has_patience_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine itself does not come to rest."""
    async with FakeEnv(FAILING=Failing) as env:

        async def restless() -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(env.clock.engine.activity, "at_rest", restless)
        with pytest.raises(StalledError, match=r"After 0\.4 seconds something is still at work"):
            await env.clock.advance("1 hour", while_busy=True)


class Hasty(WorkflowEntrypoint):
    async def run(self, event, step):
        async def hang():
            await asyncio.Event().wait()

        await asyncio.wait_for(step.do("hang", hang), 0.01)


async def test_result_does_not_wait_for_a_callback_that_run_gave_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what was under way; who settles hears which callback it is that goes on."""
    monkeypatch.setattr(kit_clock, "LOOSE_ENDS_S", 0.01)
    async with FakeEnv(HASTY=Hasty) as env:
        instance = await env.HASTY.create(id="h1")
        with pytest.raises(TimeoutError) as raised:
            await instance.result()
        assert 'Under way when run() ended: step "hang-1" (' in "".join(raised.value.__notes__)
        with pytest.raises(StalledError, match=r"callback of hang-1 in hasty/h1, and it is still at work"):
            await env.clock.settle()


effects: list[str] = []


class Forgetful(WorkflowEntrypoint):
    async def run(self, event, step):
        async def effect():
            await asyncio.sleep(0.01)
            effects.append("done")

        self.forgotten = step.do("forgotten", effect)
        await asyncio.sleep(0)


async def test_a_wait_of_the_scheduler_is_named() -> None:
    """It is what the test waits for in vain, with the time that it waits for; what has ended is not named."""

    class Waiting(WorkflowEntrypoint):
        async def run(self, event, step):
            async def callback():
                await asyncio.wait_for(scheduler.wait(3_000), 0.01)

            with suppress(TimeoutError):
                await callback()
            await step.do("wait", lambda: scheduler.wait(5_000))

    async with FakeEnv(W=Waiting) as env:
        instance = await env.W.create()
        with pytest.raises(StalledError) as raised:
            await instance.result()
        assert 1 == str(raised.value).count("scheduler.wait in a callback")
        assert "is pending until 2026-01-01 00:00:05" in str(raised.value)
        await env.clock.advance("5 seconds", while_busy=True)
        await instance.result()


async def test_result_gives_steps_that_nobody_awaited_a_moment() -> None:
    """What they do is seen by the test, as long as they are quick."""
    effects.clear()
    async with FakeEnv(FORGETFUL=Forgetful) as env:
        await (await env.FORGETFUL.create()).result()
        assert ["done"] == effects


class Patient(WorkflowEntrypoint):
    async def run(self, event, step):
        async def hang():
            await asyncio.Event().wait()

        if event.payload["step"]:
            await step.do("hang", {"timeout": "5 minutes", "retries": {"limit": 0, "delay": 0}}, hang)
        await step.wait_for_event("wait", type="never", timeout="1 hour")


@pytest.mark.parametrize(
    ("step", "note"), [(True, 'step "hang-1" ('), (False, 'the wait "wait-1" for event "never" (')]
)
async def test_the_error_of_a_timeout_says_what_timed_out(step: bool, note: str) -> None:
    """Its message only says how long it took."""
    async with FakeEnv(PATIENT=Patient) as env:
        instance = await env.PATIENT.create(params={"step": step})
        await env.clock.advance("2 hours", while_busy=True)
        with pytest.raises(TimeoutError) as raised:
            await instance.result()
        assert f"It timed out: {note}" in "".join(raised.value.__notes__)


async def test_closing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report has the tasks that still run."""

    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Worker, "close", hang)
    task = asyncio.create_task(asyncio.Event().wait(), name="a task of the test")
    with pytest.raises(StalledError, match=r"could not be closed within 0\.4 seconds.*(\n.*)*a task of the test"):
        async with FakeEnv():
            pass
    task.cancel()
