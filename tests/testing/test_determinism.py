"""The determinism check: `check_determinism`, the setting of a test, and the option of the engine."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress

import pytest
from kit import ENVIRONMENT, PLUGIN
from world import TestEngine, workflow

from cfworkflows import WorkflowEntrypoint, WorkflowTimeoutError
from cfworkflows.testing import (
    DeterminismError,
    FakeEnv,
    StalledError,
    check_determinism,
    crash_everywhere,
    introspect_workflow_instance,
)
from cfworkflows_emulator.engine import Diagnosis

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]


async def test_deterministic_workflow_passes():
    """With all that a workflow can do: its own tasks, timeouts of waits, retries, steps in steps, absolute sleeps."""

    class Everything(WorkflowEntrypoint):
        async def run(self, event, step):
            async def branch(n):
                first = await step.do("first", {"timeout": f"{n + 1} minutes"}, lambda: n)
                await step.sleep("nap", f"{n + 1} hours")
                return first + await step.do("second", lambda: n)

            async def nested(ctx):
                if ctx.attempt == 1:
                    raise ConnectionError("down")
                return await step.do("inner", lambda: 1)

            both = await asyncio.gather(branch(0), branch(1))
            await step.do("outer", nested, rollback=lambda: None)
            try:
                await step.sleep_until("the past", 1)
            except Exception:  # noqa: BLE001 - the platform's own class for this
                both.append("past")
            await step.sleep_until("a date", event.timestamp.timestamp() * 1000 + 9 * 86_400_000)
            try:
                await step.wait_for_event("in vain", type="never", timeout="1 hour")
            except WorkflowTimeoutError as error:
                both.append(str(error))
            both.append((await step.wait_for_event("go", type="go")).payload)
            return both

    await check_determinism(Everything, events={"go": {"n": 1}})


class Changing:
    """Gives something else each time: what a random number or the clock does to a workflow."""

    def __init__(self, *values):
        self.values = itertools.cycle(values)

    def __call__(self):
        return next(self.values)


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (
            lambda step, value: step.do(value("a", "b"), lambda: 1),
            r'step "a-1" \(ran at .*:\d+\) was not called again; step "b-1" at .*:\d+ is new',
        ),
        (
            lambda step, value: step.sleep("nap", value(1000, 86_400_000)),
            r'the duration of sleep "nap-1" \(ran at .*:\d+\) was 1 s, and is 86,400 s at ',
        ),
        (
            lambda step, value: step.sleep_until("nap", 1_780_000_000_000 + value(0, 5)),
            r'the end of sleep "nap-1" .* was 2026-05-28 20:26:40.000, and is 2026-05-28 20:26:40.005 at ',
        ),
        (
            lambda step, value: step.wait_for_event("w", type=value("go", "now"), timeout=5000),
            r'the event type of wait "w-1" .* was "go", and is "now" at ',
        ),
        (
            lambda step, value: step.wait_for_event("w", type="go", timeout=value(5000, 6000)),
            r'the timeout of wait "w-1" .* was 5 s, and is 6 s at ',
        ),
        (
            lambda step, value: step.do("a", {"retries": {"limit": value(1, 2), "delay": "1 second"}}, lambda: 1),
            r'the retry limit of step "a-1" .* was 1, and is 2 at ',
        ),
        (
            lambda step, value: step.do("a", lambda: 1, rollback=value(lambda: None, None)),
            r'the rollback timeout of step "a-1" .* was .*, and is not given at ',
        ),
    ],
    ids=["name", "duration", "date", "event type", "timeout", "configuration", "rollback"],
)
async def test_what_is_passed_is_compared(run, told):
    """Not the order of the calls alone: their names, and what they are given, with both values and the line."""
    turn = itertools.count()

    class Random(WorkflowEntrypoint):
        async def run(self, event, step):
            now = next(turn)
            with suppress(WorkflowTimeoutError):
                await run(step, lambda first, other: first if now == 0 else other)

    with pytest.raises(DeterminismError, match=f"random/check: the code changed.*{told}"):
        await check_determinism(Random, events=lambda instance: asyncio.sleep(0))


async def test_order_of_calls_is_compared():
    """Steps side by side that are called the other way round."""
    turn = Changing(1, -1)

    class Shuffled(WorkflowEntrypoint):
        async def run(self, event, step):
            await asyncio.gather(*[step.do(name, lambda: 1) for name in "ab"[:: turn()]])

    with pytest.raises(DeterminismError, match=r'step "a-1" .* is called after step "b-1" .*, and was called before'):
        await check_determinism(Shuffled)


async def test_outcome_is_compared():
    """A value of the moment in the output; an error that only the first run raises."""
    turn = itertools.count()

    class Stamped(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.do("a", lambda: 1)
            if event.payload.get("fails") and next(turn) == 0:
                raise ValueError("first")
            return next(turn)

    with pytest.raises(DeterminismError, match=r"run\(\) returned 0, and returns \d now"):
        await check_determinism(Stamped)
    turn = itertools.count()
    with pytest.raises(DeterminismError, match=r"run\(\) raised ValueError: first, and returns \d now"):
        await check_determinism(Stamped, {"fails": True})


async def test_children_are_replayed_too():
    """The text says of which instance it speaks."""
    turn = itertools.count()

    class Child(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.do(f"part {next(turn)}", lambda: 1)

    class Parent(WorkflowEntrypoint):
        async def run(self, event, step):
            async def create():
                await self.env.CHILD.create(id="c")

            await step.do("create", create)
            await step.sleep("meanwhile", "1 hour")

    with pytest.raises(DeterminismError, match=r'^child/c: .*step "part 0-1" .* was not called again'):
        await check_determinism(Parent, env={"CHILD": Child})


async def test_a_run_that_waits_for_ever():
    """There is nothing to replay to the end."""

    class Hanging(WorkflowEntrypoint):
        async def run(self, event, step):
            await (await self.env.HANGING.get(event.instance_id)).pause()
            await step.do("never", lambda: 1)

    with pytest.raises(StalledError):
        await check_determinism(Hanging)


async def test_engine_checks_whenever_an_instance_waits_and_at_its_end(caplog):
    """What differs is logged once, and is part of the diagnosis; an instance that does the same has none."""
    turn = itertools.count()

    async def run(event, step):
        for n in range(3):
            await step.do(f"a{n}", lambda: 1)
            await step.sleep(f"nap {n}", "1 hour")
        if event.payload.get("random"):
            await step.sleep(f"part {next(turn)}", "1 day")
        return "done"

    # Evicted, it would begin anew each time.
    server = await TestEngine(workflow(run), evict_after_ms=None, check_determinism=True).start()
    try:
        good = await server.create(id="good")
        await server.finish(good)
        bad = await server.create(id="bad", params={"random": True})
        await server.finish(bad)
        await server.engine.activity.rehearsed()
        assert [] == await server.engine.diagnosis("run", "good")
        (found,) = await server.engine.diagnosis("run", "bad")
        assert 'sleep "part 0-1"' == str(found.missing[0])
        assert [f"run/bad: {found}"] == [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    finally:
        await server.stop()


def test_a_diagnosis_survives_the_journal():
    """With changes and outcomes, as JSON."""
    import json

    from cfworkflows_emulator.engine.journal.diagnosis import Call, Change

    change = Change(Call("sleep", "nap-1", "a.py:1"), "duration", "1 s", "2 s", "a.py:2")
    diagnosis = Diagnosis(changed=(change,), outcomes=("returned 1", "returns 2"))
    assert diagnosis == Diagnosis.from_dict(json.loads(json.dumps(diagnosis.as_dict())))


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a test file in a project: `run("[pytest] settings")`."""
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
    pytester.makepyfile(
        test_it="""
import itertools
import pytest
from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import FakeEnv

turn = itertools.count()

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("first", lambda: 1)
        await step.do(f"part {next(turn)}", lambda: 1)

async def test_setting():
    async with FakeEnv(ORDERS=Order) as env:
        await (await env.ORDERS.create(id="a1")).result()

@pytest.mark.cfworkflows(determinism="on")
async def test_marker():
    async with FakeEnv(ORDERS=Order) as env:
        await (await env.ORDERS.create(id="a1")).result()
"""
    )

    def run(ini: str = "") -> pytest.RunResult:
        loop = "asyncio_default_fixture_loop_scope = function"
        pytester.makeini(f"[pytest]\nasyncio_mode = auto\n{loop}\n{ini}")
        return pytester.runpytest_subprocess(
            *PLUGIN, "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-W", "error"
        )

    return run


def test_setting_of_a_test(run: Run) -> None:
    """All instances of its worlds are checked, and what differs fails it."""
    run().assert_outcomes(passed=1, failed=1)
    result = run("cfworkflows_determinism = on")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ['E*DeterminismError: orders/a1: *step "part 0-1" (ran at test_it.py:11) was not called again; *:11 is new']
    )


@pytest.mark.parametrize("check", [check_determinism, crash_everywhere])
async def test_branches_that_time_mixes_up_are_told(check):
    """By each check that replays: all steps are called again, by other branches."""

    class Order(WorkflowEntrypoint):
        async def run(self, event, step):
            async def branch(i):
                await step.sleep(f"nap {i}", f"{3 - i} hours")
                return await step.do("ship", lambda: i)

            return await asyncio.gather(*(branch(i) for i in range(3)))

    with pytest.raises(DeterminismError, match="is called by another branch at"):
        await check(Order)


def test_branches_that_time_mixes_up_fail_a_plain_test(pytester: pytest.Pytester) -> None:
    """Without any setting, and although the run itself was right: the text has the line, and what to do."""
    pytester.makepyfile(
        """
import asyncio
from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import FakeEnv

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        async def branch(i):
            await step.sleep(f"nap {i}", f"{3 - i} hours")
            return await step.do(event.payload["name"].format(i), lambda: i)
        return await asyncio.gather(*(branch(i) for i in range(3)))

async def ship(name):
    async with FakeEnv(ORDERS=Order) as env:
        order = await env.ORDERS.create(id="a1", params={"name": name})
        assert [0, 1, 2] == await order.result()

async def test_one_name():
    await ship("ship")

async def test_names_of_their_own():
    await ship("ship {}")
"""
    )
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    result = pytester.runpytest_subprocess(*PLUGIN, "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-W", "error")
    result.assert_outcomes(passed=1, failed=1)
    line = 'E*DeterminismError: orders/a1: run() *: step "ship-1" (ran at *:9) is called by another *"ship {i}"*'
    result.stdout.fnmatch_lines([line])


async def test_skipped_sleeps_are_no_difference():
    """A test that lets no sleep pass changes the ends of sleeps, and not what the workflow asked for."""

    class Sleeper(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.sleep("nap", "1 day")
            await step.sleep_until("a date", event.timestamp.timestamp() * 1000 + 9 * 86_400_000)

    async with FakeEnv(SLEEPER=Sleeper) as env, introspect_workflow_instance(env.SLEEPER, "s1") as introspector:
        await introspector.modify(lambda modifier: modifier.disable_sleeps())
        instance = await env.SLEEPER.create(id="s1")
        await instance.result()
        assert await env._world.engine.rehearse("sleeper", "s1") is None
