"""A step that goes on after its run has ended changes no outcome."""

import asyncio
import logging

import pytest

from cfworkflows import WorkflowError


async def test_run_returns_while_a_step_goes_on(serve, caplog):
    """It is complete at once, the body goes on, and a warning names the step."""
    began, go, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(step):
        async def work():
            began.set()
            await go.wait()
            ended.set()

        step.do("lost", work)
        await began.wait()
        return "out"

    server = await serve(run)
    with caplog.at_level(logging.WARNING):
        instance = await server.create()
    assert "out" == (await instance.status()).output
    assert ["lost-1" in record.message for record in caplog.records] == [True]
    assert "workflow_completed" == (await server.journal(instance))[-1]
    go.set()
    await ended.wait()
    await server.unloaded()
    assert "step_completed lost-1" == (await server.journal(instance))[-1]


class Outlived:
    """A workflow that ends while a step of it goes on, in each way a workflow can end."""

    def __init__(self, fails=False):
        self.began, self.go, self.fails, self.runs = asyncio.Event(), asyncio.Event(), fails, 0

    async def work(self):
        self.began.set()
        await self.go.wait()
        if self.fails:
            raise ValueError("late")
        return "late"

    async def run(self, event, step):
        self.runs += 1
        step.do("lost", {"retries": {"limit": 3, "delay": "1 hour"}}, self.work)
        await self.began.wait()
        if event.payload == "errored":
            raise ValueError("early")
        return "early"


async def _outlived(serve, fails=False, params="complete", **options):
    program = Outlived(fails)

    async def run(event, step):
        return await program.run(event, step)

    server = await serve(run, **options)
    return server, program, await server["run"].create(id="i", params=params)


@pytest.mark.parametrize("ending", ["complete", "errored"])
@pytest.mark.parametrize("fails", [False, True])
async def test_the_end_of_a_step_that_outlives_its_run_changes_no_outcome(serve, ending, fails):
    """It is in the journal, and a failure is not tried again; status, output and error stay as they were told."""
    server, program, instance = await _outlived(serve, fails, ending, file=True)
    await program.began.wait()
    before = await server.settled(instance)
    assert ending == before.status
    program.go.set()
    await server.unloaded()
    assert before == await instance.status()
    late = "attempt_errored lost-1", "step_errored lost-1"
    assert [*(late if fails else ("attempt_completed lost-1", "step_completed lost-1"))] == (
        await server.journal(instance)
    )[-2:]
    assert server.clock.next_timer is None
    await server.restart()
    assert before == await (await server.get("i")).status()


@pytest.mark.parametrize("call", ["restart", "delete", "terminate"])
async def test_an_instance_that_is_changed_hears_nothing_of_a_step_that_outlived_its_run(serve, call):
    """After a restart or a deletion the old step is cut off, and does not get to know of it."""
    server, program, instance = await _outlived(serve)
    seen, work = [], program.work

    async def survive():
        try:
            return await work()
        except asyncio.CancelledError:
            seen.append("cancelled")
            return "survived"

    program.work = survive
    await instance.restart()
    program.began.clear()
    await program.began.wait()
    await server.clock.settle()
    if call == "terminate":
        with pytest.raises(WorkflowError, match="cannot_terminate"):
            await instance.terminate()
        program.go.set()
        await server.unloaded()
        assert "step_completed lost-1" == (await server.journal(instance))[-1]
        return
    await getattr(instance, call)()
    await server.clock.settle()
    assert [] == seen
    if call == "delete":
        with pytest.raises(WorkflowError, match="not_found"):
            await instance.status()
    else:
        assert 1 == (await server.journal(instance)).count("step_started lost-1")
        assert "workflow_completed" == (await server.journal(instance))[-1]
        program.go.set()


async def test_a_step_that_outlives_its_run_and_dies_with_the_process_stays_open(serve):
    """The next process does not take up an instance that has ended."""
    server, program, instance = await _outlived(serve, file=True)
    await server.settled(instance)
    await server.restart()
    instance = await server.get("i")
    status = await server.settled(instance)
    assert ("complete", "early") == (status.status, status.output)
    assert "workflow_completed" == (await server.journal(instance))[-1]
    assert 1 == program.runs


async def test_a_result_that_came_late_is_kept_by_a_restart_from_a_later_step(serve):
    """It was stored, so it is not computed again."""
    calls, began, go = [], asyncio.Event(), asyncio.Event()

    async def run(step):
        async def work():
            calls.append("slow")
            began.set()
            await go.wait()
            return "slow"

        slow = step.do("slow", work)
        await began.wait()
        await step.do("fast", lambda: calls.append("fast"))
        return await slow if go.is_set() else "early"

    server = await serve(run)
    instance = await server.create()
    assert "early" == (await server.settled(instance)).output
    go.set()
    await server.unloaded()
    await instance.restart({"from": {"name": "fast"}})
    assert "slow" == (await server.settled(instance)).output
    assert ["slow", "fast", "fast"] == calls


async def test_a_step_that_fails_while_nobody_awaits_it_fails_quietly(serve):
    """Its error is in the journal, and `run()` goes on."""

    async def run(step):
        step.do("lost", {"retries": {"limit": 0, "delay": 0}}, lambda: int("no"))
        await step.sleep("nap", 10)
        return "out"

    server = await serve(run)
    instance = await server.create()
    assert "out" == (await server.finish(instance)).output
    assert "step_errored lost-1" in await server.journal(instance)
