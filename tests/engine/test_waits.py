"""`step.sleep`, `step.sleep_until`, `step.wait_for_event`, and steps side by side and inside each other."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cfworkflows import DurationError, WorkflowError, WorkflowFatalError, WorkflowTimeoutError

DAY = 86_400_000
EVICTION = pytest.mark.parametrize("evict_after_ms", [None, 0])


@EVICTION
async def test_a_sleep_lasts_as_long_as_it_says(serve, evict_after_ms):
    """Text, milliseconds and timedeltas; the status is waiting meanwhile."""

    async def run(step):
        await step.sleep("text", "2 days")
        await step.sleep("number", 1500.5)
        await step.sleep("delta", timedelta(hours=1))
        await step.sleep("nothing", 0)

    server = await serve(run, evict_after_ms=evict_after_ms)
    start = server.clock.now()
    instance = await server.create()
    assert "waiting" == (await instance.status()).status
    await server.finish(instance)
    assert 2 * DAY + 1501 + 3_600_000 == server.clock.now() - start


@EVICTION
async def test_sleep_until_a_time_that_has_passed_by_the_replay(serve, evict_after_ms):
    """It is asked once whether the time is past; a replay after it goes on."""

    async def run(event, step):
        await step.sleep_until("until", event.timestamp + timedelta(hours=1))
        await step.sleep("on", "1 day")
        with pytest.raises(Exception, match=r"^You can't sleep until a time in the past, time-traveler$") as caught:
            await step.sleepUntil("past", event.timestamp)
        assert Exception is type(caught.value)
        await step.sleep("on", "1 day")
        return "arrived"

    assert "arrived" == await (await serve(run, evict_after_ms=evict_after_ms)).run()


async def test_sleep_until_takes_datetimes_and_milliseconds(serve):
    """A naive datetime is UTC."""

    async def run(step):
        await step.sleep_until("aware", datetime(2026, 1, 2, tzinfo=UTC))
        await step.sleep_until("naive", datetime(2026, 1, 3))  # noqa: DTZ001
        await step.sleep_until("ms", 1_767_225_600_000 + 3 * DAY)

    server = await serve(run)
    await server.run()
    assert datetime(2026, 1, 4, tzinfo=UTC).timestamp() * 1000 == server.clock.now()


@pytest.mark.parametrize("duration", ["5minutes", "banana", -1, float("nan"), None, True])
async def test_what_is_no_duration_is_refused_with_the_grammar(serve, duration):
    """At the call, for sleeps and for timeouts of waits."""

    async def run(step):
        with pytest.raises(DurationError) as caught:
            await step.sleep("s", duration)
        if duration is not None:
            with pytest.raises(DurationError):
                await step.wait_for_event("w", type="t", timeout=duration)
        return str(caught.value)

    text = await (await serve(run)).run()
    assert "<number> <unit>" in text or "must be finite and not negative" in text


@pytest.mark.parametrize(
    "call",
    [
        lambda step: step.sleep("s", "366 days"),
        lambda step: step.sleep_until("s", 2e15),
        lambda step: step.sleep_until("s", "tomorrow"),
        lambda step: step.sleep_until("s", float("nan")),
        lambda step: step.wait_for_event("w", type="t", timeout="366 days"),
        lambda step: step.wait_for_event("w", type="t", timeout=999),
        lambda step: step.wait_for_event("w", type="a.b"),
        lambda step: step.wait_for_event("w", type="t" * 101),
        lambda step: step.wait_for_event("w"),
        lambda step: step.wait_for_event("w", 5),
        lambda step: step.wait_for_event("w", {"type": "t", "timeuot": 1}),
        lambda step: step.sleep("x" * 257, 1),
    ],
)
async def test_what_the_platform_does_not_take_is_refused(serve, call):
    """Too long, no type, no options: a WorkflowFatalError that can be caught, and nothing in the journal."""

    async def run(step):
        with pytest.raises(WorkflowFatalError):
            await call(step)

    server = await serve(run)
    await server.run(id="i")
    assert not [e for e in await server.journal(await server.get("i")) if "sleep" in e or "wait" in e]


@pytest.mark.parametrize("options", [None, {"event": "x"}, {"type": None, "timeout": 1000}])
async def test_a_wait_without_a_type_says_what_is_missing(serve, options):
    """In the words of `cfwf check`, behind the platform's name for it."""

    async def run(step):
        with pytest.raises(WorkflowFatalError) as caught:
            step.wait_for_event("w", options)
        return str(caught.value)

    missing = "(workflow.invalid_event_type) The wait has no type of event: nothing can end it. "
    fix = 'Add one: step.wait_for_event("…", {"type": "approval"})'
    wrong = '"event" is no option of a wait, which has type and timeout. ' if options and "event" in options else ""
    assert missing + wrong + fix == await (await serve(run)).run()


@EVICTION
async def test_events_are_buffered_in_order_and_by_type(serve, evict_after_ms):
    """Sent before the wait is reached: each wait gets the oldest of its type, other types stay."""

    async def run(step):
        await step.sleep("nap", "1 day")
        first = await step.wait_for_event("a", {"type": "go", "timeout": "1 hour"})
        second = await step.waitForEvent("b", "go")
        with pytest.raises(WorkflowTimeoutError, match=r"^Execution timed out after 86400000ms$"):
            await step.wait_for_event("c", type="go")
        return [first, second.payload]

    server = await serve(run, evict_after_ms=evict_after_ms)
    instance = await server.create()
    sent = server.clock.now()
    await instance.send_event(type="other", payload=0)
    await instance.send_event({"type": "go", "payload": {"n": 1}})
    await instance.sendEvent(type="go", payload=2)
    status = await server.finish(instance)
    event, second = status.output
    stamp = datetime.fromtimestamp(sent / 1000, UTC)
    assert ({"payload": {"n": 1}, "type": "go", "timestamp": stamp}, 2) == (event, second)
    assert ["other"] == [entry.data["eventType"] for entry in (await server.state(instance)).events]


@EVICTION
async def test_the_wait_that_is_oldest_gets_the_event(serve, evict_after_ms):
    """Also if a replay comes to another one first."""

    async def run(step):
        async def later():
            await step.do("work", lambda: 1)  # on a replay this takes no time
            await step.sleep("nap", "1 hour")
            return (await step.wait_for_event("later", type="go", timeout="7 days")).payload

        async def sooner():
            for _ in range(5):
                await asyncio.sleep(0)
            return (await step.wait_for_event("sooner", type="go", timeout="7 days")).payload

        return await asyncio.gather(later(), sooner())

    server = await serve(run, evict_after_ms=evict_after_ms)
    instance = await server.create()
    await server.clock.advance("2 hours")
    await instance.send_event(type="go", payload="first")
    await server.clock.settle()
    assert "waiting" == (await instance.status()).status
    await instance.send_event(type="go", payload="second")
    assert ["second", "first"] == (await server.settled(instance)).output


@EVICTION
async def test_two_events_at_once_wake_two_waits(serve, evict_after_ms):
    """In the order of the waits, and the third goes on waiting."""

    async def run(step):
        waits = [step.wait_for_event(f"w{n}", type="go") for n in range(3)]
        return [event.payload for event in await asyncio.gather(*waits)]

    server = await serve(run, evict_after_ms=evict_after_ms)
    instance = await server.create()
    await server.clock.advance(0)
    await asyncio.gather(instance.send_event(type="go", payload=0), instance.send_event(type="go", payload=1))
    assert "waiting" == (await server.settled(instance)).status
    await instance.send_event(type="go", payload=2)
    assert [0, 1, 2] == (await server.settled(instance)).output


@EVICTION
@pytest.mark.parametrize(("late", "output"), [(0, "got"), (1, "timed out")])
async def test_an_event_at_the_very_moment_of_the_timeout(serve, evict_after_ms, late, output):
    """An event of that millisecond counts; one that came after it is not for that wait, though it is not yet awake."""

    async def run(step):
        try:
            await step.wait_for_event("w", type="go", timeout="1 hour")
        except WorkflowTimeoutError:
            return "timed out"
        return "got"

    server = await serve(run, evict_after_ms=evict_after_ms)
    instance = await server.create()
    await server.clock.advance("59 minutes")
    server.clock._now += 60_000 + late
    await instance.send_event(type="go")
    await server.clock.advance(0)
    assert output == (await server.settled(instance)).output
    assert 1 - (output == "got") == len((await server.state(instance)).events)


async def test_a_wait_that_has_gone_from_the_code_keeps_no_event(serve):
    """The code was changed while the instance waited: the event goes to the wait that is there now."""
    name = "old"

    async def run(step):
        return (await step.wait_for_event(name, type="go", timeout="3 days")).payload

    server = await serve(run, file=True)
    instance = await server.create(id="i")
    name = "new"
    await server.clock.advance("1 hour")
    await server.restart()
    instance = await server.get("i")
    await instance.send_event(type="go", payload=1)
    assert 1 == (await server.settled(instance)).output


async def test_a_timer_that_has_gone_from_the_code_does_not_wake_for_ever(serve):
    """After the old deadline the instance sleeps on to the new one."""
    name, runs = "old", []

    async def run(step):
        runs.append(1)
        await step.sleep(name, "3 days")
        return "slept"

    server = await serve(run, file=True, evict_after_ms=0)
    await server.create(id="i")
    name = "new"
    await server.clock.advance("1 day")
    await server.restart()
    await (await server.get("i")).send_event(type="wake")
    await server.clock.advance("2 days")
    await server.clock.advance("23 hours")
    assert len(runs) < 5
    assert "slept" == (await server.finish(await server.get("i"))).output


async def test_an_event_to_an_instance_that_has_ended_is_refused(serve):
    """The platform's production rule."""

    async def run(step):
        return 1

    server = await serve(run)
    instance = await server.create(id="i")
    with pytest.raises(WorkflowError, match=r"\(instance.not_running\) .* it is complete"):
        await instance.send_event(type="go")
    assert {} == server.engine.residents.actors


@EVICTION
async def test_a_call_that_comes_to_nothing_keeps_no_time_from_passing(serve, evict_after_ms):
    """Beside a wait: a call that is refused, or was done before, leaves the instance waiting."""

    async def run(event, step):
        async def refused():
            await step.sleep("nap", "1 hour")
            with pytest.raises(WorkflowFatalError):
                await step.wait_for_event("w", type="a.b")
            with pytest.raises(Exception, match="time-traveler"):
                await step.sleep_until("past", event.timestamp)

        await asyncio.gather(step.sleep("long", "2 hours"), refused())
        return "done"

    server = await serve(run, evict_after_ms=evict_after_ms)
    instance = await server.create()
    await server.clock.advance("1 hour")
    await asyncio.wait_for(server.clock.settle(), 10)
    assert "waiting" == (await server.engine.list("run"))[0].status
    assert "done" == (await server.finish(instance)).output
