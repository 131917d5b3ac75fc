"""`concurrency.limit`: how many instances of a workflow run at once, and the queue of the others."""

import asyncio
import random
from contextlib import suppress

import programs
import pytest
from programs import OUTPUTS, effects
from world import Death

from cfworkflows import WorkflowError, WorkflowTimeoutError
from cfworkflows_emulator.engine import admission
from cfworkflows_emulator.engine.admission import Slots


class Work:
    """A workflow whose callback runs until `end(id)`. `began` are the ids in the order in which theirs began."""

    def __init__(self):
        self.began = []
        self._changed = asyncio.Condition()
        self._ended = set()

    async def run(self, event, step):
        async def work():
            async with self._changed:
                self.began.append(event.instance_id)
                self._changed.notify_all()
                await self._changed.wait_for(lambda: event.instance_id in self._ended)

        await step.do("work", work)

    async def end(self, *ids):
        async with self._changed:
            self._ended.update(ids)
            self._changed.notify_all()

    async def until_began(self, *ids):
        async with self._changed:
            await self._changed.wait_for(lambda: list(ids) == self.began)


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def working(serve, work):
    async def run(event, step):
        return await work.run(event, step)

    return lambda limit, **options: serve(run, concurrency_limit=limit, **options)


async def create(server, *ids):
    return [await server[server.classes[0]].create(id=id) for id in ids]


async def statuses(server, *ids):
    return [(await (await server.get(id)).status()).status for id in ids]


async def until(condition):
    while not condition():  # noqa: ASYNC110 - what it looks at belongs to the engine, which tells nobody
        await asyncio.sleep(0)


def slots(server):
    """Those who hold a slot, and those who wait for one, of the only workflow."""
    known = server.engine._admission._slots.values()
    return sum(len(each.holders) for each in known), sum(len(each.queued) for each in known)


async def test_more_than_the_limit_are_queued_and_begin_in_order(working, work):
    """Two of five run; each that ends lets the next one begin."""
    server = await working(2)
    await create(server, "a", "b", "c", "d", "e")
    await work.until_began("a", "b")
    assert ["running", "running", "queued", "queued", "queued"] == await statuses(server, *"abcde")
    await work.end("b")
    await work.until_began("a", "b", "c")
    await work.end("a", "c")
    await work.until_began(*"abcde")
    assert ["complete"] * 3 + ["running"] * 2 == await statuses(server, *"abcde")
    await work.end("d", "e")
    await server.clock.settle()
    assert ["complete"] * 5 == await statuses(server, *"abcde")
    assert (0, 0) == slots(server)


async def test_a_queued_instance_is_a_row_and_nothing_in_memory(working, work):
    """Its events are queued alone until it begins, and then those of any instance."""
    server = await working(1)
    a, b = await create(server, "a", "b")
    await work.until_began("a")
    assert 1 == len(server.engine.residents.instances)
    assert ["workflow_queued"] == await server.journal(b)
    await work.end("a", "b")
    await server.clock.settle()
    assert await server.journal(a) == await server.journal(b)


@pytest.mark.parametrize("evict_after_ms", [None, 0])
@pytest.mark.parametrize("way", ["sleep", "wait", "retry"])
async def test_who_waits_gives_its_slot_back_and_goes_on_before_those_that_have_not_begun(serve, way, evict_after_ms):
    """With one slot: while the first waits the second begins, and the first is next, though the third was there."""
    began, log, go = asyncio.Event(), [], asyncio.Event()

    async def run(event, step):
        if event.instance_id == "a":
            log.append("a begins")
            if way == "sleep":
                await step.sleep("nap", "1 hour")
            elif way == "wait":
                await step.wait_for_event("go", type="go", timeout="2 hours")
            else:
                await step.do("flaky", {"retries": {"limit": 1, "delay": "1 hour"}}, flaky)
            await step.do("go on", lambda: log.append("a goes on"))
            return

        async def hold():
            log.append(f"{event.instance_id} begins")
            began.set()
            if event.instance_id == "b":
                await go.wait()

        await step.do("hold", {"timeout": "1 day"}, hold)

    async def flaky(ctx):
        if ctx.attempt == 1:
            raise ValueError("not yet")

    server = await serve(run, concurrency_limit=1, evict_after_ms=evict_after_ms)
    (a,) = await create(server, "a")
    await server.clock.settle()
    if evict_after_ms == 0:
        await server.clock.advance(0)
    assert "waiting" == (await a.status()).status
    assert (0, 0) == slots(server)
    await create(server, "b", "c")
    await began.wait()
    if way == "wait":
        await a.send_event(type="go")
    else:
        await server.time_out(began)
    await until(lambda: (1, 2) == slots(server))
    assert "queued" == (await a.status()).status
    go.set()
    await server.clock.settle()
    assert ["complete"] * 3 == await statuses(server, *"abc")
    assert [line for line in log if line != "a begins"] == ["b begins", "a goes on", "c begins"]
    assert 2 == (await server.journal(a)).count("workflow_queued")
    assert (0, 0) == slots(server)


@pytest.mark.parametrize("act", ["pause", "terminate", "delete"])
async def test_a_slot_is_given_back_by(working, work, act):
    """Whoever is stopped makes room for the next; a queued one leaves the queue."""
    server = await working(1)
    a, _, c, _ = await create(server, *"abcd")
    await work.until_began("a")
    await getattr(c, act)()
    await getattr(a, act)()
    await work.end("a")  # a pause waits for the callback
    await work.until_began("a", "b")
    await work.end("b")
    await work.until_began("a", "b", "d")
    await work.end("d")
    await server.clock.settle()
    assert (0, 0) == slots(server)
    if act == "pause":
        assert ["paused"] * 2 == await statuses(server, "a", "c")


async def test_a_paused_instance_is_queued_anew_when_it_is_resumed(working, work):
    """At the end of the queue, whether it had begun or not."""
    server = await working(1)
    a, b, _ = await create(server, *"abc")
    await work.until_began("a")
    await b.pause()
    await b.resume()
    assert "queued" == (await b.status()).status
    await work.end(*"abc")
    await server.clock.settle()
    assert ["a", "c", "b"] == work.began
    assert "complete" == (await a.status()).status


async def test_a_pause_in_the_queue_does_not_cost_a_sleeper_its_time(serve):
    """A sleep of 10 hours, paused for 5 after 1: it ends 9 hours after the resume, though that was queued first."""

    async def run(event, step):
        async def hold():
            await step.sleep("inner", "2 hours")

        if event.payload == "sleep":
            await step.sleep("nap", "10 hours")
        else:
            await step.do("hold", {"timeout": "1 year"}, hold)

    server = await serve(run, concurrency_limit=1)
    sleeper = await server.create(params="sleep")
    await server.clock.advance("1 hour")
    await sleeper.pause()
    await server.clock.advance("5 hours")
    await server.create(params="hold")
    start = server.clock.now()
    await sleeper.resume()
    assert "queued" == (await sleeper.status()).status
    await server.finish(sleeper)
    assert 9 * 3_600_000 == server.clock.now() - start


async def test_a_restart_keeps_the_slot(working, work):
    """The instance that runs begins anew at once, and those that are queued stay so."""
    server = await working(1)
    a, _ = await create(server, "a", "b")
    await work.until_began("a")
    await a.restart()
    await work.until_began("a", "a")
    assert ["running", "queued"] == await statuses(server, "a", "b")
    await work.end("a", "b")
    await server.clock.settle()
    assert ["a", "a", "b"] == work.began


async def test_a_restart_of_an_instance_that_ended_is_queued(working, work):
    """It has no slot any more."""
    server = await working(1)
    (a,) = await create(server, "a")
    await work.until_began("a")
    await work.end("a")
    await server.clock.settle()
    await create(server, "b", "c")
    await work.until_began("a", "b")
    await a.restart()
    assert "queued" == (await a.status()).status
    await work.end("b", "c")
    await server.clock.settle()
    assert ["a", "b", "c", "a"] == work.began


async def test_a_rollback_needs_no_slot(serve):
    """Its status is not running: the next one begins while the handlers work."""
    undoing, go, began = asyncio.Event(), asyncio.Event(), []

    async def run(event, step):
        began.append(event.instance_id)

        async def undo():
            undoing.set()
            await go.wait()

        if event.instance_id == "a":
            await step.do("work", lambda: 1, {"rollback": undo})
            raise ValueError("no")

    server = await serve(run, concurrency_limit=1)
    await create(server, "a", "b")
    await undoing.wait()
    await until(lambda: ["a", "b"] == began)
    assert "rollingBack" == (await statuses(server, "a"))[0]
    go.set()
    await server.clock.settle()
    assert ["errored", "complete"] == await statuses(server, "a", "b")
    assert (0, 0) == slots(server)


async def test_after_a_crash_the_queue_has_its_old_order(serve, monkeypatch):
    """First those that ran, then those that had woken, then those that were never begun, each in their order."""
    began, go = [], asyncio.Event()

    async def run(event, step):
        if event.payload:
            await step.sleep("nap", event.payload)

        async def work():
            began.append(event.instance_id)
            await go.wait()

        await step.do("work", {"timeout": "1 year"}, work)

    server = await serve(run, file=True, concurrency_limit=1)
    for id, nap in (("late", 2000), ("early", 1000)):
        await server.create(id=id, params=nap)
    await create(server, "z", "y", "x")
    await until(lambda: ["z"] == began)
    for _ in range(2):
        server.clock._fire_next()
    await until(lambda: (1, 4) == slots(server))
    await server.engine.store.flushed()
    await server.restart()
    await until(lambda: ["z", "z"] == began)
    assert ["running"] + ["queued"] * 4 == await statuses(server, "z", "early", "late", "y", "x")
    go.set()
    await server.clock.settle()
    assert ["z", "z", "early", "late", "y", "x"] == began


async def test_a_lower_limit_after_a_restart_queues_what_is_too_much(working, work):
    """Three ran, one may: the oldest goes on, the others before what was queued."""
    server = await working(3, file=True)
    await create(server, *"abcd")
    await work.until_began("a", "b", "c")
    server.settings["concurrency_limit"] = 1
    await server.restart()
    await work.until_began("a", "b", "c", "a")
    await until(lambda: (1, 3) == slots(server))
    await work.end(*"abcd")
    await server.clock.settle()
    assert [*"abc", *"abcd"] == work.began


@pytest.mark.parametrize("program", OUTPUTS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_killed_after_any_commit_all_end_and_none_has_kept_a_slot(serve, monkeypatch, program, evict_after_ms):
    """Three instances that share one slot, in a program of every verb."""
    ids, commits, survived = ("a", "b", "c"), 0, False
    while not survived:
        effects.clear()
        server = await serve(program, file=True, evict_after_ms=evict_after_ms, concurrency_limit=1)
        with monkeypatch.context() as patch:
            survived = await _lives(server, patch, ids, commits)
        await server.restart()
        for id in ids:
            instance = await _get_or_create(server, id)
            assert OUTPUTS[program] == (await programs.finish(server, instance)).output, (commits, id)
        assert (0, 0) == slots(server)
        await server.stop()
        commits += 1
    assert commits > 9


async def _lives(server, patch, ids, commits):
    """Whether all instances end before the process dies, which it does after so many commits."""
    died = Death(patch, commits).came

    async def live():
        instances = [await _get_or_create(server, id) for id in ids]
        for instance in instances:
            await programs.finish(server, instance)

    life, death = asyncio.ensure_future(live()), asyncio.ensure_future(died.wait())
    await asyncio.wait({life, death}, return_when=asyncio.FIRST_COMPLETED)
    death.cancel()
    if life.done():
        life.result()
        return True
    life.cancel()
    return False


async def _get_or_create(server, id):
    try:
        return await server.get(id)
    except WorkflowError:
        return await server[server.classes[0]].create(id=id)


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_of_a_thousand_never_more_than_three_run(serve, evict_after_ms):
    """With sleeps in between, on which slots change hands; all end."""
    at_work, most = set(), 0

    async def run(event, step):
        async def work():
            nonlocal most
            at_work.add(event.instance_id)
            most = max(most, len(at_work))
            for _ in range(3):
                await asyncio.sleep(0)
            at_work.remove(event.instance_id)

        await step.do("before", work)
        await step.sleep("nap", 1 + event.payload % 7)
        await step.do("after", work)

    server = await serve(run, concurrency_limit=3, evict_after_ms=evict_after_ms)
    binding = server["run"]
    for start in range(0, 1000, 100):
        await binding.create_batch([{"params": start + n} for n in range(100)])
    await server.clock.advance("1 minute")
    assert {"complete": 1000} == await server.engine.counts("run")
    assert 3 == most
    assert (0, 0) == slots(server)


async def test_code_that_goes_on_between_steps_waits_for_a_slot_at_its_next_step(serve):
    """While it awaited something of its own the instance counted as waiting, and its slot went to another."""
    at_work, most = set(), 0

    async def run(event, step):
        async def own():
            for _ in range(50):
                await asyncio.sleep(0)
            return await step.do("own", work)

        async def work():
            nonlocal most
            at_work.add(event.instance_id)
            most = max(most, len(at_work))
            await asyncio.sleep(0)
            at_work.remove(event.instance_id)

        await asyncio.gather(step.sleep("nap", "1 hour"), own(), step.do("first", work))

    server = await serve(run, concurrency_limit=1)
    await create(server, *"abc")
    await server.clock.advance("1 day")
    assert ["complete"] * 3 == await statuses(server, *"abc")
    assert 1 == most
    assert (0, 0) == slots(server)


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_time_passes_while_the_queue_waits_for_a_callback_that_sleeps(serve, evict_after_ms):
    """A step in a callback keeps the slot; who is queued meanwhile does not hold the virtual clock."""

    async def run(event, step):
        async def outer():
            await step.sleep("inner", "1 day")

        if event.instance_id == "a":
            await step.sleep("nap", "1 hour")
        else:
            await step.do("outer", {"timeout": "1 year"}, outer)

    server = await serve(run, concurrency_limit=1, evict_after_ms=evict_after_ms)
    a, b = await create(server, "a", "b")
    await server.clock.advance("2 hours")
    assert ["queued", "running"] == await statuses(server, "a", "b")
    await server.clock.advance("1 day")
    assert ["complete", "complete"] == await statuses(server, "a", "b")
    assert 2 == (await server.journal(a)).count("workflow_queued")
    assert 1 == (await server.journal(b)).count("workflow_queued")


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("evict_after_ms", [None, 0, 5_000])
async def test_whatever_is_done_to_instances_no_slot_is_lost(serve, seed, evict_after_ms):
    """Every kind of call and a kill now and then, in any order: never too many at work, and all end."""
    chance, at_work, most = random.Random(seed), [], 0

    async def run(event, step):
        async def work():
            nonlocal most
            at_work.append(event.instance_id)
            most = max(most, len(at_work))
            try:
                for _ in range(event.payload):
                    await asyncio.sleep(0)
            finally:
                at_work.remove(event.instance_id)

        try:
            await step.do("one", work, {"rollback": lambda: None})
            await step.sleep("nap", f"{event.payload + 1} minutes")
            await step.wait_for_event("go", type="go", timeout="5 minutes")
        except WorkflowTimeoutError:
            pass
        await asyncio.gather(step.do("two", work), step.sleep("other", "1 minute"))

    server = await serve(run, file=True, concurrency_limit=2, evict_after_ms=evict_after_ms)
    for number in range(60):
        id = f"i{chance.randrange(8)}"
        act = chance.choice(["create", "pause", "resume", "terminate", "rollback", "restart", "from", "event", "delete",
                             "advance", "advance", "settle", "kill"])  # fmt: skip
        if act in ("advance", "settle"):
            await server.clock.advance(chance.choice([0, "1 minute", "10 minutes"]) if act == "advance" else 0)
        elif act == "kill":
            await server.restart()
        else:
            with suppress(WorkflowError):
                await _act(server, act, id, chance)
        assert slots(server)[0] <= 2, number
    await server.clock.settle()
    for row in await server.engine.list("run"):
        await (await server.get(row.id)).resume()
    await server.clock.advance("1 day")
    assert {"complete", "terminated"} >= (await server.engine.counts("run")).keys()
    assert most <= 2
    assert (0, 0) == slots(server)


async def _act(server, act, id, chance):
    if act == "create":
        await server["run"].create(id=id, params=chance.randrange(5))
        return
    instance = await server.get(id)
    if act == "event":
        await instance.send_event(type="go")
    elif act == "rollback":
        await instance.terminate({"rollback": True})
    elif act == "from":
        await instance.restart({"from": {"name": "one"}})
    else:
        await getattr(instance, act)()


async def test_a_queue_that_is_full_refuses_new_instances(working, work, monkeypatch):
    """By name; nothing is created, and a free slot is never refused."""
    monkeypatch.setattr(admission, "MAX_QUEUED", 1)
    server = await working(1)
    await create(server, "a", "b")
    await work.until_began("a")
    with pytest.raises(WorkflowError, match=r"\(instance\.too_many_queued\) 1 instances are queued.*slots of workflow"):
        await create(server, "c")
    assert not await server.engine.exists("run", "c")
    await work.end("a", "b")
    await server.clock.settle()
    await create(server, "c")


def test_slots_are_taken_in_the_order_of_places():
    """Whoever left the queue gets none, and who has one is not given a second."""
    slots = Slots(1)
    assert slots.take(1)
    assert slots.take(1)
    assert not slots.take(2)
    for key, place in ((2, 20), (3, 30), (4, -5)):
        slots.queue(key, place)
    slots.queued.pop(2)
    assert slots.next() is None
    slots.holders.clear()
    assert 4 == slots.next()
    slots.holders.clear()
    assert 3 == slots.next()
    slots.holders.clear()
    assert slots.next() is None


async def fire(server, name="run"):
    """An instance of a schedule of the workflow, as if it had fired now."""
    due = server.clock.now()
    await server.engine._creation.scheduled(name, "0 0 1 1 *", due)
    return await server.get(f"0 0 1 1 *-{due}")


async def test_an_instance_of_a_schedule_needs_no_slot_for_an_hour(working, work):
    """It runs beside those that have all slots, and those that are queued; it takes none from them."""
    server = await working(1)
    await create(server, "a", "b")
    scheduled = await fire(server)
    await work.until_began("a", scheduled.id)
    assert "running" == (await scheduled.status()).status
    await work.end("a")
    await work.until_began("a", scheduled.id, "b")
    await work.end("b", scheduled.id)
    assert "complete" == (await server.finish(scheduled)).status


class Marks(dict):
    """An event for each name."""

    def __missing__(self, name):
        return self.setdefault(name, asyncio.Event())


def phases(marks):
    """A workflow of two steps: the callback of the first tells that it began, and waits for the mark of its id."""

    async def run(event, step):
        async def first():
            marks["began", event.instance_id].set()
            await marks[event.instance_id].wait()

        await step.do("first", {"timeout": "1 day"}, first)
        return await step.do("second", lambda: 2)

    return run


@pytest.mark.parametrize("is_free", [True, False])
async def test_after_an_hour_it_takes_a_slot_or_is_queued(serve, is_free):
    """Its callback goes on, its next step waits for the slot; it goes before those that have not begun."""
    marks = Marks()
    server = await serve(phases(marks), concurrency_limit=1)
    scheduled = await fire(server)
    await marks["began", scheduled.id].wait()
    first = None if is_free else (await create(server, "a"))[0]
    if first is not None:
        await marks["began", "a"].wait()
    assert server.clock.next_timer is not None
    server.clock._fire_next()  # although the callbacks hold the clock
    last = (await create(server, "b"))[0]
    assert ("running" if is_free else "queued") == (await scheduled.status()).status
    assert "queued" == (await last.status()).status
    marks[scheduled.id].set()
    if first is not None:
        while "step_completed first-1" not in await server.journal(scheduled):  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert "step_started second-1" not in await server.journal(scheduled)
        assert not marks["began", "b"].is_set()
        marks["a"].set()
    await marks["began", "b"].wait()
    marks["b"].set()
    assert [2, 2] == [(await server.finish(each)).output for each in (scheduled, last)]
    assert (1 if is_free else 2) == (await server.journal(scheduled)).count("workflow_queued")


@pytest.mark.parametrize("hours", [0.5, 2])
async def test_one_that_sleeps_past_the_hour_is_queued_when_it_wakes(serve, work, hours):
    """And one that wakes before needs no slot."""

    async def run(event, step):
        if event.schedule is None:
            return await work.run(event, step)
        await step.sleep("nap", f"{hours} hours")
        return "done"

    server = await serve(run, concurrency_limit=1)
    scheduled = await fire(server)
    await server.settled(scheduled)
    await server.clock.advance(hours * 3_600_000 - 60_000)
    await create(server, "a")
    await work.until_began("a")
    assert server.clock.next_timer is not None
    server.clock._fire_next()  # although a callback holds the clock
    expected = "complete" if hours < 1 else "queued"
    while expected != (await scheduled.status()).status:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await work.end("a")
    assert "done" == (await server.finish(scheduled)).output


async def test_after_a_restart_of_the_server_it_still_needs_no_slot(serve, work):
    """It is taken up beside the one that has the slot."""

    async def run(event, step):
        return await work.run(event, step)

    server = await serve(run, file=True, concurrency_limit=1)
    await create(server, "a")
    scheduled = await fire(server)
    await work.until_began("a", scheduled.id)
    await server.restart()
    await work.until_began("a", scheduled.id, "a", scheduled.id)
    assert "running" == (await (await server.get(scheduled.id)).status()).status
    await work.end("a", scheduled.id)
    await server.clock.settle()
