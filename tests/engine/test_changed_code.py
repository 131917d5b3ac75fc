"""A Worker's code was changed while an instance was under way: the platform's rules stay, and a diagnosis says so."""

import asyncio
import logging
import re
from contextlib import suppress

import programs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import OUTPUTS
from world import Server, workflow

from cfworkflows import WorkflowError
from cfworkflows_emulator.api.details import describe_instance

HOUR_MS = 3_600_000


class Code:
    """`run()` made of names: `a` is a step, `~a` a sleep of an hour, `?a` a wait for the event `a`.

    A tuple is done side by side, each of its lists in a task of its own. `!` raises. `ran` are the callbacks called.
    """

    def __init__(self, *what):
        self.what = what
        self.ran = []

    async def __call__(self, step):
        return await self.block(step, self.what)

    async def block(self, step, what):
        got = []
        for each in what:
            if isinstance(each, tuple):
                got.append(await asyncio.gather(*(self.block(step, branch) for branch in each)))
            elif each == "!":
                raise ValueError("no further")
            elif each.startswith("~"):
                await step.sleep(each[1:], "1 hour")
            elif each.startswith("?"):
                got.append((await step.wait_for_event(each[1:], type=each[1:], timeout="2 hours")).payload)
            else:
                got.append(await step.do(each, lambda each=each: self.ran.append(each) or each))
        return got


@pytest.fixture
def change(serve, caplog):
    """`texts, instance, server = await change(before, after)`: run `before` until it waits, then `after` to its end.

    The texts are the diagnoses without their lines. They are checked to be what was logged, once, and to stay the same
    however often the instance is replayed.
    """

    async def change(before, after, evict_after_ms=None):
        caplog.clear()
        server = await serve(run(before), file=True, evict_after_ms=evict_after_ms)
        instance = await server.create(id="i")
        server.classes[:] = [workflow(run(after))]
        for _ in range(2):
            await server.settled(instance)
            await server.restart()
            instance = await server.get("i")
            with suppress(WorkflowError):  # it has ended
                await instance.send_event(type="whatever")  # takes it up
            await server.clock.advance(0)
        await server.finish(instance)
        found = await server.engine.diagnosis("run", "i")
        warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
        logged = [message for message in warnings if "the code changed" in message]
        assert [f"run/i: {each}" for each in found] == logged
        return [plain(each) for each in found], instance, server

    return change


def run(code):
    async def run(step):
        return await code(step)

    return run


def plain(diagnosis):
    """What it says behind the colon, without lines."""
    text = str(diagnosis).removeprefix("the code changed, or does not do the same each time: ")
    return re.sub(r" \(ran at \S+\)| at \S+\.py:\d+", "", text)


async def test_the_lines_of_both_calls_are_named(serve, caplog, monkeypatch):
    """Where the step ran, where the new one is, relative to the working folder; before the new callback is called."""
    seen = []

    async def run(step):
        await step.do("charge", lambda: 1)
        await step.sleep("nap", "1 hour")

    server = await serve(run, file=True)
    await server.settled(await server.create(id="i"))
    before = run

    async def run(step):
        await step.do("charge card", lambda: seen.append(caplog.messages[-1]))
        await step.sleep("nap", "1 hour")

    server.classes[:] = [workflow(run)]
    monkeypatch.chdir(__file__.rpartition("/")[0])
    await server.restart()
    instance = await server.get("i")
    await instance.send_event(type="whatever")  # takes it up
    await server.settled(instance)
    old, new = (f"test_changed_code.py:{code.__code__.co_firstlineno + 1}" for code in (before, run))
    told = "run/i: the code changed, or does not do the same each time: "
    first = f'step "charge-1" (ran at {old}) was not called before step "charge card-1" at {new}, which is new'
    assert [told + first] == seen
    assert f'{told}step "charge-1" (ran at {old}) was not called again' == caplog.messages[-1]


CHANGES = {
    "renamed": (["a", "b", "~nap"], ["a", "c", "~nap"], [
        'step "b-1" was not called before step "c-1", which is new',
        'step "b-1" was not called again',
    ]),
    "removed": (["a", "b", "~nap"], ["a", "~nap"], ['step "b-1" was not called again']),
    "removed, with what the instance waits for": (["a", "~nap"], ["a"], ['sleep "nap-1" was not called again']),
    "all removed": (["a", "~nap"], [], ['step "a-1" and sleep "nap-1" were not called again']),
    "reordered": (["a", "b", "~nap"], ["b", "a", "~nap"], [
        'step "a-1" is called after step "b-1", and was called before it',
    ]),
    "inserted": (["a", "~nap", "b"], ["a", "x", "~nap", "b"], [
        'sleep "nap-1" was not called before step "x-1", which is new',
    ]),
    "several inserted": (["a", "~nap"], ["x", "a", "y", "~nap"], [
        'step "a-1" was not called before step "x-1", which is new',
        'sleep "nap-1" was not called before step "y-1", which is new',
    ]),
    "a sleep inserted": (["a", "b", "~nap"], ["a", "~pause", "b", "~nap"], [
        'step "b-1" was not called before sleep "pause-1", which is new',
    ]),
    "moved behind a new sleep": (["a", "b", "c", "~nap"], ["a", "c", "~pause", "b", "~nap"], [
        'step "b-1" was not called before sleep "pause-1", which is new',
        'step "b-1" is called after step "c-1", and was called before it',
    ]),
    "a step made a sleep": (["a", "~nap"], ["~a", "~nap"], [
        'step "a-1" was not called before sleep "a-1", which is new',
        'step "a-1" was not called again',
    ]),
    "a sleep made a wait": (["a", "~nap"], ["a", "?nap"], [
        'sleep "nap-1" was not called before wait "nap-1", which is new',
        'sleep "nap-1" was not called again',
    ]),
    "called less often": (["a", "a", "a", "~nap"], ["a", "a", "~nap"], ['step "a-3" was not called again']),
    "called more often": (["a", "a", "~nap"], ["a", "a", "a", "~nap"], [
        'sleep "nap-1" was not called before step "a-3", which is new',
    ]),
    "removed side by side": ([(["a", "~x"], ["b", "~y"])], [(["a", "~x"], ["~y"])], [
        'step "b-1" was not called again',
    ]),
    "it fails before": (["a", "b", "~nap"], ["a", "!"], ['step "b-1" and sleep "nap-1" were not called again']),
    "many removed": ([*"abcdefg", "~nap"], ["~nap"], [
        'step "a-1", step "b-1", step "c-1", step "d-1", step "e-1" and 2 more were not called again',
    ]),
}  # fmt: skip


@pytest.mark.parametrize("evict_after_ms", [None, 0])
@pytest.mark.parametrize("name", CHANGES)
async def test_each_kind_of_change_is_told_once(change, name, evict_after_ms):
    """However often the instance is replayed: what was not called again, what is new, what is in another order."""
    before, after, expected = CHANGES[name]
    assert expected == (await change(Code(*before), Code(*after), evict_after_ms))[0]


async def test_a_change_among_steps_side_by_side_is_told_when_the_run_goes_no_further(change):
    """When it leaves memory: there is a new step and one that was not called; when it ends: that one never was."""
    before, after = [(["a"], ["b", "~nap"])], [(["a"], ["c", "~nap"])]
    first = 'step "b-1" was not called before step "c-1", which is new'
    last = 'step "b-1" was not called again'
    assert [first, last] == (await change(Code(*before), Code(*after), 0))[0]
    assert [last] == (await change(Code(*before), Code(*after)))[0]
    after = [(["a"], ["~pause", "b", "~nap"])]
    first = 'step "b-1" was not called before sleep "pause-1", which is new'
    assert [first] == (await change(Code(*before), Code(*after), 0))[0]


UNCHANGED = {
    "behind what was reached": (["a", "~nap", "b"], ["a", "~nap", "c", "~more", "d"]),
    "in front of what was reached, side by side": ([(["a", "~x"], ["b", "~y"])], [(["b", "~y"], ["a", "~x"])]),
    "one after the other made side by side": (["a", "b", "~nap"], [(["a"], ["b"]), "~nap"]),
    "failing at once": (["a", "~nap"], ["!"]),
}


@pytest.mark.parametrize("name", UNCHANGED)
async def test_a_change_that_does_no_harm_is_not_told(change, name):
    """Nothing that is in the journal was passed by."""
    before, after = UNCHANGED[name]
    assert [] == (await change(Code(*before), Code(*after)))[0]


async def test_the_rules_of_the_platform_stay(change):
    """A stored step gives its result under its name, wherever it is called; one that the journal lacks runs."""
    before, after = Code("a", "b", "~nap"), Code("c", "b", "~nap", "a")
    texts, instance, _ = await change(before, after)
    assert (["a", "b"], ["c"]) == (before.ran, after.ran)
    assert ["c", "b", "a"] == (await instance.status()).output
    assert 'step "a-1" was not called before step "c-1", which is new' == texts[0]


async def test_a_changed_duration_leaves_the_end_of_a_sleep(change):
    """And is not told: a duration may be worked out from the time there is left."""

    def napping(hours):
        async def code(step):
            await step.sleep("nap", hours * HOUR_MS)

        return code

    texts, _, server = await change(napping(2), napping(5))
    state = await server.engine.state("run", "i")
    assert ([], state.queued.time + 2 * HOUR_MS) == (texts, state.sleeps["nap-1"].until)
    assert state.sleeps["nap-1"].until == server.clock.now()


async def test_a_time_that_has_passed_ends_no_instance(change):
    """A stored sleep_until is not checked again, though its time is in the past at a replay; a new one is."""
    times = []

    async def before(step):
        times.append(step._driver.clock.now() + HOUR_MS)
        await step.sleep_until("until", times[0])
        await step.sleep("nap", "1 hour")

    async def after(step):
        await step.sleep_until("until", times[0])
        await step.sleep("nap", "1 hour")
        with suppress(Exception):
            await step.sleep_until("until", times[0])

    texts, instance, _ = await change(before, after)
    assert ([], "complete") == (texts, (await instance.status()).status)


async def test_a_condition_on_who_came_first_is_told(serve):
    """A race outside of a step: on the replay the event is there as well, and another branch is taken."""

    async def run(step):
        nap, go = step.sleep("nap", "1 hour"), step.wait_for_event("go", type="go")
        await asyncio.wait([nap, go], return_when=asyncio.FIRST_COMPLETED)
        await step.do("came" if go.done() else "did not come", lambda: 1)
        await step.sleep("rest", "1 day")

    server = await serve(run, evict_after_ms=0)
    instance = await server.create(id="i")
    await server.clock.advance("1 hour")
    await instance.send_event(type="go")
    await server.clock.advance("1 hour")
    await server.finish(instance)
    assert ['step "did not come-1" was not called before step "came-1", which is new',
            'step "did not come-1" was not called again'] == (
        [plain(each) for each in await server.engine.diagnosis("run", "i")]
    )  # fmt: skip


async def test_the_explorer_shows_it_and_a_subscription_does_not(change):
    """A field of ours in the details of an instance, and no event that the platform does not have."""
    _, instance, server = await change(Code("a", "~nap"), Code("~nap"))
    _, entries = await server.engine.history("run", "i")
    (text,) = describe_instance(entries)["diagnosis"]
    assert text.endswith("was not called again")
    assert "replay_diverged" in {entry.type for entry in entries}
    events = [event.type async for event in await instance.subscribe()]
    assert "replay_diverged" not in events
    _, _, server = await change(Code("a"), Code("a"))
    assert describe_instance((await server.engine.history("run", "i"))[1])["diagnosis"] is None


async def test_a_restart_from_a_step_keeps_it_and_a_full_one_does_not(change):
    """After a restart from a step the steps before it are still those that the older code left."""
    texts, instance, server = await change(Code("a", "b", "~nap", "c"), Code("a", "~nap", "c"))
    await instance.restart(from_={"name": "c"})
    await server.finish(instance)
    assert texts == [plain(each) for each in await server.engine.diagnosis("run", "i")]
    await instance.restart()
    await server.finish(instance)
    assert [] == await server.engine.diagnosis("run", "i")


async def test_there_is_no_diagnosis_of_an_instance_that_is_not_there(serve):
    """It is refused like any other question about it."""
    server = await serve(run(Code()))
    with pytest.raises(WorkflowError, match="Instance does not exist"):
        await server.engine.diagnosis("run", "nobody")


async def test_a_task_that_nobody_awaits_is_no_difference(serve):
    """On a replay `run()` may return before the task comes to its step: it gets the time to."""

    async def run(step):
        async def aside():
            for n in range(4):
                await asyncio.sleep(0)
                await step.do(f"aside {n}", lambda: 1)

        task = asyncio.create_task(aside())
        await step.sleep("nap", "1 hour")
        await step.do("last", lambda: 1)
        return task.done()

    server = await serve(run, file=True, evict_after_ms=0)
    instance = await server.create(id="i")
    await server.clock.advance("30 minutes")
    await instance.send_event(type="whatever")
    await server.finish(instance)
    assert [] == await server.engine.diagnosis("run", "i")


async def test_the_order_of_steps_side_by_side_is_a_matter_of_timing(serve):
    """Also if `run()` itself calls what comes after each of them, in the order in which they ended."""
    order = [2, 0, 1]

    async def run(step):
        naps = [step.sleep(f"nap {n}", "1 hour") for n in range(3)]
        await asyncio.gather(*naps)
        for n in order:
            await step.do(f"then {n}", lambda: 1)
            await step.sleep(f"rest {n}", "1 minute")

    server = await serve(run, evict_after_ms=0)
    instance = await server.create(id="i")
    await server.clock.advance("61 minutes")
    await server.clock.advance("70 seconds")
    order.sort()
    await server.finish(instance)
    assert [] == [each.late for each in await server.engine.diagnosis("run", "i") if each.late is not None]


async def test_steps_of_one_task_may_come_before_those_of_another(serve):
    """Each of two tasks waits for something of its own before: on the replay the other is first."""
    first, second = asyncio.Event(), asyncio.Event()
    first.set()

    async def run(step):
        async def branch(name, ready):
            await ready.wait()
            await step.do(name, lambda: 1)
            second.set()

        await asyncio.gather(branch("a", first), branch("b", second))
        await step.sleep("nap", "1 hour")

    server = await serve(run, file=True)
    instance = await server.create(id="i")
    await server.settled(instance)
    first.clear()
    await server.restart()
    instance = await server.get("i")
    await instance.send_event(type="whatever")
    for _ in range(50):
        await asyncio.sleep(0)
    first.set()
    await server.finish(instance)
    assert [] == await server.engine.diagnosis("run", "i")


async def test_what_was_held_back_is_no_difference(serve):
    """While a server stops, a step that is called does not begin, but a sleep behind it does: it alone has an entry."""
    stopping = asyncio.Event()

    async def run(step):
        await stopping.wait()
        held = step.do("held", lambda: 1)
        await step.sleep("nap", "1 hour")
        await held

    server = await serve(run, file=True)
    instance = await server["run"].create(id="i")
    for each in server.engine.residents.instances.values():
        each.hold_back()
    stopping.set()
    for _ in range(50):
        await asyncio.sleep(0)
    state = await server.state(instance)
    assert ([], ["nap-1"]) == (list(state.steps), list(state.sleeps))
    await server.restart()
    await server.finish(await server.get("i"))
    assert [] == await server.engine.diagnosis("run", "i")


async def test_what_callbacks_call_is_not_compared(serve):
    """Each attempt may call other steps than the one before."""

    async def run(step):
        async def outer(ctx):
            await step.do(f"inner {ctx.attempt}", lambda: 1)
            await step.sleep(f"nap {ctx.attempt}", "1 minute")
            if ctx.attempt < 3:
                raise ValueError("again")

        await step.do("outer", outer)

    server = await serve(run, evict_after_ms=0)
    instance = await server.create(id="i")
    await server.finish(instance)
    assert [] == await server.engine.diagnosis("run", "i")


async def test_a_replay_for_the_rollback_is_not_compared(serve):
    """It goes only as far as it must, to find the handlers."""

    async def run(step):
        await step.do("a", lambda: 1, rollback=lambda: 1, rollback_config={"retries": {"limit": 1, "delay": "1 hour"}})
        await step.sleep("nap", "1 hour")
        await step.do("b", lambda: 1)
        raise ValueError("no further")

    server = await serve(run, file=True, evict_after_ms=0)
    instance = await server.create(id="i")
    server.classes[:] = [workflow(run)]
    await server.clock.advance("30 minutes")
    await instance.terminate(rollback=True)
    await server.restart()
    instance = await server.get("i")
    await server.finish(instance)
    assert [] == await server.engine.diagnosis("run", "i")


ACTIONS = st.lists(
    st.sampled_from(["kill", "pause", "resume", "time", "event", "other event", "restart", "from", "terminate"]),
    max_size=10,
)


@st.composite
def code(draw):
    """A program of all verbs: its steps have names of their own, but one that is called again and again in a row."""
    numbers = iter(range(1000))
    verb = st.builds(lambda kind: kind.format(next(numbers)), st.sampled_from(["{}", "{}", "~{}", "?{}", "%{}", "&{}"]))
    row = st.one_of(st.lists(verb, min_size=1, max_size=3), st.just(["same", "~same", "same"]))
    side_by_side = st.lists(st.lists(verb, min_size=1, max_size=3), min_size=1, max_size=3).map(tuple)
    return [
        each
        for block in draw(st.lists(st.one_of(row, row, side_by_side.map(lambda branches: [branches])), max_size=4))
        for each in block
    ]


class Program(Code):
    """As Code. `%` is a step that is retried; `&` one that nobody awaits; a step's result decides on the next."""

    async def block(self, step, what):
        for each in what:
            if isinstance(each, tuple):
                await asyncio.gather(*(self.block(step, branch) for branch in each))
            elif each.startswith("%"):
                await step.do(each[1:], {"retries": {"limit": 3, "delay": "1 hour"}}, self.flaky)
            elif each.startswith("&"):
                step.do(each[1:], lambda: 1)
            elif each.startswith("?"):
                with suppress(TimeoutError):
                    await step.wait_for_event(each[1:], type="go", timeout="2 hours")
            else:
                await super().block(step, [each])
                if each.isdigit():
                    await step.do(f"{each} odd" if int(each) % 2 else f"{each} even", lambda: 1)

    async def flaky(self, ctx):
        if ctx.attempt < 3:
            raise ValueError("not yet")


async def _act(what, actions, evict_after_ms, path):
    server = await Server(workflow(run(Program(*what))), path=path, evict_after_ms=evict_after_ms).start()
    try:
        instance = await server.create(id="i")
        for action in actions:
            with suppress(WorkflowError):
                if action == "time":
                    await server.clock.advance("40 minutes")
                elif action == "kill":
                    await server.restart()
                    instance = await server.get("i")
                elif action.endswith("event"):
                    await instance.send_event(type="go" if action == "event" else "nothing")
                elif action == "from":
                    state = await server.state(instance)
                    names = [(n, kind) for kind in ("do", "sleep", "wait") for n in state.verbs(kind)]
                    if names:
                        name, kind = names[len(names) // 2]
                        name, _, count = name.rpartition("-")
                        kind = kind if kind != "wait" else "waitForEvent"
                        await instance.restart(from_={"name": name, "count": int(count), "type": kind})
                else:
                    await getattr(instance, action)()
            if len(actions) % 2:
                await server.clock.settle()
        await instance.resume()
        await server.finish(instance)
        assert [] == [str(each) for each in await server.engine.diagnosis("run", "i")]
    finally:
        await server.stop()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(code(), ACTIONS, st.sampled_from([None, 0, 5_000]))
def test_code_that_did_not_change_is_never_diagnosed(tmp_path_factory, what, actions, evict_after_ms):
    """Any program, killed, evicted, paused and restarted anywhere."""
    path = tmp_path_factory.mktemp("state") / "state.sqlite"
    asyncio.run(asyncio.wait_for(_act(what, actions, evict_after_ms, path), 30))


@pytest.mark.parametrize("program", OUTPUTS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_no_program_is_diagnosed_wherever_it_is_killed(serve, program, evict_after_ms):
    """After each turn of the event loop there is."""
    for turns in range(0, 120, 5):
        server = await serve(program, file=True, evict_after_ms=evict_after_ms)
        instance = await server[program.__name__].create(id="i")
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.restart()
        await programs.finish(server, await server.get(instance.id))
        assert [] == await server.engine.diagnosis(program.__name__, "i")
        await server.stop()
