"""Code that did not change is never diagnosed, however its steps are timed and wherever it is killed."""

import asyncio
from contextlib import suppress

import programs
import pytest
from changing import Code, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import OUTPUTS
from world import TestEngine, workflow

from cfworkflows import WorkflowError
from cfworkflows_emulator.runtime import started_futures_as_tasks


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
    for each in server.engine.residents.actors.values():
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
    with started_futures_as_tasks(asyncio.get_running_loop()):
        await _disturb(what, actions, evict_after_ms, path)


async def _disturb(what, actions, evict_after_ms, path):
    server = await TestEngine(workflow(run(Program(*what))), path=path, evict_after_ms=evict_after_ms).start()
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
