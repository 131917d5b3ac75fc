"""Code that would do something if it were cancelled, when its instance leaves memory, is ended, or begins anew: it does
nothing, holds up nobody, and others complete.
"""

import asyncio
import gc
import threading
from types import SimpleNamespace

import pytest
from world import TestEngine, workflow

from cfworkflows import env, fetch
from cfworkflows.environment import current_env
from cfworkflows.errors import CfworkflowsError
from cfworkflows.permit import permit
from cfworkflows_emulator.engine.run import stranded
from cfworkflows_emulator.engine.run import tasks as tasks_module

effects: list[str] = []
threads_end = threading.Event()


@pytest.fixture(autouse=True)
def _no_effects():
    effects.clear()
    threads_end.clear()
    yield
    threads_end.set()


async def effect(what):
    effects.append(what)
    await asyncio.sleep(0)
    effects.append(f"{what}, later")


async def swallow_in_loop(step):
    while True:
        try:
            await step.sleep("nap", "1 day")
        except BaseException:  # noqa: BLE001 - what is tested
            effects.append("swallowed")


async def bare_except(step):
    try:
        await step.sleep("nap", "1 day")
    except:
        effects.append("bare")
        raise


async def finally_awaits(step):
    try:
        await step.sleep("nap", "1 day")
    finally:
        await effect("finally")


async def finally_behind_others(step):
    try:
        try:
            async with asyncio.timeout(None):
                await step.sleep("nap", "1 day")
        except (ValueError, KeyError):
            effects.append("no")
    finally:
        effects.append("finally")


async def translated(step):
    try:
        await step.sleep("nap", "1 day")
    except asyncio.CancelledError:
        effects.append("translated")
        raise TimeoutError from None


class Manager:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        await effect("exit")
        return True


async def context_manager(step):
    async with Manager():
        await step.sleep("nap", "1 day")


async def task_group(step):
    async with asyncio.TaskGroup() as group:
        group.create_task(finally_awaits(step))
        group.create_task(swallow_elsewhere())
        await step.sleep("own", "1 day")


async def swallow_elsewhere():
    while True:
        try:
            await asyncio.Event().wait()
        except BaseException:  # noqa: BLE001 - what is tested
            effects.append("swallowed elsewhere")


async def background_tasks(step):
    tasks = [
        asyncio.create_task(swallow_elsewhere()),
        asyncio.create_task(asyncio.wait_for(finally_awaits(step), None)),
    ]
    await step.sleep("own", "1 day")
    return tasks


async def timeout(step):
    async with asyncio.timeout(None):
        await finally_awaits(step)


async def shield(step):
    await asyncio.shield(finally_awaits(step))


async def async_generator(step):
    async def naps():
        try:
            while True:
                yield await step.sleep("nap", "1 day")
        finally:
            effects.append("generator")

    async for _ in naps():
        pass


async def generator(step):
    def names():
        try:
            yield from "abc"
        finally:
            effects.append("generator")

    for name in names():
        await step.sleep(name, "1 day")


async def awaitable(step):
    class Awaited:
        def __await__(self):
            try:
                yield from step.sleep("nap", "1 day")
            finally:
                effects.append("awaitable")

    await Awaited()


async def thread(step):
    try:
        await asyncio.gather(asyncio.to_thread(threads_end.wait), step.sleep("nap", "1 day"))
    finally:
        effects.append("thread")


async def other(step):
    await step.sleep("a while", "2 hours")
    return "done"


PROGRAMS = [
    swallow_in_loop, bare_except, finally_awaits, finally_behind_others, translated, context_manager, task_group,
    background_tasks, timeout, shield, async_generator, generator, awaitable, thread,
]  # fmt: skip


async def _evict(server, instance):
    await server.clock.advance("1 minute")
    assert {} == server.engine.residents.actors


async def _delete(server, instance):
    await server.engine.delete_instances(instance._workflow, [instance.id])


async def _stop(server, instance):
    await server.stop()
    await server.database.close()
    await server.start()


ENDS = {
    "evict": _evict,
    "pause": lambda server, instance: instance.pause(),
    "terminate": lambda server, instance: instance.terminate(),
    "delete": _delete,
    "stop": _stop,
    "restart": lambda server, instance: instance.restart(),
}


async def completes(server):
    return (await server.finish(await server["other"].create())).output


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
async def test_code_of_a_run_that_is_over_does_nothing(serve, program, end):
    """Neither at once, nor when it is collected as garbage."""
    server = await serve(program, other, file=True)
    instance = await server[program].create()
    await server.clock.settle()
    await end(server, instance)
    threads_end.set()
    gc.collect()
    for _ in range(10):
        await asyncio.sleep(0)
    assert [] == effects
    if end is not ENDS["restart"]:  # there it runs anew
        await server.clock.advance("30 minutes")
        assert [] == effects
        effects.clear()
        assert "done" == await completes(server)


@pytest.mark.parametrize("end", [name for name in ENDS if name not in ("evict", "pause")])
@pytest.mark.parametrize("program", [swallow_in_loop, finally_awaits, task_group, shield], ids=lambda it: it.__name__)
async def test_code_of_a_callback_that_is_over_does_nothing(serve, program, end):
    """It stays where it waits, and its attempt counts as cut off."""
    began = asyncio.Event()

    async def run(step):
        async def callback():
            began.set()
            await program(Waits())

        await step.do("work", {"timeout": "1 day"}, callback)

    class Waits:
        def sleep(self, name, duration):
            return asyncio.get_running_loop().create_future()

    server = await serve(run, other, file=True)
    instance = await server[run].create()
    await began.wait()
    await ENDS[end](server, instance)
    gc.collect()
    for _ in range(10):
        await asyncio.sleep(0)
    assert [] == effects


async def test_evicted_code_holds_no_lock(serve):
    """The replay gets a lock of asyncio that the code of before had, and so does everybody else."""
    lock = asyncio.Lock()

    async def run(step):
        try:
            async with lock:
                await step.sleep("nap", "1 day")
        finally:
            effects.append("finally")
        return "done"

    server = await serve(run)
    assert "done" == await server.run()
    assert ["finally"] == effects


async def test_code_without_a_cleanup_is_freed(serve):
    """Nothing is kept of it."""

    async def run(step):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(other(step))
        except Exception:  # noqa: BLE001 - what is tested
            effects.append("failed")

    server = await serve(run)
    await server.create()
    before = len(stranded._kept)
    await server.clock.advance("1 minute")
    assert {} == server.engine.residents.actors
    assert before == len(stranded._kept)


async def test_instances_stay_in_memory_when_much_is_kept(serve, monkeypatch):
    """Their code continues there."""
    monkeypatch.setattr(stranded, "MOST_KEPT", 0)
    server = await serve(finally_awaits)
    instance = await server.create()
    await server.clock.advance("30 minutes")
    assert 1 == len(server.engine.residents.actors)
    assert "complete" == (await server.finish(instance)).status
    assert ["finally", "finally, later"] == effects


async def test_workflow_that_ends_itself_goes_no_further(serve):
    """Not even to its cleanup."""

    async def run(event, step):
        try:
            await (await server.get(event.instance_id)).terminate()
            effects.append("went on")
        finally:
            effects.append("cleaned up")

    server = await serve(run)
    instance = await server.create()
    assert "terminated" == (await server.settled(instance)).status
    assert {} == server.engine.residents.actors
    assert [] == effects


async def test_calls_of_code_that_is_over_are_refused(serve):
    """Of code that still runs, in a thread: bindings and fetch raise at once, and nothing is created."""
    refused, began, go, over = [], threading.Event(), threading.Event(), threading.Event()

    async def run(step):
        def call():
            began.set()
            go.wait(10)
            try:
                asyncio.run(server["other"].create())
            except CfworkflowsError as error:
                refused.append(str(error))
            over.set()

        await step.do("call", call)

    server = await serve(run, other)
    instance = await server[run].create()
    await asyncio.to_thread(began.wait, 10)
    await instance.terminate()
    go.set()
    await asyncio.to_thread(over.wait, 10)
    assert [f"create() on other was refused: run/{instance.id} has left memory"] == [
        text.partition(",")[0] for text in refused
    ]
    assert 0 == len(await server.engine.list("other"))


async def test_code_of_a_run_that_has_ended_stays_where_it_waits_for_a_step(serve):
    """It made a task of it, and did not await that."""

    async def run(step):
        task = asyncio.create_task(finally_awaits(step))
        other_task = asyncio.create_task(swallow_in_loop(step))
        await step.do("a", lambda: 1)
        return not (task.done() or other_task.done())

    server = await serve(run)
    assert await server.run()
    assert {} == server.engine.residents.actors
    assert [] == effects


async def test_code_that_is_over_can_neither_fetch_nor_read_env():
    """An error says whose code it is."""
    tasks = tasks_module.Tasks("w/i")
    tasks.end()
    permit.set(tasks)
    current_env.set(SimpleNamespace(NAME="value"))
    with pytest.raises(CfworkflowsError, match=r"fetch\(\) was refused: w/i has left memory"):
        await fetch("http://localhost:1/")
    with pytest.raises(CfworkflowsError, match=r"env\.NAME was refused: w/i has left memory"):
        _ = env.NAME


async def test_what_catches_every_refusal_waits_for_ever(monkeypatch):
    """So it does not block the event loop."""
    tasks = tasks_module.Tasks("w/i")
    await asyncio.sleep(0)
    assert not tasks.end()
    refusals = 0

    async def call():
        nonlocal refusals
        while True:
            try:
                await tasks.refuse("create()")
            except CfworkflowsError:
                refusals += 1

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    assert tasks_module.MOST_REFUSALS == refusals
    assert not task.done()


def test_nothing_is_waited_for_at_the_end_of_the_event_loop():
    """Code that has stayed where it waited ends neither with the engine nor with `asyncio.run`."""

    async def main():
        server = await TestEngine(*map(workflow, PROGRAMS)).start()
        for cls in server.classes:
            await server[cls].create()
        await server.clock.settle()
        await server.stop()
        threads_end.set()

    asyncio.run(main())
    assert [] == effects
