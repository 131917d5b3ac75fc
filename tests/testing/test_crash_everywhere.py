"""`crash_everywhere`: what it lets pass, what it finds, and how it tells."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
from kit import ENVIRONMENT, PLUGIN

from cfworkflows import NonRetryableError, WorkflowEntrypoint
from cfworkflows.testing import DeterminismError, FakeEnv, StalledError, crash_everywhere

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]


class Bank:
    """Counts what is asked of it."""

    def __init__(self):
        self.asked = Counter()

    async def charge(self):
        self.asked["charge"] += 1
        return "paid"

    def refund(self):
        self.asked["refund"] += 1


class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        bank = self.env.BANK
        payment = await step.do("charge", bank.charge, rollback=lambda: bank.refund())
        await step.sleep("think", "7 days")
        approval = await step.wait_for_event("wait for approval", type="approval")
        if not approval.payload.approved:
            raise NonRetryableError("refused")
        return payment


def steps(report):
    return [(effect.step, effect.undoes) for effect in report.repeated]


async def test_sequential_workflow_dies_at_every_commit_and_around_every_callback():
    """Each point is there once, in the order of the run; the callback that ran twice is named with its line."""
    report = await crash_everywhere(Order, events={"approval": {"approved": True}}, env={"BANK": Bank()})
    assert [
        "after workflow_queued was stored",
        'after attempt_started "charge-1" was stored',
        'before the callback of "charge-1" started',
        'after the callback of "charge-1" had ended, and before its result was stored',
        'after sleep_started "think-1" was stored',
        'after wait_started "wait for approval-1" was stored',
        "after workflow_completed was stored",
    ] == [str(point).replace(", attempt 1", "") for point in report.points]
    assert [] == report.missed
    assert [("charge", False)] == steps(report)
    (effect,) = report.repeated
    assert (2, "order") == (effect.times, effect.workflow)
    line = Order.run.__code__.co_firstlineno + 2
    assert (
        '"charge" ran 2\N{MULTIPLICATION SIGN} when the process died after its callback and before its result was '
        f"stored; tests/testing/test_crash_everywhere.py:{line}"
    ) == str(effect)


async def test_idempotent_steps_are_not_reported():
    """Those that the test names; a name that did not run is refused."""
    bank = {"BANK": Bank()}
    events = {"approval": {"approved": True}}
    report = await crash_everywhere(Order, events=events, env=bank, idempotent=["charge"])
    assert [] == report.repeated
    with pytest.raises(ValueError, match='No step called "chrage" ran, so it cannot be idempotent: charge did'):
        await crash_everywhere(Order, events=events, env=bank, idempotent=["chrage"])
    with pytest.raises(TypeError, match="a list of step names"):
        await crash_everywhere(Order, events=events, env=bank, idempotent="charge")


async def test_rollback_handlers_run_again_too():
    """The end is the error, each time, and the handler is an effect of its own."""
    report = await crash_everywhere(Order, events={"approval": {"approved": False}}, env={"BANK": Bank()})
    assert "errored with NonRetryableError: refused" == str(report.outcome)
    assert [("charge", False), ("charge", True)] == steps(report)


async def test_retries_parallel_steps_and_threads():
    """Whatever the order in which they end; every run has the same points."""
    reports = []

    class Busy(WorkflowEntrypoint):
        async def run(self, event, step):
            async def flaky(ctx):
                if ctx.attempt < 3:
                    raise ConnectionError("down")
                return ctx.step.name

            def block():
                return "thread"

            many = [step.do(f"part {n}", flaky, retries={"limit": 5, "delay": "1 minute"}) for n in range(3)]
            return await asyncio.gather(*many, step.do("block", block), step.sleep("nap", "1 hour"))

    for _ in range(2):
        reports.append(await crash_everywhere(Busy))
        assert {("part 0", False), ("part 1", False), ("part 2", False), ("block", False)} == set(steps(reports[-1]))
        assert [] == reports[-1].missed
        assert "complete with ['part 0', 'part 1', 'part 2', 'thread', None]" == str(reports[-1].outcome)
    callbacks = [{point for point in report.points if point.kind != "stored"} for report in reports]
    assert callbacks[0] == callbacks[1]
    assert 2 * (3 * 3 + 1) == len(callbacks[0])


async def test_child_workflows_die_with_their_parent():
    """A child that is created again must be asked for: its id makes the step idempotent."""

    class Child(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.do("work", lambda: 1)
            await (await self.env.PARENT.get(event.payload.parent)).send_event(type="done", payload=7)

    class Parent(WorkflowEntrypoint):
        async def run(self, event, step):
            async def create():
                await self.env.CHILD.create_batch([{"id": "child", "params": {"parent": event.instance_id}}])

            await step.do("create", create)
            done = await step.wait_for_event("wait", type="done")
            await step.sleep("until the child is forgotten", "30 days")
            return done.payload

    report = await crash_everywhere(Parent, env={"CHILD": Child, "PARENT": Parent}, idempotent=["create"])
    assert [("work", "child")] == [(effect.step, effect.workflow) for effect in report.repeated]
    assert any(point.instance == 2 for point in report.points)


async def test_driver_sends_the_events():
    """It is called for each set of waits, and again in the process that comes after a death."""
    called = []

    async def drive(instance):
        called.append((await instance.status()).status)
        await instance.send_event(type="approval", payload={"approved": True})

    report = await crash_everywhere(Order, events=drive, env={"BANK": Bank()})
    assert "complete with 'paid'" == str(report.outcome)
    assert {"waiting"} == set(called)
    assert len(report.points) < len(called)


async def test_reset_puts_the_outside_world_back():
    """Before each run: here the counter that the output is made of."""
    counted = []

    class Counting(WorkflowEntrypoint):
        async def run(self, event, step):
            return await step.do("count", lambda: counted.append(1) or min(len(counted), 1))

    resets = []

    async def reset():
        resets.append(1)
        counted.clear()

    report = await crash_everywhere(Counting, reset=reset)
    assert 1 + len(report.points) == len(resets)


async def test_binding_brings_its_environment():
    """That of a FakeEnv or of the fixture: its workflows, values and settings; its own instances are left alone."""
    bank = Bank()
    async with FakeEnv(ORDERS=Order, BANK=bank) as env:
        report = await crash_everywhere(env.ORDERS, events={"approval": {"approved": True}})
        assert "orders" == report.workflow
        assert [("charge", False)] == steps(report)
        with pytest.raises(Exception, match=r"instance\.not_found"):
            await env.ORDERS.get("crash")
        with pytest.raises(TypeError, match="brings its env along"):
            await crash_everywhere(env.ORDERS, env={"BANK": bank})
    with pytest.raises(TypeError, match="is no Workflow"):
        await crash_everywhere(Bank)


class Summing(WorkflowEntrypoint):
    """Keeps in memory what belongs into results: a replay does not call the callbacks."""

    async def run(self, event, step):
        total = []
        await step.do("one", lambda: total.append(1))
        await step.do("two", lambda: total.append(2))
        return sum(total)


async def test_another_outcome_is_an_assertion_with_both_stories():
    """It says where the process died, what came out, and what was expected."""
    with pytest.raises(AssertionError) as raised:
        await crash_everywhere(Summing, check_determinism=False)
    assert (
        'When the process died after attempt_started "two-1" was stored, it was complete with 2.\n'
        "Undisturbed it was complete with 3.\n\nWith the death:\n2026-01-01 00:00  created by"
    ) in str(raised.value)
    with_death, undisturbed = str(raised.value).split("\nUndisturbed:\n")
    assert '"two-1" failed: WorkflowInternalError' in with_death
    assert "complete: 3" in undisturbed


async def test_replays_are_checked_first():
    """The same mistake is seen by a replay already."""
    with pytest.raises(DeterminismError, match=r"summing/crash: .*run\(\) returned 3, and returns 0 now"):
        await crash_everywhere(Summing)


async def test_assertion_in_the_workflow_is_raised_as_it_is():
    """With a note that says when it came."""
    calls = []

    class Asserting(WorkflowEntrypoint):
        async def run(self, event, step):
            def once():
                calls.append(1)
                assert 1 == len(calls), "twice"

            await step.do("once", once)

    with pytest.raises(AssertionError, match="twice") as raised:
        await crash_everywhere(Asserting, reset=calls.clear)
    assert 'It came when the process had died after the callback of "once-1"' in raised.value.__notes__[-1]


async def test_what_never_comes():
    """An event of no wait is refused; without an end there is nothing to compare with."""
    events = {"aproval": 1, "approval": {"approved": True}}
    with pytest.raises(ValueError, match=r'waited for the event "aproval"\. What was waited for: approval'):
        await crash_everywhere(Order, events=events, env={"BANK": Bank()})

    class Paused(WorkflowEntrypoint):
        async def run(self, event, step):
            await (await self.env.PAUSED.get(event.instance_id)).pause()
            await step.do("never", lambda: 1)

    with pytest.raises(StalledError, match="paused/crash never ends"):
        await crash_everywhere(Paused)


async def test_points_are_bounded():
    """Of more than `max_points` as many, from all over the run; the report says so."""

    class Long(WorkflowEntrypoint):
        async def run(self, event, step):
            for n in range(10):
                await step.do(f"part {n}", lambda n=n: n)

    report = await crash_everywhere(Long, max_points=5)
    assert 32 == report.total
    assert 5 == len(report.points)
    assert "The process died at 5 of 32 points" in str(report)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(
        test_it="""
from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import crash_everywhere

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("charge payment", lambda: 1)

async def test_passes():
    await crash_everywhere(Order)

async def test_fails():
    assert [] == (await crash_everywhere(Order)).repeated
"""
    )

    def run(*options: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(
            *PLUGIN, "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-W", "error", *options
        )

    return run


def test_report_is_a_section_of_the_test(run: Run) -> None:
    """Of one that failed, and with -rA of one that passed too."""
    for options, count in (((), 1), (("-rA",), 2)):
        result = run(*options)
        result.assert_outcomes(passed=1, failed=1)
        assert count == sum("cfworkflows: crash_everywhere order" in line for line in result.outlines)
        told = '- "charge payment" ran 2* when the process died after its callback and *; test_it.py:6'
        result.stdout.fnmatch_lines([told])
