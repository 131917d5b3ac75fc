"""The line of a step: where the user's code called it, in whatever way. Each line says in a comment which it is of."""

import asyncio
import importlib.util
import re
import sys
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from cfworkflows import WorkflowTimeoutError
from cfworkflows_emulator.engine.journal.entries import STARTS

HERE = Path(__file__)
STEPS = "def steps(step, names):\n    return [step.do(name, lambda: 1) for name in names]\n"


async def called_at(server, instance=None):
    """Where each step, sleep and wait of the only instance was called: `name-count` to `file:line`."""
    instance = await server.create() if instance is None else instance
    assert "complete" == (await server.finish(instance)).status
    _, entries = await server.engine.history(instance._workflow, instance.id)
    return {entry.step: entry.data.get("at") for entry in entries if entry.type in STARTS}


def said(run):
    """What the comments of `run` say: `# a-1, b-1` is at the line of these two."""
    first = run.__code__.co_firstlineno
    lines = HERE.read_text().splitlines()[first - 1 :]
    end = next((n for n, line in enumerate(lines[1:], 1) if line and not line.startswith("    ")), len(lines))
    return {
        name: f"{HERE}:{number}"
        for number, line in enumerate(lines[:end], first)
        if (found := re.search(r"  # ((?:[\w ]+-\d(?:, )?)+)$", line))
        for name in found[1].split(", ")
    }


async def each_verb(event, step):
    await step.do("do", lambda: 1)  # do-1
    await step.sleep("sleep", 1000)  # sleep-1
    await step.sleep_until("until", event.timestamp.timestamp() * 1000 + 9000)  # until-1
    try:
        await step.wait_for_event("wait", type="go", timeout=1000)  # wait-1
    except WorkflowTimeoutError:
        await step.do("late", lambda: 1)  # late-1


async def decorated(step):
    @step.do("first")
    async def first():
        return 1

    @step.do("second")
    async def second(first):
        return first + 1

    await step.sleep("nap", "1 second")  # nap-1
    await first()  # first-1
    return await second()  # second-1


async def dependencies(step):
    @step.do("a")
    async def a():
        return 1

    @step.do("b")
    async def b(a):
        return a

    @step.do("c", depends=[b])
    def c(x):
        return x

    await asyncio.sleep(0)
    return await c()  # a-1, b-1, c-1


async def concurrently(step):
    @step.do("a")
    async def a():
        await step.do("in a", lambda: 1)  # in a-1

    @step.do("b")
    async def b():
        await asyncio.sleep(0)

    @step.do("c", concurrent=True)
    async def c(a, b):
        pass

    @step.do("d")
    async def d(c):
        pass

    await asyncio.gather(
        c(),  # a-1, b-1, c-1
        d(),  # d-1
    )


async def side_by_side(step):
    async def child(name):
        await asyncio.sleep(0)
        await step.do(name, lambda: 1)  # task-1, group-1, gathered-1

    task = asyncio.create_task(child("task"))
    async with asyncio.TaskGroup() as group:
        group.create_task(child("group"))
    await asyncio.gather(child("gathered"), step.do("direct", lambda: 1))  # direct-1
    await asyncio.gather(*[step.do(name, lambda: 1) for name in ("x", "y")])  # x-1, y-1
    await asyncio.wait_for(step.do("z", lambda: 1), 5)  # z-1
    await task


async def within_callbacks(step):
    async def outer():
        await step.do("inner", lambda: 1)  # inner-1
        await step.sleep("nap", 1)  # nap-1

    await step.do("outer", outer)  # outer-1
    await step.do("by lambda", lambda: step.do("in lambda", lambda: 1))  # by lambda-1, in lambda-1


async def through_the_standard_library(step):
    def generated():
        yield step.do("generated", lambda: 1)  # generated-1

    await asyncio.gather(*generated())
    await asyncio.gather(*map(partial(step.do, "mapped"), [lambda: 1]))  # mapped-1
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: done.set_result(step.do("soon", lambda: 1)))  # soon-1
    await (await done)
    async with AsyncExitStack() as stack:  # on leaving-1
        stack.push_async_callback(step.do, "on leaving", lambda: 1)


RUNS = [
    each_verb, decorated, dependencies, concurrently, side_by_side, within_callbacks, through_the_standard_library,
]  # fmt: skip


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
async def test_a_step_is_at_the_line_that_called_it(serve, run):
    """A frame of the standard library is passed over, as ours are; a dependency is at the call that needed it."""
    assert said(run) == await called_at(await serve(run))


async def test_what_the_loop_calls_by_itself_has_no_line(serve):
    """Whoever started the event loop is not the caller."""

    async def run(step):
        asyncio.get_running_loop().call_soon(step.do, "s", lambda: 1)
        asyncio.get_running_loop().call_soon(step.sleep, "nap", 1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await step.do("last", lambda: 1)

    found = await called_at(await serve(run))
    assert (None, None) == (found["s-1"], found["nap-1"])


async def test_generated_code_is_the_users(serve):
    """It has the name that it was compiled under."""
    scope = {}
    exec("async def run(step):\n    await step.do('s', lambda: 1)\n", scope)
    assert {"s-1": "<string>:2"} == await called_at(await serve(scope["run"]))


@pytest.mark.parametrize("folder", ["src", "lib/python3/site-packages"])
async def test_a_library_that_the_user_has_installed_is_the_users(serve, tmp_path, monkeypatch, folder):
    """A helper is at its own line, in the project or not."""
    file = tmp_path / folder / "helping_steps.py"
    file.parent.mkdir(parents=True)
    file.write_text(STEPS)
    spec = importlib.util.spec_from_file_location("helping_steps", file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "helping_steps", module)
    spec.loader.exec_module(module)

    async def run(step):
        await asyncio.gather(*module.steps(step, ["a", "b"]))

    assert {"a-1": f"{file}:2", "b-1": f"{file}:2"} == await called_at(await serve(run))


async def test_a_step_that_is_held_back_is_at_its_call(serve):
    """It starts when the instance is resumed, which is long after the call."""
    began, may_go = asyncio.Event(), asyncio.Event()

    async def run(step):
        async def first():
            began.set()
            await may_go.wait()

        await step.do("first", first)
        await step.do("second", lambda: 1)

    server = await serve(run)
    instance = await server[server.classes[0]].create()
    await began.wait()
    await instance.pause()
    may_go.set()
    await server.clock.settle()
    assert "step_started second-1" not in await server.journal(instance)
    await instance.resume()
    line = run.__code__.co_firstlineno + 6
    assert f"{HERE}:{line}" == (await called_at(server, instance))["second-1"]


async def test_a_new_step_without_a_line_is_told_of(serve, caplog):
    """The code has changed, and the event loop itself calls the new step."""

    async def run(step):
        await step.do("old", lambda: 1)
        await step.sleep("nap", "1 hour")

    server = await serve(run, file=True)
    instance = await server.create(id="i")

    async def changed(step):
        asyncio.get_running_loop().call_soon(step.do, "new", lambda: 1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await step.sleep("nap", "1 hour")

    server.classes[0].run = lambda self, event, step: changed(step)
    await server.restart()
    instance = await server.get("i")
    await server.finish(instance)
    assert None is (await server.state(instance)).steps["new-1"].at
    assert 'was not called again; step "new-1" is new' in caplog.text
