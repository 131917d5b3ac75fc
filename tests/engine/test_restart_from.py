"""`restart` from a step: what stays, what goes, in which status, and what a kill in the middle leaves."""

import asyncio

import pytest
from restarted import NOT_FOUND, abc
from world import Death

from cfworkflows import NonRetryableError
from cfworkflows_emulator.engine import open_database
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.journal.store import InstanceStore


@pytest.mark.parametrize("evict_after_ms", [None, 0])
@pytest.mark.parametrize(("name", "again"), [("a", {"a-1", "b-1", "c-1"}), ("b", {"b-1", "c-1"}), ("c", {"c-1"})])
async def test_what_started_before_keeps_its_result(serve, program, evict_after_ms, name, again):
    """The step and what followed run again."""
    server = await serve(abc(program), evict_after_ms=evict_after_ms)
    instance = await server.create()
    await instance.restart({"from": {"name": name}})
    assert ["a", "b", "c"] == (await server.finish(instance)).output
    assert again == {step for step, calls in program.calls.items() if calls == 2}
    assert {1, 2} >= set(program.calls.values())


async def test_the_journal_says_that_it_was_restarted(serve, program):
    """The numbers of entries that were erased are not used again."""
    server = await serve(abc(program))
    instance = await server.create()
    _, before = await server.engine.history("run", instance.id)
    await instance.restart(from_={"name": "c"})
    await server.clock.settle()
    _, after = await server.engine.history("run", instance.id)
    kept = 3 + 2 * 4
    assert before[:kept] == after[:kept]
    assert ["workflow_restarted", "workflow_running", "step_started"] == [e.type for e in after[kept : kept + 3]]
    assert before[-1].seq + 1 == after[kept].seq


@pytest.mark.parametrize(("count", "calls"), [(None, [2, 2, 2]), (1, [2, 2, 2]), (2, [1, 2, 2]), (3.0, [1, 1, 2])])
async def test_a_count_says_which_of_a_name(serve, program, count, calls):
    """The first, if it is left out."""

    async def run(step):
        return [await step.do("x", program.effect(n)) for n in range(3)]

    server = await serve(run)
    instance = await server.create()
    await instance.restart({"from": {"name": "x", **({"count": count} if count is not None else {})}})
    assert [0, 1, 2] == (await server.finish(instance)).output
    assert calls == [program.calls[f"x-{n}"] for n in (1, 2, 3)]


@pytest.mark.parametrize("type", ["do", "sleep", "waitForEvent"])
async def test_a_type_says_which_kind_of_step(serve, program, type):
    """All three are called z here; a sleep is slept again, a wait waits for another event."""

    async def run(step):
        await step.do("z", program.effect())
        await step.sleep("z", "1 hour")
        await step.do("between", program.effect())
        return (await step.wait_for_event("z", type="go")).payload

    server = await serve(run)
    instance = await server.create()
    await server.clock.advance("1 hour")
    await instance.send_event(type="go", payload=1)
    assert 1 == (await server.settled(instance)).output
    start = server.clock.now()
    await instance.restart({"from": {"name": "z", "type": type}})
    assert "waiting" == (await server.settled(instance)).status
    if type != "waitForEvent":
        assert 3_600_000 == (await server.state(instance)).sleeps["z-1"].until - start
        await server.clock.advance("1 hour")
    await instance.send_event(type="go", payload=2)
    assert 2 == (await server.settled(instance)).output
    expected = {"do": (2, 2), "sleep": (1, 2), "waitForEvent": (1, 1)}
    assert expected[type] == (program.calls["z-1"], program.calls["between-1"])


async def test_of_parallel_steps_those_that_started_later_run_again(serve, program):
    """Though the one before ended after they did; its result stays."""

    async def run(step):
        async def slow():
            program.calls["p1"] += 1
            await step.sleep("in p1", 1000)
            return 1

        first = step.do("p1", slow)
        await asyncio.sleep(0)
        return [*await asyncio.gather(first, step.do("p2", program.effect(2))), await step.do("b", program.effect(3))]

    server = await serve(run)
    instance = await server.create()
    assert [1, 2, 3] == (await server.finish(instance)).output
    await instance.restart({"from": {"name": "p2"}})
    assert [1, 2, 3] == (await server.settled(instance)).output
    assert {"p1": 1, "p2-1": 2, "b-1": 2} == program.calls


async def test_an_error_that_was_stored_is_tried_again_from_there_on(serve, program):
    """That of an earlier step stays stored."""
    fail = [True]

    async def run(step):
        async def early():
            program.calls["early"] += 1
            raise NonRetryableError("early")

        async def late():
            program.calls["late"] += 1
            if fail[0]:
                raise NonRetryableError("late")
            return "late"

        try:
            await step.do("early", early)
        except NonRetryableError as error:
            return [str(error), await step.do("late", late)]

    server = await serve(run)
    instance = await server.create()
    assert {"name": "NonRetryableError", "message": "late"} == (await instance.status()).error
    fail[0] = False
    await instance.restart({"from": {"name": "late"}})
    status = await server.settled(instance)
    assert ("complete", ["early", "late"], None) == (status.status, status.output, status.error)
    assert {"early": 1, "late": 2} == program.calls


async def test_events_stay_with_the_waits_that_stay(serve, program):
    """Those that no wait took, and those of waits that start anew, are gone."""

    async def run(step):
        first = await step.wait_for_event("first", type="go")
        second = await step.wait_for_event("second", type="go")
        await step.sleep("nap", "1 day")
        return [first.payload, first.timestamp, second.payload]

    server = await serve(run)
    instance = await server.create()
    sent = server.clock.now()
    for n in range(3):
        await instance.send_event(type="go", payload=n)
        await server.clock.advance(1000)
    await instance.restart({"from": {"name": "second", "type": "waitForEvent"}})
    assert "waiting" == (await server.settled(instance)).status
    state = await server.state(instance)
    assert ([], False) == (state.events, state.waits["second-1"].done)
    await instance.send_event(type="go", payload="new")
    first, time, second = (await server.finish(instance)).output
    assert (0, sent, "new") == (first, time.timestamp() * 1000, second)


@pytest.mark.parametrize("status", ["running", "waiting", "waitingForPause", "paused", "terminated"])
async def test_any_status_will_do(serve, program, status):
    """Also while a callback runs: it is cancelled, its attempt does not count."""
    began, go, lives = asyncio.Event(), asyncio.Event(), []

    async def run(step):
        lives.append(1)
        await step.do("a", program.effect())
        await step.do("b", program.effect())
        if len(lives) > 1:
            return "second life"
        if status in ("running", "waitingForPause"):

            async def hang():
                began.set()
                await go.wait()

            await step.do("hang", hang)
        await step.sleep("nap", "1 day")
        return None

    server = await serve(run)
    instance = await server["run"].create()
    await (began.wait() if status in ("running", "waitingForPause") else server.clock.settle())
    if status in ("waitingForPause", "paused"):
        await instance.pause()
    if status == "terminated":
        await instance.terminate()
    assert status == (await instance.status()).status
    await instance.restart({"from": {"name": "b"}})
    assert ("complete", "second life") == ((s := await server.settled(instance)).status, s.output)
    assert {"a-1": 1, "b-1": 2} == program.calls
    assert server.clock.next_timer is None
    assert {} == server.engine.residents.actors


async def test_a_kept_step_that_was_cut_off_is_repeated_without_losing_an_attempt(serve, program):
    """With `limit: 0` it has one attempt, however often the instance is restarted from a later step."""
    attempts, began = [], asyncio.Event()

    async def run(step):
        async def hang(ctx):
            attempts.append(ctx.attempt)
            began.set()
            if len(attempts) < 4:
                await asyncio.Event().wait()
            return "done"

        hanging = step.do("hang", {"retries": {"limit": 0, "delay": 0}}, hang)
        await began.wait()
        await step.do("b", program.effect())
        return await hanging

    server = await serve(run)
    instance = await server["run"].create()
    while "step_completed b-1" not in await server.journal(instance):
        pass
    for n in range(3):
        began.clear()
        await instance.restart({"from": {"name": "b"}})
        await began.wait()
        while program.calls["b-1"] < n + 2:
            await instance.status()
    assert "done" == (await server.finish(instance)).output
    assert [1, 1, 1, 1] == attempts


async def test_a_restart_from_inside_of_a_step_runs_the_step_around_it_again(serve, program):
    """What that one had called before keeps its result, and its attempts count from 1."""

    async def run(step):
        async def outer(ctx):
            program.calls[f"outer attempt {ctx.attempt}"] += 1
            first = await step.do("first", program.effect(1))
            return [first, await step.do("second", program.effect(2))]

        return [await step.do("zero", program.effect(0)), *await step.do("outer", outer)]

    server = await serve(run)
    instance = await server.create()
    await instance.restart({"from": {"name": "second"}})
    assert [0, 1, 2] == (await server.settled(instance)).output
    assert {"zero-1": 1, "outer attempt 1": 2, "first-1": 1, "second-1": 2} == program.calls


async def test_a_pause_before_the_restart_still_moves_what_is_left_of_sleeps(serve, program):
    """A sleep that started before the step, in parallel, ends when it would have ended."""

    async def run(step):
        nap = step.sleep("nap", "10 hours")
        await step.do("b", program.effect())
        await nap

    server = await serve(run)
    instance = await server.create()
    start = server.clock.now()
    await server.clock.advance("1 hour")
    await instance.pause()
    await server.clock.advance("5 hours")
    await instance.resume()
    await server.clock.advance("1 hour")
    await instance.pause()
    await server.clock.advance("3 hours")
    await instance.restart({"from": {"name": "b"}})
    await server.finish(instance)
    assert 18 * 3_600_000 == server.clock.now() - start
    assert 2 == program.calls["b-1"]


async def test_an_instance_may_restart_itself_from_a_step(serve, program):
    """The callback that asks for it is stopped at that await."""
    after = []

    async def run(event, step):
        async def again():
            program.calls["again"] += 1
            if program.calls["again"] == 1:
                await (await server.get(event.instance_id)).restart({"from": {"name": "again"}})
                after.append(1)
            return "done"

        await step.do("a", program.effect())
        return await step.do("again", again)

    server = await serve(run)
    instance = await server.create(id="i")
    assert "done" == (await server.finish(instance)).output
    assert ({"a-1": 1, "again": 2}, []) == (program.calls, after)


async def test_restarts_and_events_at_once_leave_one_run(serve, program):
    """Each is done after the other, and no event that came after is lost."""

    async def run(step):
        await step.do("a", program.effect())
        await step.do("b", program.effect())
        return (await step.wait_for_event("w", type="go")).payload

    server = await serve(run, evict_after_ms=0)
    instance = await server.create()
    outcomes = await asyncio.gather(
        *(instance.restart({"from": {"name": name}}) for name in "bab"),
        *(instance.send_event(type="other", payload=n) for n in range(3)),
        *(instance.restart({"from": {"name": name}}) for name in "bab"),
        return_exceptions=True,
    )
    # When it was just restarted, the step has not started again yet.
    assert {"None", NOT_FOUND.format("a"), NOT_FOUND.format("b")} >= set(map(str, outcomes))
    assert [None] * 3 == outcomes[3:6]
    assert None in outcomes[:3] + outcomes[6:]
    assert "waiting" == (await server.settled(instance)).status
    await instance.send_event(type="go", payload=2)
    assert 2 == (await server.settled(instance)).output


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_killed_after_any_commit_it_is_restarted_or_it_is_not(serve, program, monkeypatch, evict_after_ms):
    """What is on the disk is the journal of before, or the one without the step; both go on to the same output."""

    async def run(step):
        first = step.wait_for_event("first", type="go")
        await step.do("b", program.effect())
        await step.sleep("nap", "1 hour")
        got = (await first).payload
        return [got, await step.do("c", program.effect("c"))]

    outcomes, commits, finished = set(), 0, False
    while not finished:
        server = await serve(run, file=True, evict_after_ms=evict_after_ms)
        instance = await server.create(id="i")
        await server.clock.advance("30 minutes")
        await instance.send_event(type="go", payload=1)
        await server.clock.settle()

        async def live(server=server, instance=instance):
            await instance.restart({"from": {"name": "b"}})
            return await server.finish(instance)

        with monkeypatch.context() as patch:
            life, end = asyncio.ensure_future(live()), asyncio.ensure_future(Death(patch, commits).came.wait())
            await asyncio.wait({life, end}, return_when=asyncio.FIRST_COMPLETED)
            finished = life.done()
            for task in (life, end):
                task.cancel()
            await server.kill()
        store = InstanceStore(await open_database(server.path))
        types = [entry.type for entry in await store.journal(1)]
        state = InstanceState.fold(await store.journal(1))
        await store.close()
        outcomes.add("workflow_restarted" in types)
        assert state.waits["first-1"].done
        assert 1 == types.count("event_received")
        await server.start()
        assert [1, "c"] == (await server.finish(await server.get("i"))).output, commits
        await server.stop()
        commits += 1
    assert {True, False} == outcomes
    assert commits > 3
