"""Reports of tests whose values and errors cannot be shown."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import FakeEnv, introspect_workflow_instance
from cfworkflows_emulator.testing import stories

pytest_plugins = ["pytester"]


@dataclass(repr=False)
class Shy:
    """It does not say what it is."""

    name: str = "shy"

    def __repr__(self) -> str:
        raise RuntimeError("no")


class Unspeakable(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("shy", Shy)
        await step.do("huge", lambda: 10**5000)


async def test_values_that_python_cannot_show_are_named() -> None:
    """A repr that raises, and an int with more digits than Python converts, are no end of the report."""
    async with FakeEnv(U=Unspeakable) as env:
        instance = await env.U.create()
        await instance.result()
        text = await instance.timeline()
    assert "\"shy-1\" gave {'name': 'shy'}" in text
    assert '"huge-1" gave ' in text


async def test_a_story_that_cannot_be_told_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is: an error in a report would end the whole session."""

    def fail(*_: object) -> None:
        raise RuntimeError("a class of the user's")

    monkeypatch.setattr(stories, "timeline", fail)
    assert "(this cannot be told: RuntimeError: a class of the user's)" == stories.story([])


def test_a_failure_without_a_text_ends_no_session(pytester: pytest.Pytester) -> None:
    """The test fails, with the timeline, and pytest goes on."""
    pytester.makepyfile(
        """
        from cfworkflows import WorkflowEntrypoint
        from cfworkflows.testing import FakeEnv

        class Bad(AssertionError):
            def __str__(self):
                raise RuntimeError("no")

        class Failing(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.do("huge", lambda: 10**5000)
                raise Bad

        async def test_it():
            async with FakeEnv(FAILING=Failing) as env:
                await (await env.FAILING.create()).result()
        """
    )
    options = (
        "-p",
        "no:schemathesis",
        "-p",
        "no:hypothesispytest",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
    )
    result = pytester.runpytest_subprocess(*options)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*stopped by Bad: <its text failed with RuntimeError>"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


class Until(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.sleep_until("until", datetime.now(UTC) + timedelta(milliseconds=event.payload["ms"], microseconds=1))
        await step.wait_for_event("never", type="never")


async def test_a_sleep_until_the_machines_time_has_a_note() -> None:
    """It lasts for virtual months; the note says which clock is which, and what to do."""
    async with FakeEnv(UNTIL=Until) as env:
        instance = await env.UNTIL.create(params={"ms": 100})
        await env.clock.settle()
        text = await instance.timeline()
    assert 'note: "until-1" sleeps until' in text
    assert "freezegun or time-machine" in text


async def test_a_sleep_on_the_virtual_clock_has_no_note() -> None:
    """Where the machine's time and the clock of the test agree, there is nothing to say."""
    async with FakeEnv(UNTIL=Until, start=datetime.now(UTC)) as env:
        instance = await env.UNTIL.create(params={"ms": 60_000})
        await env.clock.settle()
        assert "note:" not in await instance.timeline()


async def test_mocks_given_what_cannot_be_shown_say_what_is_wrong() -> None:
    """The reason of a refusal is not lost to the repr of what was refused."""
    async with FakeEnv(U=Unspeakable) as env:
        instance = introspect_workflow_instance(env.U, "u1")
        with pytest.raises(TypeError, match=r"takes an exception, not {'name': 'shy'}"):
            await instance.modify(lambda m: m.mock_step_error("shy", Shy()))
