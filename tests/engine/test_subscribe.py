"""`instance.subscribe`: what was and what comes, over eviction, restart and the server's end."""

import asyncio
from contextlib import suppress

import programs
import pytest
from programs import OUTPUTS, effects

from cfworkflows import NonRetryableError, WorkflowError
from cfworkflows_emulator.engine.journal.entries import EVENT_TYPES, TERMINAL
from cfworkflows_emulator.storage import StateError
from cfworkflows_emulator.storage.database import Database

INVALID = "Invalid Workflow subscription options"


async def told(subscription):
    return [event async for event in subscription]


def types(events):
    return [f"{event.type} {event.stepName}" if "stepName" in event else event.type for event in events]


async def shown(server, instance):
    """What a subscription is to give, by the journal at the end."""
    _, entries = await server.engine.history(instance._workflow, instance.id)
    return [(entry.seq, entry.time, entry.type) for entry in entries if entry.type in EVENT_TYPES]


def seen(events):
    return [(event.eventId, event.timestamp, event.type) for event in events]


async def nap(step):
    await step.do("a", lambda: 1)
    await step.sleep("z", "1 hour")
    return await step.do("b", lambda: "x")


async def test_the_events_of_every_verb(serve):
    """Each with the platform's fields, and no others."""

    async def run(event, step):
        async def fail():
            raise ValueError("no")

        with suppress(ValueError):
            await step.do("bad", {"retries": {"limit": 1, "delay": "1 second"}}, fail)
        await step.do("secret", {"sensitive": "output"}, lambda: {"pin": 1})
        await step.do("nothing", lambda: None)
        await step.sleep("z", "1 hour")
        await step.wait_for_event("w", type="go")
        with suppress(TimeoutError):
            await step.wait_for_event("w", type="never", timeout="1 hour")
        return {"out": [1]}

    server = await serve(run)
    start = server.clock.now()
    instance = await server.create(id="i", params={"n": 1})
    await server.clock.advance(1000)
    await instance.send_event(type="go", payload=5)
    await server.finish(instance)
    events = await told(await instance.subscribe())
    assert await shown(server, instance) == seen(events)
    assert {"i"} == {event.instanceId for event in events}
    assert (start, 1) == (events[0].timestamp, events[0].eventId)
    common = ("instanceId", "eventId", "timestamp")
    bare = [{key: value for key, value in event.items() if key not in common} for event in events]
    retries = {"limit": 5, "delay": 10_000, "backoff": "exponential"}
    config = {"retries": retries, "timeout": "10 minutes"}
    own = {"retries": {"limit": 1, "delay": "1 second", "backoff": "exponential"}, "timeout": "10 minutes"}
    error = {"name": "ValueError", "message": "no"}

    def tried(step):
        return [
            {"type": "attempt_started", "stepName": step, "attempt": 1},
            {"type": "attempt_completed", "stepName": step, "attempt": 1},
        ]

    assert [
        {"type": "workflow_queued"},
        {"type": "workflow_started", "params": {"n": 1}},
        {"type": "workflow_running"},
        {"type": "step_started", "stepName": "bad-1", "config": own},
        {"type": "attempt_started", "stepName": "bad-1", "attempt": 1},
        {"type": "attempt_errored", "stepName": "bad-1", "attempt": 1, "retryDelayMs": 1000, "error": error},
        {"type": "attempt_started", "stepName": "bad-1", "attempt": 2},
        {"type": "attempt_errored", "stepName": "bad-1", "attempt": 2, "error": error},
        {"type": "step_errored", "stepName": "bad-1"},
        {"type": "step_started", "stepName": "secret-1", "config": {**config, "sensitive": "output"}},
        *tried("secret-1"),
        {"type": "step_completed", "stepName": "secret-1", "output": "[REDACTED]"},
        {"type": "step_started", "stepName": "nothing-1", "config": config},
        *tried("nothing-1"),
        {"type": "step_completed", "stepName": "nothing-1", "output": None},
        {"type": "sleep_started", "stepName": "z-1", "durationMs": 3_600_000},
        {"type": "sleep_completed", "stepName": "z-1"},
        {"type": "wait_started", "stepName": "w-1", "eventType": "go"},
        {"type": "wait_completed", "stepName": "w-1"},
        {"type": "wait_started", "stepName": "w-2", "eventType": "never"},
        {"type": "wait_timed_out", "stepName": "w-2"},
        {"type": "workflow_completed", "output": {"out": [1]}},
    ] == bare
    assert 5 == events[3].config.retries.limit or "limit" in events[3].config.retries


@pytest.mark.parametrize("end", ["errored", "terminated", "paused"])
async def test_the_events_of_the_other_ends(serve, end):
    """An error has name and message, and nothing of the traceback."""

    async def run(step):
        await step.sleep("z", "1 hour")
        raise NonRetryableError("bad")

    server = await serve(run)
    instance = await server.create()
    events = await instance.subscribe(filter=["workflow_errored", "workflow_terminated", "workflow_paused"])
    if end == "terminated":
        await instance.terminate()
    if end == "paused":
        await instance.pause()
        assert "workflow_paused" == (await events.next()).value.type
        await instance.resume()
    if end != "terminated":
        await server.finish(instance)
    (last,) = await told(events)
    assert ("workflow_terminated" if end == "terminated" else "workflow_errored") == last.type
    assert (None if end == "terminated" else {"name": "NonRetryableError", "message": "bad"}) == last.get("error")


@pytest.mark.parametrize("evict_after_ms", [None, 0])
@pytest.mark.parametrize("program", OUTPUTS, ids=lambda program: program.__name__)
async def test_live_events_have_no_gap_and_no_duplicate(serve, program, evict_after_ms):
    """A subscription from the start, and one that is renewed after each event: both give the whole journal."""
    effects.clear()
    server = await serve(program, evict_after_ms=evict_after_ms)
    instance = await server[program.__name__].create()

    async def renewed():
        events, cursor = [], 0
        while True:
            with await instance.subscribe({"cursor": cursor}) as subscription:
                result = await subscription.next()
            if result.done:
                return events
            events.append(result.value)
            cursor = result.value.eventId

    live = asyncio.ensure_future(told(await instance.subscribe()))
    anew = asyncio.ensure_future(renewed())
    assert OUTPUTS[program] == (await programs.finish(server, instance)).output
    assert await shown(server, instance) == seen(await live) == seen(await anew)
    assert {} == server.engine.store._watched


async def test_an_event_is_told_only_when_it_is_on_disk(serve, monkeypatch):
    """A commit that hangs keeps it back, although the state in memory knows of it."""
    server = await serve(nap)
    instance = await server.create()
    events = await instance.subscribe(cursor=8)
    waiting = asyncio.ensure_future(events.next())
    hangs, go, transaction = asyncio.Event(), asyncio.Event(), Database.transaction

    async def hang(database, function):
        hangs.set()
        await go.wait()
        return await transaction(database, function)

    monkeypatch.setattr(Database, "is_idle", False)
    monkeypatch.setattr(Database, "transaction", hang)
    pausing = asyncio.ensure_future(instance.pause())
    await hangs.wait()
    # Reads take their turn before the commit: what is read now is what was there before.
    assert "sleep_started" == (await server.engine.store.journal(1))[-1].type
    assert "paused" == next(iter(server.engine.residents.actors.values())).state.status
    assert not waiting.done()
    go.set()
    await pausing
    assert "workflow_waiting_for_pause" == (await waiting).value.type
    assert "workflow_paused" == (await events.next()).value.type


@pytest.mark.parametrize("type", sorted(EVENT_TYPES))
async def test_a_filter_shows_what_it_names_and_ends_all_the_same(serve, type):
    """Also if it leaves out the end."""
    server = await serve(nap)
    instance = await server.create()
    live = await instance.subscribe({"filter": [type]})
    await server.finish(instance)
    expected = [event for event in await shown(server, instance) if event[2] == type]
    assert expected == seen(await told(live)) == seen(await told(await instance.subscribe(filter=(type,))))


async def test_a_cursor_begins_behind_an_event(serve):
    """At the end, or beyond it, there is nothing more; a secret stays one although its start is not shown."""

    async def run(step):
        return await step.do("secret", {"sensitive": "output"}, lambda: 5)

    server = await serve(run)
    instance = await server.create()
    every = await told(await instance.subscribe({"cursor": 0}))
    for count in range(1, len(every)):
        cursor = every[count - 1].eventId
        assert every[count:] == await told(await instance.subscribe({"cursor": cursor}))
    assert "[REDACTED]" == every[-2].output
    assert 5 == every[-1].output
    for cursor in (every[-1].eventId, 999):
        assert {"done": True, "value": None} == await (await instance.subscribe(cursor=cursor)).next()


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ([], "expected an object with cursor and filter, got []."),
        (5, "expected an object"),
        ({"cursr": 1}, "there is no option cursr"),
        ({"cursor": -1}, "cursor must be"),
        ({"cursor": 1.5}, "cursor must be"),
        ({"cursor": "1"}, "cursor must be"),
        ({"cursor": True}, "cursor must be"),
        ({"filter": "step_started"}, "filter must be a list"),
        ({"filter": {"step_started": 1}}, "filter must be a list"),
        ({"filter": ["step_failed"]}, "filter: 'step_failed' is no event type"),
        ({"filter": ["event_received"]}, "filter: 'event_received' is no event type"),
        ({"filter": [["step_started"]]}, "filter: ['step_started'] is no event type"),
    ],
)
async def test_options_that_are_invalid(serve, options, note):
    """The platform's text, and a note that says what is wrong."""
    server = await serve(nap)
    instance = await server.create()
    with pytest.raises(Exception, match=INVALID) as caught:
        await instance.subscribe(options)
    assert (Exception, INVALID) == (type(caught.value), str(caught.value))
    assert caught.value.__notes__[0].startswith(note)


async def test_a_step_that_ends_after_its_instance_is_no_event(serve):
    """Neither for a new subscription nor for one that goes on behind the end."""
    began, go = asyncio.Event(), asyncio.Event()

    async def run(step):
        async def work():
            began.set()
            await go.wait()

        step.do("lost", work)
        await began.wait()

    server = await serve(run)
    instance = await server.create()
    await server.settled(instance)
    events = await told(await instance.subscribe())
    go.set()
    await server.unloaded()
    assert "step_completed lost-1" == (await server.journal(instance))[-1]
    assert events == await told(await instance.subscribe())
    assert "workflow_completed" == events[-1].type
    assert [] == await told(await instance.subscribe(cursor=events[-1].eventId))


async def test_an_instance_that_is_not_there(serve):
    """As everywhere."""
    server = await serve(nap)
    with pytest.raises(WorkflowError, match=r"instance\.not_found"):
        await server.engine.subscribe("nap", "i")


async def test_calls_of_next_at_the_same_time_get_one_event_each(serve):
    """In the order in which they were made."""
    server = await serve(nap)
    instance = await server.create()
    events = await instance.subscribe()
    calls = [asyncio.ensure_future(events.next()) for _ in range(20)]
    await server.finish(instance)
    results = await asyncio.gather(*calls)
    expected = await shown(server, instance)
    assert expected == seen([result.value for result in results if not result.done])
    assert [{"done": True, "value": None}] * (20 - len(expected)) == results[len(expected) :]


async def test_a_next_that_was_cancelled_loses_no_event(serve):
    """The next call gets it."""
    server = await serve(nap)
    instance = await server.create()
    events = await instance.subscribe()
    given = []
    for turns in range(60):
        call = asyncio.ensure_future(events.next())
        for _ in range(turns % 7):
            await asyncio.sleep(0)
        call.cancel()
        with suppress(asyncio.CancelledError):
            given.append((await call).value)
    finished = asyncio.ensure_future(server.finish(instance))
    given += await told(events)
    await finished
    assert await shown(server, instance) == seen(given)


@pytest.mark.parametrize("how", ["close", "dispose", "with", "async with"])
async def test_a_subscription_that_is_closed_is_done(serve, how):
    """Also for those that wait for its next event, and nothing of it is left."""
    server = await serve(nap)
    instance = await server.create()
    events = await instance.subscribe(cursor=8)
    waiting = asyncio.ensure_future(events.next())
    await asyncio.sleep(0)
    assert [1] == list(server.engine.store._watched)
    if how == "with":
        with events as entered:
            assert entered is events
    elif how == "async with":
        async with events as entered:
            assert entered is events
    else:
        getattr(events, how)()
    assert [{"done": True, "value": None}] * 2 == [await waiting, await events.next()]
    assert {} == server.engine.store._watched


async def test_a_subscription_brings_no_instance_back_and_keeps_none_in_memory(serve):
    """It sees what happens when others do."""
    server = await serve(nap, evict_after_ms=0)
    instance = await server.create()
    await server.clock.advance(0)
    live = asyncio.ensure_future(told(await instance.subscribe()))
    await server.clock.advance(0)
    assert {} == server.engine.residents.actors
    await server.clock.advance("1 hour")
    assert await shown(server, instance) == seen(await live)


@pytest.mark.parametrize("start", [None, {"name": "a"}, {"name": "z", "type": "sleep"}])
async def test_a_restart_is_followed_by_the_events_of_the_new_life(serve, start):
    """With higher ids: none that was told is told again, and the end of the old life is not the end."""
    server = await serve(nap)
    instance = await server.create()
    events = await instance.subscribe()
    before = []
    while not before or before[-1].type != "sleep_started":
        before.append((await events.next()).value)
    _, entries = await server.engine.history("nap", instance.id)
    await instance.restart({"from": start})
    await server.finish(instance)
    after = await told(events)
    assert [event for event in await shown(server, instance) if event[0] > entries[-1].seq] == seen(after)
    new = ["workflow_running"] if start else ["workflow_queued", "workflow_started", "workflow_running"]
    assert new == types(after)[: len(new)]
    assert "workflow_completed" == after[-1].type
    if not start:
        assert {} == after[1].params


async def test_a_finished_subscription_stays_so_and_a_new_one_sees_the_restart(serve):
    """From the end of the old life on, by its cursor."""
    server = await serve(nap)
    instance = await server.create()
    await server.finish(instance)
    events = await instance.subscribe()
    last = (await told(events))[-1]
    await instance.restart(from_={"name": "b"})
    await server.clock.settle()
    assert (await events.next()).done
    anew = types(await told(await instance.subscribe(cursor=last.eventId)))
    assert ["workflow_running", "step_started b-1", "attempt_started b-1", "attempt_completed b-1"] == anew[:4]
    assert 2 == len(anew[4:])


async def test_a_new_process_goes_on_at_the_cursor(serve):
    """The ids are those of before."""
    server = await serve(nap, file=True)
    instance = await server.create()
    events = await instance.subscribe()
    first = [(await events.next()).value for _ in range(5)]
    await server.restart()
    instance = await server.get(instance.id)
    await server.finish(instance)
    rest = await told(await instance.subscribe(cursor=first[-1].eventId))
    assert await shown(server, instance) == seen(first + rest)


async def test_the_end_of_the_server_is_told(serve):
    """To those that wait, and to those that ask later."""
    server = await serve(nap)
    instance = await server.create()
    events = await instance.subscribe(cursor=8)
    waiting = asyncio.ensure_future(events.next())
    await asyncio.sleep(0)
    await server.stop()
    for call in (waiting, events.next()):
        with pytest.raises(WorkflowError, match=r"\(instance\.unavailable\) The server is stopping"):
            await call


async def test_a_server_about_to_stop_ends_those_that_only_look_on(serve):
    """What the Worker itself subscribed to goes on: the requests under way may still be answered."""
    server = await serve(nap)
    instance = await server.create(id="i")
    own = await instance.subscribe()
    looking_on = await server.engine.subscribe(instance._workflow, "i", previews=True)
    feed = server.engine.follow(instance._workflow)
    server.engine.end_subscriptions(onlookers_only=True)
    for ended in (looking_on.next, feed.events().__anext__):
        with pytest.raises(WorkflowError, match=r"\(instance\.unavailable\) The server is stopping"):
            await ended()
    await server.finish(instance)
    assert "workflow_completed" == (await told(own))[-1].type


async def test_a_disk_that_fails_is_told(serve):
    """After everything that got there."""
    server = await serve(nap, file=True)
    instance = await server.create()
    await server.database.run(
        lambda c: c.execute(
            "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    )
    events = asyncio.ensure_future(told(await instance.subscribe(cursor=8)))
    await asyncio.sleep(0)
    await server.clock.advance("1 hour")
    with pytest.raises(StateError, match="disk is full"):
        await events
    await server.kill()


def test_the_terminal_types_are_event_types():
    """And the fold knows them as ends."""
    assert {"workflow_completed", "workflow_errored", "workflow_terminated"} == TERMINAL < EVENT_TYPES
