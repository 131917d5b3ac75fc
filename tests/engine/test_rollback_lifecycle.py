"""A rollback and the calls that come meanwhile: terminate, pause, restart, events, steps, a kill."""

import asyncio

import pytest
from undoing import Undone, fail, outcome

from cfworkflows import WorkflowError
from cfworkflows_emulator.tracebacks import shown_path

TERMINATED = ("Terminated", "Instance terminated during rollback")


@pytest.mark.parametrize("rest", ["sleep", "wait", "retry", "paused", "evicted"])
async def test_terminate_with_rollback(serve, rest):
    """From whatever the instance is doing: the handlers see the platform's error, the status ends as terminated."""
    undone = Undone()

    async def run(step):
        await step.do("a", lambda: 1, undone())
        if rest == "wait":
            await step.wait_for_event("go", type="go")
        elif rest == "retry":
            await step.do("bad", lambda: fail(), undone())
        else:
            await step.sleep("nap", "1 day")

    server = await serve(run)
    instance = await server.create()
    if rest == "paused":
        await instance.pause()
    elif rest == "evicted":
        await server.clock.advance("1 minute")
        assert not server.engine.residents.actors
    await instance.terminate({"rollback": True})
    status = await server.settled(instance)
    assert (["bad", "a"] if rest == "retry" else ["a"]) == undone.names
    assert ("terminated", ("complete", None)) == (status.status, outcome(status))
    assert (Exception, TERMINATED[1]) == (type(undone.calls[0].error), str(undone.calls[0].error))
    assert ["rollback_completed", "workflow_terminated"] == (await server.journal(instance))[-2:]


class AtWork:
    """A workflow that fails, or is terminated, while the callback of a step runs; `seen` is what became of it."""

    def __init__(self, undo=None):
        self.began, self.go_on, self.seen, self.undo, self.fails = asyncio.Event(), asyncio.Event(), [], undo, False

    async def work(self):
        self.began.set()
        try:
            await self.go_on.wait()
            self.seen.append("went on")
        except asyncio.CancelledError:
            self.seen.append("cut off")
            raise
        if self.fails:
            raise ValueError("late")
        return "late"

    async def run(self, event, step):
        task = step.do("work", {"retries": {"limit": 3, "delay": "1 hour"}}, self.work, self.undo)
        await self.began.wait()
        if event.payload == "error":
            fail()
        await task


async def _at_work(serve, undo, end):
    program = AtWork(undo)

    async def run(event, step):
        await program.run(event, step)

    server = await serve(run)
    instance = await server["run"].create(id="i", params=end)
    await program.began.wait()
    if end == "terminate":
        await instance.terminate({"rollback": True})
    return server, program, instance, await server.settled(instance)


async def test_a_terminate_cuts_off_the_step_that_is_at_work_and_undoes_it(serve):
    """Its output is None, and nothing of it happens after its handler."""
    undone = Undone()
    _, program, _, status = await _at_work(serve, undone(), "terminate")
    program.go_on.set()
    assert "terminated" == status.status
    assert (["work"], None, 1) == (undone.names, undone.calls[0].output, undone.calls[0].ctx.attempt)
    assert [] == program.seen


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("handled", [False, True])
async def test_a_step_that_is_at_work_when_run_fails_goes_on(serve, handled, fails, caplog):
    """With a rollback handler or without: its effect may come after its undoing, and a warning names its line."""
    undone = Undone()
    server, program, instance, status = await _at_work(serve, undone() if handled else None, "error")
    assert ("errored", ["work"] if handled else []) == (status.status, undone.names)
    program.fails = fails
    program.go_on.set()
    await server.unloaded()
    assert ["went on"] == program.seen
    late = ["attempt_errored work-1", "step_errored work-1"]
    done = ["attempt_completed work-1", "step_completed work-1"]
    assert (late if fails else done) == (await server.journal(instance))[-2:]
    assert status == await instance.status()
    (warning,) = [each.getMessage() for each in caplog.records if "under way" in each.getMessage()]
    assert f'step "work-1" at {shown_path(__file__)}:' in warning
    assert ("after its rollback handler" if handled else "after the end of the instance") in warning


async def test_what_goes_on_behind_a_failure_is_cut_off_by_a_terminate(serve):
    """While the rollback waits to try its handler again."""
    undone = Undone()
    undo = {**undone(failing=1), "rollbackConfig": {"retries": {"limit": 3, "delay": "1 hour"}}}
    server, program, instance, status = await _at_work(serve, undo, "error")
    assert "rollingBack" == status.status
    await instance.terminate()
    await server.clock.settle()
    assert [] == program.seen
    assert "workflow_terminated" == (await server.journal(instance))[-1]


async def test_while_it_runs_the_status_is_rolling_back(serve):
    """There is no outcome and no error yet."""
    undone = Undone()

    async def run(step):
        await step.do("a", lambda: 1, undone(failing=1))
        fail()

    server = await serve(run)
    instance = await server.create()
    assert {"status": "rollingBack", "output": None, "error": None, "rollback": None} == await instance.status()
    assert "rollingBack" == (await server.engine.list("run"))[0].status
    assert {
        "status": "errored",
        "output": None,
        "error": {"name": "ValueError", "message": "no money"},
        "rollback": {"outcome": "complete", "error": None},
    } == await server.finish(instance)


@pytest.mark.parametrize("verb", ["do", "sleep", "sleep_until", "wait_for_event"])
async def test_steps_cannot_be_called_by_a_handler(serve, verb):
    """It fails at once, and says why."""
    arguments = {"do": [lambda: 1], "sleep": [1], "sleep_until": [2e15], "wait_for_event": ["go"]}[verb]

    async def run(step):
        await step.do("a", lambda: 1, rollback=lambda: getattr(step, verb)("inner", *arguments))
        fail()

    server = await serve(run)
    status = await server.finish(await server.create())
    assert ("failed", ("WorkflowFatalError", "Cannot execute steps during rollback phase")) == outcome(status)


@pytest.mark.parametrize("replayed", [False, True])
async def test_steps_cannot_be_called_by_run_meanwhile(serve, replayed):
    """Not even where it cleans up: it stays where it waits."""
    reached, undone = [], Undone()

    async def run(step):
        try:
            await step.do("a", lambda: 1, undone())
            await step.sleep("nap", "1 day")
        finally:
            reached.append("cleanup")
            await step.do("clean up", lambda: 1)

    server = await serve(run, evict_after_ms=0 if replayed else None)
    instance = await server.create()
    if replayed:
        await server.clock.advance(1)
    await instance.terminate(rollback=True)
    assert ("complete", None) == outcome(await server.settled(instance))
    assert [] == reached
    assert "step_started clean up-1" not in await server.journal(instance)


async def _in_a_retry_delay(serve, **options):
    """A server with an instance whose second handler waits for its retry."""
    undone = Undone()
    handlers = {name: undone(failing=1 if name == "a" else 0) for name in "ab"}

    async def run(step):
        await step.do("first", lambda: 1)
        await step.do("a", lambda: 1, handlers["a"])
        await step.do("b", lambda: 2, handlers["b"])
        fail()

    server = await serve(run, **options)
    instance = await server.create(id="i")
    assert ["b", "a"] == undone.names
    return server, instance, undone


async def test_pause_and_resume_do_nothing_meanwhile(serve):
    """As with an instance that has ended."""
    server, instance, _ = await _in_a_retry_delay(serve)
    before = await server.journal(instance)
    await instance.pause()
    await instance.resume()
    assert "rollingBack" == (await server.settled(instance)).status
    assert before == await server.journal(instance)
    assert ("complete", None) == outcome(await server.finish(instance))


async def test_an_event_is_refused_meanwhile(serve):
    """Nobody will wait for it."""
    _, instance, _ = await _in_a_retry_delay(serve)
    with pytest.raises(WorkflowError, match=r"\(instance.not_running\) .* it is rollingBack"):
        await instance.send_event(type="go")


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_terminate_gives_up_the_rest(serve, evict_after_ms):
    """It says so in the outcome; to ask for a rollback is refused, there is one."""
    server, instance, undone = await _in_a_retry_delay(serve, evict_after_ms=evict_after_ms)
    with pytest.raises(WorkflowError, match=r"\(instance.cannot_terminate\) .* rolling back already"):
        await instance.terminate({"rollback": True})
    assert "rollingBack" == (await instance.status()).status
    await instance.terminate()
    status = await server.settled(instance)
    assert ("terminated", ("failed", TERMINATED)) == (status.status, outcome(status))
    await server.clock.advance("1 hour")
    assert ["b", "a"] == undone.names
    with pytest.raises(WorkflowError, match="finite state"):
        await instance.terminate({"rollback": True})


async def test_restart_begins_anew(serve):
    """Nothing of the rollback is left; it may come to another one."""
    server, instance, undone = await _in_a_retry_delay(serve)
    await instance.restart()
    status = await server.finish(instance)
    assert ["b", "a", "b", "a"] == undone.names
    assert ("errored", ("complete", None)) == (status.status, outcome(status))


async def test_terminate_takes_only_its_option(serve):
    """Anything else is a mistake of the caller's."""
    _, instance, _ = await _in_a_retry_delay(serve)
    with pytest.raises(TypeError, match="does not know rolback; it takes rollback"):
        await instance.terminate({"rolback": True})
    with pytest.raises(TypeError, match="takes an object with rollback"):
        await instance.terminate(True)


@pytest.mark.parametrize("way", ["evict", "kill"])
async def test_the_retry_delay_of_a_handler_survives(serve, way):
    """The handlers are found again by a replay in which no step is repeated; what is undone is not undone twice."""
    server, instance, undone = await _in_a_retry_delay(serve, file=True, evict_after_ms=0 if way == "evict" else None)
    began = server.clock.now()
    if way == "kill":
        await instance.status()  # that it is parked is on disk now
        await server.restart()
        instance = await server.get("i")
    else:
        await server.clock.advance(1)
    assert ("rollingBack", None) == ((status := await server.settled(instance)).status, status.rollback)
    assert not server.engine.residents.actors  # its time has not come
    assert ("complete", None) == outcome(await server.finish(instance))
    assert (["b", "a", "a"], 10_000) == (undone.names, server.clock.now() - began)
    assert 1 == (await server.journal(instance)).count("attempt_started first-1")
