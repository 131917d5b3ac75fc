"""A Worker's code was changed while an instance was under way: the platform's rules stay, and a diagnosis says so."""

import asyncio
import logging
import re
from contextlib import suppress

import pytest
from changing import Code, run
from world import workflow

from cfworkflows import WorkflowError
from cfworkflows_emulator.views import History, describe_instance

HOUR_MS = 3_600_000
KEPT = "The stored deadline is kept."


@pytest.fixture
def change(serve, caplog):
    """`texts, instance, server = await change(before, after)`: run `before` until it waits, then `after` to its end.

    The texts are the diagnoses without their lines. They are checked to be what was logged, once, and to stay the same
    however often the instance is replayed.
    """

    async def change(before, after, evict_after_ms=None):
        caplog.clear()
        server = await serve(run(before), file=True, evict_after_ms=evict_after_ms)
        instance = await server.create(id="i")
        server.classes[:] = [workflow(run(after))]
        for _ in range(2):
            await server.settled(instance)
            await server.restart()
            instance = await server.get("i")
            with suppress(WorkflowError):  # it has ended
                await instance.send_event(type="whatever")  # takes it up
            await server.clock.advance(0)
        await server.finish(instance)
        found = await server.engine.diagnosis("run", "i")
        warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
        logged = [message for message in warnings if "the code changed" in message]
        assert [f"run/i: {each}" for each in found] == logged
        return [plain(each) for each in found], instance, server

    return change


def plain(diagnosis):
    """What it says behind the colon, without lines."""
    text = str(diagnosis).removeprefix("the code changed, or does not do the same each time: ")
    return re.sub(r" \(ran at \S+\)| at \S+\.py:\d+", "", text)


async def test_the_lines_of_both_calls_are_named(serve, caplog, monkeypatch):
    """Where the step ran, where the new one is, relative to the working folder; before the new callback is called."""
    seen = []

    async def run(step):
        await step.do("charge", lambda: 1)
        await step.sleep("nap", "1 hour")

    server = await serve(run, file=True)
    await server.settled(await server.create(id="i"))
    before = run

    async def run(step):
        await step.do("charge card", lambda: seen.append(caplog.messages[-1]))
        await step.sleep("nap", "1 hour")

    server.classes[:] = [workflow(run)]
    monkeypatch.chdir(__file__.rpartition("/")[0])
    await server.restart()
    instance = await server.get("i")
    await instance.send_event(type="whatever")  # takes it up
    await server.settled(instance)
    old, new = (f"test_changed_code.py:{code.__code__.co_firstlineno + 1}" for code in (before, run))
    told = "run/i: the code changed, or does not do the same each time: "
    mend = 'if it was renamed, call it "charge" again, or it is done once more'
    text = f'{told}step "charge card-1" at {new} is new, where step "charge-1" (ran at {old}) came next: {mend}'
    assert [text] == seen
    assert [text] == [message for message in caplog.messages if "the code changed" in message]


def renamed(was, is_, kind="step"):
    mend = f'if it was renamed, call it "{was}" again, or it is done once more'
    return f'{kind} "{is_}-1" is new, where {kind} "{was}-1" came next: {mend}'


CHANGES = {
    "renamed": (["a", "b", "~nap"], ["a", "c", "~nap"], [renamed("b", "c")]),
    "renamed, and more to come": (["a", "b", "?go", "last"], ["a", "c", "?go", "last"], [renamed("b", "c")]),
    "a sleep renamed": (["~nap", "?go", "last"], ["~rest", "?go", "last"], [renamed("nap", "rest", "sleep")]),
    "two renamed": (["a", "b", "~nap"], ["c", "d", "~nap"], [
        renamed("a", "c"), renamed("b", "d"), 'step "a-1" and step "b-1" were not called again',
    ]),
    "removed": (["a", "b", "~nap"], ["a", "~nap"], ['step "b-1" was not called again']),
    "removed, with what the instance waits for": (["a", "~nap"], ["a"], ['sleep "nap-1" was not called again']),
    "all removed": (["a", "~nap"], [], ['step "a-1" and sleep "nap-1" were not called again']),
    "reordered": (["a", "b", "~nap"], ["b", "a", "~nap"], [
        'step "a-1" is called after step "b-1", and was called before it',
    ]),
    "inserted": (["a", "~nap", "b"], ["a", "x", "~nap", "b"], [
        'sleep "nap-1" was not called before step "x-1", which is new',
    ]),
    "inserted in front of its like": (["a", "b", "~nap"], ["a", "x", "b", "~nap"], [renamed("b", "x")]),
    "renamed and removed": (["a", "b", "~nap"], ["c", "~nap"], [
        renamed("a", "c"), 'step "a-1" and step "b-1" were not called again',
    ]),
    "several inserted": (["a", "~nap"], ["x", "a", "y", "~nap"], [
        renamed("a", "x"),
        'sleep "nap-1" was not called before step "y-1", which is new',
    ]),
    "a sleep inserted": (["a", "b", "~nap"], ["a", "~pause", "b", "~nap"], [
        'step "b-1" was not called before sleep "pause-1", which is new',
    ]),
    "moved behind a new sleep": (["a", "b", "c", "~nap"], ["a", "c", "~pause", "b", "~nap"], [
        'step "b-1" was not called before sleep "pause-1", which is new',
        'step "b-1" is called after step "c-1", and was called before it',
    ]),
    "a step made a sleep": (["a", "~nap"], ["~a", "~nap"], [
        'step "a-1" was not called before sleep "a-1", which is new',
        'step "a-1" was not called again',
    ]),
    "a sleep made a wait": (["a", "~nap"], ["a", "?nap"], [
        'sleep "nap-1" was not called before wait "nap-1", which is new',
        'sleep "nap-1" was not called again',
    ]),
    "called less often": (["a", "a", "a", "~nap"], ["a", "a", "~nap"], ['step "a-3" was not called again']),
    "called more often": (["a", "a", "~nap"], ["a", "a", "a", "~nap"], [
        'sleep "nap-1" was not called before step "a-3", which is new',
    ]),
    "removed side by side": ([(["a", "~x"], ["b", "~y"])], [(["a", "~x"], ["~y"])], [
        'step "b-1" was not called again',
    ]),
    "it fails before": (["a", "b", "~nap"], ["a", "!"], ['step "b-1" and sleep "nap-1" were not called again']),
    "many removed": ([*"abcdefg", "~nap"], ["~nap"], [
        'step "a-1", step "b-1", step "c-1", step "d-1", step "e-1" and 2 more were not called again',
    ]),
}  # fmt: skip


@pytest.mark.parametrize("evict_after_ms", [None, 0])
@pytest.mark.parametrize("name", CHANGES)
async def test_each_kind_of_change_is_told_once(change, name, evict_after_ms):
    """However often the instance is replayed: what was not called again, what is new, what is in another order."""
    before, after, expected = CHANGES[name]
    assert expected == (await change(Code(*before), Code(*after), evict_after_ms))[0]


async def test_a_change_among_steps_side_by_side_is_told_when_the_run_goes_no_further(change):
    """When it leaves memory: there is a new step and one that was not called; when it ends: that one never was."""
    before, after = [(["a"], ["b", "~nap"])], [(["a"], ["c", "~nap"])]
    last = 'step "b-1" was not called again'
    assert [renamed("b", "c")] == (await change(Code(*before), Code(*after), 0))[0]
    assert [last] == (await change(Code(*before), Code(*after)))[0]
    after = [(["a"], ["~pause", "b", "~nap"])]
    first = 'step "b-1" was not called before sleep "pause-1", which is new'
    assert [first] == (await change(Code(*before), Code(*after), 0))[0]


UNCHANGED = {
    "behind what was reached": (["a", "~nap", "b"], ["a", "~nap", "c", "~more", "d"]),
    "in front of what was reached, side by side": ([(["a", "~x"], ["b", "~y"])], [(["b", "~y"], ["a", "~x"])]),
    "one after the other made side by side": (["a", "b", "~nap"], [(["a"], ["b"]), "~nap"]),
    "failing at once": (["a", "~nap"], ["!"]),
}


@pytest.mark.parametrize("name", UNCHANGED)
async def test_a_change_that_does_no_harm_is_not_told(change, name):
    """Nothing that is in the journal was passed by."""
    before, after = UNCHANGED[name]
    assert [] == (await change(Code(*before), Code(*after)))[0]


async def test_the_rules_of_the_platform_stay(change):
    """A stored step gives its result under its name, wherever it is called; one that the journal lacks runs."""
    before, after = Code("a", "b", "~nap"), Code("c", "b", "~nap", "a")
    texts, instance, _ = await change(before, after)
    assert (["a", "b"], ["c"]) == (before.ran, after.ran)
    assert ["c", "b", "a"] == (await instance.status()).output
    assert renamed("a", "c") == texts[0]


async def test_a_changed_duration_leaves_the_end_of_a_sleep(change):
    """And is not told: a duration may be worked out from the time there is left."""

    def napping(hours):
        async def code(step):
            await step.sleep("nap", hours * HOUR_MS)

        return code

    texts, _, server = await change(napping(2), napping(5))
    state = await server.engine.state("run", "i")
    assert ([], state.queued.time + 2 * HOUR_MS) == (texts, state.sleeps["nap-1"].until)
    assert state.sleeps["nap-1"].until == server.clock.now()


async def test_a_time_that_has_passed_ends_no_instance(change):
    """A stored sleep_until is not checked again, though its time is in the past at a replay; a new one is."""
    times = []

    async def before(step):
        times.append(step._driver._run.clock.now() + HOUR_MS)
        await step.sleep_until("until", times[0])
        await step.sleep("nap", "1 hour")

    async def after(step):
        await step.sleep_until("until", times[0])
        await step.sleep("nap", "1 hour")
        with suppress(Exception):
            await step.sleep_until("until", times[0])

    texts, instance, _ = await change(before, after)
    assert ([], "complete") == (texts, (await instance.status()).status)


async def test_a_condition_on_who_came_first_is_told(serve):
    """A race outside of a step: on the replay the event is there as well, and another branch is taken."""

    async def run(step):
        nap, go = step.sleep("nap", "1 hour"), step.wait_for_event("go", type="go")
        await asyncio.wait([nap, go], return_when=asyncio.FIRST_COMPLETED)
        await step.do("came" if go.done() else "did not come", lambda: 1)
        await step.sleep("rest", "1 day")

    server = await serve(run, evict_after_ms=0)
    instance = await server.create(id="i")
    await server.clock.advance("1 hour")
    await instance.send_event(type="go")
    await server.clock.advance("1 hour")
    await server.finish(instance)
    assert [renamed("did not come", "came")] == [plain(each) for each in await server.engine.diagnosis("run", "i")]


async def test_the_explorer_shows_it_and_a_subscription_does_not(change):
    """A field of ours in the details of an instance, and no event that the platform does not have."""
    _, instance, server = await change(Code("a", "~nap"), Code("~nap"))
    _, entries = await server.engine.history("run", "i")
    (text,) = describe_instance(History.of(entries))["diagnosis"]
    assert text.endswith("was not called again")
    assert "replay_diverged" in {entry.type for entry in entries}
    events = [event.type async for event in await instance.subscribe()]
    assert "replay_diverged" not in events
    _, _, server = await change(Code("a"), Code("a"))
    _, entries = await server.engine.history("run", "i")
    assert describe_instance(History.of(entries))["diagnosis"] is None


async def test_a_restart_from_a_step_keeps_it_and_a_full_one_does_not(change):
    """After a restart from a step the steps before it are still those that the older code left."""
    texts, instance, server = await change(Code("a", "b", "~nap", "c"), Code("a", "~nap", "c"))
    await instance.restart(from_={"name": "c"})
    await server.finish(instance)
    assert texts == [plain(each) for each in await server.engine.diagnosis("run", "i")]
    await instance.restart()
    await server.finish(instance)
    assert [] == await server.engine.diagnosis("run", "i")


async def test_a_stored_sleep_or_wait_that_the_code_changed_is_kept_and_told(serve, caplog):
    """The deadline and the type are those that are stored, and both texts say so; unchanged ones say nothing."""

    def code(nap, event_type, timeout):
        async def run(step):
            await step.sleep("same", "1 hour")
            await step.sleep("nap", nap)
            return (await step.wait_for_event("answer", type=event_type, timeout=timeout)).payload

        return run

    caplog.set_level(logging.INFO, "cfworkflows.engine")
    server = await serve(code("1 hour", "yes", "1 day"), file=True, evict_after_ms=None)
    await server.create(id="i")
    await server.clock.advance("90 minutes")
    for changed in (code("3 hours", "yes", "1 day"), code("3 hours", "no", "2 days")):
        server.classes[:] = [workflow(changed)]
        await server.restart()
        await server.clock.advance("30 minutes")
    instance = await server.get("i")
    await instance.send_event(type="yes", payload=1)
    await server.finish(instance)
    assert 1 == (await instance.status()).output
    assert [
        f"run/i: sleep nap-1 lasts 10800 s in the code now, and lasted 3600 s when it began. {KEPT}",
        'run/i: wait answer-1 is for an event "no" in the code now, and was for "yes" when it began. That is kept.',
        f"run/i: wait answer-1 times out after 172800 s in the code now, and after 86400 s when it began. {KEPT}",
    ] == list(dict.fromkeys(text for each in caplog.records if "in the code now" in (text := each.getMessage())))
