"""Pause, resume, terminate, restart, and the status that is shown, in each phase of an instance."""

import asyncio

import pytest

from cfworkflows import WorkflowError


class Phases:
    """A workflow that is in a callback, a sleep, a wait or a retry delay, as its params say."""

    def __init__(self):
        self.began = asyncio.Event()
        self.go = asyncio.Event()
        self.log = []

    async def run(self, event, step):
        phase = event.payload
        if phase == "callback":

            async def work():
                self.log.append("began")
                self.began.set()
                await self.go.wait()
                self.log.append("ended")
                return 1

            await step.do("work", work)
        elif phase == "sleeping":
            await step.sleep("nap", "1 day")
        elif phase == "waiting":
            await step.wait_for_event("go", type="go", timeout="1 day")
        else:
            await step.do("fail", {"retries": {"limit": 1, "delay": "1 day"}}, self.fail_once)
        return await step.do("last", lambda: "last")

    async def fail_once(self, ctx):
        if ctx.attempt == 1:
            raise ValueError("once")


@pytest.fixture
def phases():
    return Phases()


@pytest.fixture
def server(serve, phases):
    async def run(event, step):
        return await phases.run(event, step)

    return lambda **options: serve(run, **options)


async def _create(server, phases, phase):
    instance = await server["run"].create(params=phase)
    await (phases.began.wait() if phase == "callback" else server.clock.settle())
    phases.began.clear()
    return instance


TIMED = ["sleeping", "waiting", "retrying"]


@pytest.mark.parametrize("phase", TIMED)
@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_a_pause_keeps_the_time_that_is_left(server, phases, phase, evict_after_ms):
    """Paused at once after 1 hour of 24, for a week: 23 hours are left, then it ends."""
    server = await server(evict_after_ms=evict_after_ms)
    instance = await _create(server, phases, phase)
    assert "waiting" == (await instance.status()).status
    await server.clock.advance("1 hour")
    await instance.pause()
    assert "paused" == (await instance.status()).status
    await server.clock.advance("7 days")
    assert "paused" == (await instance.status()).status
    await instance.resume()
    start = server.clock.now()
    status = await server.finish(instance)
    assert 23 * 3_600_000 == server.clock.now() - start
    assert ("errored" if phase == "waiting" else "complete") == status.status


async def test_a_pause_in_a_callback_waits_for_its_end(server, phases):
    """Its result is kept, and nothing new starts until the resume."""
    server = await server()
    instance = await _create(server, phases, "callback")
    assert "running" == (await instance.status()).status
    await instance.pause()
    assert "waitingForPause" == (await instance.status()).status
    phases.go.set()
    assert "paused" == (await server.settled(instance)).status
    assert "step_completed work-1" in await server.journal(instance)
    await instance.resume()
    assert "last" == (await server.finish(instance)).output
    assert ["began", "ended"] == phases.log


async def test_a_resume_takes_back_a_pause_that_has_not_come(server, phases):
    """From waitingForPause it goes on as if nothing had been."""
    server = await server()
    instance = await _create(server, phases, "callback")
    await instance.pause()
    await instance.resume()
    assert "running" == (await instance.status()).status
    phases.go.set()
    assert "last" == (await server.finish(instance)).output


async def test_a_pause_whose_process_dies_takes_effect_in_the_next(server, phases):
    """The attempt that was cut off counts when it is resumed."""
    server = await server(file=True)
    instance = await _create(server, phases, "callback")
    await instance.pause()
    await server.restart()
    instance = await server.get(instance.id)
    assert "paused" == (await server.settled(instance)).status
    assert {} == server.engine.residents.actors
    phases.go.set()
    await instance.resume()
    assert "last" == (await server.finish(instance)).output
    assert ["began", "began", "ended"] == phases.log


async def test_a_pause_lets_a_callback_call_the_steps_it_is_made_of(serve):
    """A step inside of a callback belongs to the attempt that runs: the pause does not wait for ever."""
    began, go = asyncio.Event(), asyncio.Event()

    async def run(step):
        async def outer():
            began.set()
            await go.wait()
            return await step.do("inner", lambda: 1)

        return await step.do("outer", outer) + await step.do("after", lambda: 1)

    server = await serve(run)
    instance = await server["run"].create()
    await began.wait()
    await instance.pause()
    go.set()
    assert "paused" == (await server.settled(instance)).status
    assert "step_started after-1" not in await server.journal(instance)
    await instance.resume()
    assert 2 == (await server.finish(instance)).output


async def test_a_failed_attempt_during_a_pause_waits_for_its_retry_after_it(serve):
    """No task of the paused run is left behind, and the delay is still to come."""
    began, go = asyncio.Event(), asyncio.Event()

    async def run(step):
        async def fail(ctx):
            if ctx.attempt == 1:
                began.set()
                await go.wait()
                raise ValueError("no")
            return ctx.attempt

        return await step.do("fail", {"retries": {"limit": 1, "delay": "1 hour"}}, fail)

    server = await serve(run)
    instance = await server["run"].create()
    await began.wait()
    await instance.pause()
    go.set()
    assert "paused" == (await server.settled(instance)).status
    await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "fail-1"]
    await instance.resume()
    start = server.clock.now()
    assert 2 == (await server.finish(instance)).output
    assert 3_600_000 == server.clock.now() - start


@pytest.mark.parametrize("phase", ["callback", *TIMED])
async def test_terminate_ends_it_at_once(server, phases, phase):
    """In any phase; a callback is cancelled, and nothing follows."""
    server = await server()
    instance = await _create(server, phases, phase)
    await instance.terminate()
    assert "terminated" == (await server.settled(instance)).status
    phases.go.set()
    await server.clock.advance("2 days")
    assert "workflow_terminated" == (await server.journal(instance))[-1]
    assert phases.log in ([], ["began"])
    with pytest.raises(WorkflowError) as caught:
        await instance.terminate()
    text = "(instance.cannot_terminate) Cannot terminate instance since its on a finite state"
    assert text == str(caught.value)


@pytest.mark.parametrize("phase", ["callback", *TIMED, "paused", "complete", "errored"])
async def test_restart_begins_anew_with_the_same_event(serve, phase):
    """In any phase: results and events are gone, the id, the params and the timestamp stay."""
    runs, began = [], asyncio.Event()

    async def hang():
        began.set()
        await asyncio.Event().wait()

    async def run(event, step):
        runs.append((event.instance_id, event.payload.n, event.timestamp))
        await step.do("first", lambda: 1)
        if len(runs) > 1:
            return "second life"
        if phase == "callback":
            await step.do("hang", hang)
        if phase == "retrying":
            await step.do("fail", lambda: int("no"))
        if phase == "waiting":
            await step.wait_for_event("go", type="go")
        if phase in ("sleeping", "paused"):
            await step.sleep("nap", "1 day")
        if phase == "errored":
            raise ValueError("no")
        return None

    server = await serve(run)
    instance = await server["run"].create(id="i", params={"n": 1})
    await (began.wait() if phase == "callback" else server.clock.settle())
    if phase == "paused":
        await instance.pause()
    if phase not in ("complete", "errored"):
        await instance.send_event(type="left", payload=1)
    await instance.restart()
    status = await server.settled(instance)
    assert ("complete", "second life", None) == (status.status, status.output, status.error)
    assert runs[0] == runs[1]
    assert ("i", 1) == runs[0][:2]
    state = await server.state(instance)
    assert ["first-1"] == list(state.steps)
    assert [] == state.events
    assert server.clock.next_timer is None


async def test_events_that_come_in_a_pause_are_kept(server, phases):
    """The wait takes it after the resume."""
    server = await server()
    instance = await _create(server, phases, "waiting")
    await instance.pause()
    await instance.send_event(type="go", payload=1)
    assert "paused" == (await server.settled(instance)).status
    await instance.resume()
    assert "complete" == (await server.settled(instance)).status


@pytest.mark.parametrize("call", ["pause", "resume"])
async def test_pause_and_resume_of_a_finished_instance_do_nothing(serve, call):
    """They are silent, and the instance is not even marked as modified."""

    async def run(step):
        return 1

    server = await serve(run)
    instance = await server.create()
    await server.clock.advance("1 day")
    before = (await server.engine.list("run"), await server.journal(instance))
    await getattr(instance, call)()
    assert before == (await server.engine.list("run"), await server.journal(instance))
    assert {} == server.engine.residents.actors


async def test_a_workflow_may_end_itself(serve):
    """`terminate` from its own step stops the step at that await."""
    after = []

    async def run(event, step):
        async def end():
            await (await server.get(event.instance_id)).terminate()
            after.append(1)

        await step.do("end", end)

    server = await serve(run)
    instance = await server.create()
    assert "terminated" == (await server.settled(instance)).status
    assert [] == after


async def test_closing_gives_callbacks_a_grace(server, phases):
    """A callback that ends in time has its result stored; one that does not is named."""
    server = await server(file=True)
    instance = await _create(server, phases, "callback")
    asyncio.get_running_loop().call_later(0.01, phases.go.set)
    server.running = False
    assert [] == await server.engine.close(grace_s=10)
    await server.start()
    assert "last" == (await server.finish(await server.get(instance.id))).output
    assert ["began", "ended"] == phases.log
    phases.go.clear()
    phases.log.clear()
    other = await _create(server, phases, "callback")
    server.running = False
    assert [f"callback of work-1 in run/{other.id}"] == await server.engine.close()
