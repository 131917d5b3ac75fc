"""Branches whose steps have one name, and races whose losers go on: what time decides is the same again, or told."""

import asyncio
import os
from collections import Counter

import pytest
import random_programs
from hypothesis import HealthCheck, given, settings

from cfworkflows import NonRetryableError
from cfworkflows_emulator.engine.divergence import determinism
from cfworkflows_emulator.engine.divergence.held import held_by
from cfworkflows_emulator.engine.journal.entries import STARTS, Entry
from cfworkflows_emulator.engine.journal.state import InstanceState

EXAMPLES = 150
MOST_KILLS = 5


def branches(*hours, name="ship"):
    """`run()` with a branch for each of the hours: it sleeps so long, and calls the step `name`."""

    async def run(step):
        async def branch(i):
            await step.sleep(f"nap {i}", f"{hours[i]} hours")
            return await step.do(name.format(i), lambda: i)

        return await asyncio.gather(*(branch(i) for i in range(len(hours))))

    return run


async def finished(server, instance):
    """The output, and what was said, when all has been looked at."""
    status = await server.finish(instance)
    await server.engine.activity.rehearsed()
    return status.output, await server.engine.diagnosis("run", instance.id)


async def test_branches_that_sleep_for_unequal_times_are_told_on_the_first_run(serve):
    """It is right as long as nothing replays it; the sentence has both lines, and what to do."""
    server = await serve(branches(3, 2, 1), evict_after_ms=None)
    output, (told,) = await finished(server, await server.create(id="i"))
    assert [0, 1, 2] == output
    line = told.mixed[0].at
    assert line is not None
    assert line.startswith(f"{__file__}:")
    assert 2 == str(told).count(f"{os.path.basename(__file__)}:")  # noqa: PTH119 - a name in a text
    assert 'Time decides which of the branches calls step "ship" first' in str(told)
    assert 'f"ship {i}"' in str(told)


async def test_a_step_of_another_branch_is_told_before_its_result_goes_any_further(serve):
    """At the replay, before the step that gets the wrong result begins its own."""
    server = await serve(branches(3, 2, 1), evict_after_ms=0)
    instance = await server.create(id="i")
    output, diagnoses = await finished(server, instance)
    assert [2, 2, 2] == output  # so it is on the platform
    assert 1 == len(diagnoses)
    journal = await server.journal(instance)
    assert journal.index("replay_diverged") == journal.index("step_started ship-2") - 1


async def test_a_step_in_front_is_as_bad_as_a_sleep(serve):
    """The callback of one branch ends when the next has come to its step already."""
    shipped = asyncio.Event()

    async def run(step):
        async def ship(i):
            shipped.set()
            return i

        async def branch(i, check):
            await step.do(f"check {i}", check)
            return await step.do("ship", lambda: ship(i))

        return await asyncio.gather(branch(0, shipped.wait), branch(1, lambda: True))

    server = await serve(run, evict_after_ms=None)
    output, (told,) = await finished(server, await server.create(id="i"))
    assert [0, 1] == output
    assert "ship" == told.mixed[0].name


@pytest.mark.parametrize(("hours", "name"), [((1, 1, 1), "ship"), ((1, 2, 3), "ship"), ((3, 2, 1), "ship {}")], ids=str)
@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_branches_that_do_the_same_again_are_not_told(serve, hours, name, evict_after_ms):
    """Those of equal sleeps, those that sleep ever longer, and those with names of their own."""
    server = await serve(branches(*hours, name=name), evict_after_ms=evict_after_ms)
    assert ([0, 1, 2], []) == await finished(server, await server.create(id="i"))


async def test_what_run_calls_behind_its_branches_is_not_theirs(serve):
    """It is called last at every replay, whatever its name."""

    async def run(step):
        async def branch(i):
            return await step.do("save", lambda: i)

        both = await asyncio.gather(branch(0), branch(1))
        await step.sleep("nap", "1 hour")
        return [*both, await step.do("save", lambda: 2)]

    server = await serve(run, evict_after_ms=0)
    assert ([0, 1, 2], []) == await finished(server, await server.create(id="i"))


async def test_workers_that_share_a_queue_may_take_what_they_get(serve):
    """A replay hands the work to others of them: each piece has a step of its own name, and so its own result."""

    async def run(step):
        rest, found = list(range(4)), {}

        async def worker(hours):
            while rest:
                n = rest.pop(0)
                await step.sleep(f"fetch {n}", f"{hours} hours")
                found[n] = await step.do(f"parse {n}", lambda n=n: n)

        await asyncio.gather(worker(3), worker(1))
        return [found[n] for n in range(4)]

    server = await serve(run, evict_after_ms=0)
    assert ([0, 1, 2, 3], []) == await finished(server, await server.create(id="i"))


async def test_nested_branches_have_paths_of_their_own(serve):
    """A branch that has branches itself comes to its step when they have ended."""

    async def run(step):
        async def nap(name, hours):
            await step.sleep(name, f"{hours} hours")

        async def branch(i, hours):
            await asyncio.gather(nap(f"a {i}", hours), nap(f"b {i}", hours))
            return await step.do("ship", lambda: i)

        return await asyncio.gather(branch(0, 3), branch(1, 1))

    server = await serve(run, evict_after_ms=None)
    output, (told,) = await finished(server, await server.create(id="i"))
    assert [0, 1] == output
    assert "ship" == told.mixed[0].name
    _, entries = await server.engine.history("run", "i")
    paths = {entry.step: entry.data.get("branch") for entry in entries if entry.type in STARTS}
    assert {"a 0-1": "0.0", "b 1-1": "1.1", "ship-1": "1", "ship-2": "0"}.items() <= paths.items()


async def test_steps_in_a_row_have_no_path(serve):
    """Nor have those in callbacks: their attempts may differ."""

    async def run(step):
        async def outer():
            async def inner():
                return await step.do("inner", lambda: 1)

            return await asyncio.gather(inner())

        await step.do("outer", outer)

    server = await serve(run)
    await server.finish(await server.create(id="i"))
    _, entries = await server.engine.history("run", "i")
    assert [] == [entry for entry in entries if "branch" in entry.data]


async def test_another_branch_in_front_leaves_the_others_what_they_are(serve):
    """The code was changed: all paths are others, and the branches are paired in their order."""
    more = []

    async def run(step):
        async def branch(i):
            await step.do("pay", lambda: i)
            await step.sleep(f"nap {i}", "1 hour")
            return await step.do("ship", lambda: i)

        return await asyncio.gather(*(each() for each in more), *(branch(i) for i in range(3)))

    server = await serve(run, evict_after_ms=0)
    instance = await server.create(id="i")

    async def new():
        return -1

    more.append(new)
    assert ([-1, 0, 1, 2], []) == await finished(server, instance)


async def test_journals_without_paths_are_read_and_not_compared(serve):
    """As older versions wrote them."""
    server = await serve(branches(1, 2, 3), evict_after_ms=0)
    instance = await server.create(id="i")
    await server.clock.advance("150 minutes")
    _, entries = await server.engine.history("run", "i")
    old = [each._replace(data={k: v for k, v in each.data.items() if k != "branch"}) for each in entries]
    state = InstanceState.fold(old)
    assert ([None, None], ["ship-1", "ship-2"]) == ([step.branch for step in state.steps.values()], list(state.steps))
    await instance.delete()
    await server.engine.adopt("run", "old", old)
    assert ([0, 1, 2], []) == await finished(server, await server.get("old"))


def racing(*, kept=False):
    """`run()` with a race between two sleeps; `kept` by a step, or not."""

    async def run(step):
        naps = [asyncio.ensure_future(step.sleep(name, hours)) for name, hours in (("b", "2 hours"), ("a", "1 hour"))]
        done, pending = await asyncio.wait(naps, return_when=asyncio.FIRST_COMPLETED)
        for nap in pending:
            nap.cancel()
        winner = "b" if naps[0] in done else "a"
        if kept:
            winner = await step.do("winner", lambda: winner)
        await step.sleep("later", "1 day")
        return winner

    return run


@pytest.mark.parametrize(("evict_after_ms", "output"), [(None, "a"), (0, "b")])
async def test_a_race_that_its_loser_wins_at_a_replay_is_told(serve, evict_after_ms, output):
    """The loser was cancelled, went on, as on the platform, and is over when `run()` is called again."""
    server = await serve(racing(), evict_after_ms=evict_after_ms)
    instance = await server.create(id="i")
    found, (told,) = await finished(server, instance)
    assert output == found
    assert [("sleep", "b-1")] == [call.key for call in told.abandoned]
    assert ('returned "a"', 'returns "b"') == told.outcomes
    assert 'await step.do("winner", lambda: winner)' in str(told)
    assert 1 == (await server.journal(instance)).count("step_abandoned b-1")


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_a_race_whose_winner_a_step_keeps_is_not_told(serve, evict_after_ms):
    """The loser may end when it will."""
    server = await serve(racing(kept=True), evict_after_ms=evict_after_ms)
    assert ("a", []) == await finished(server, await server.create(id="i"))


@pytest.mark.parametrize(("name", "left"), [("later", {("sleep", "b-1")}), ("b", set())])
async def test_a_restart_from_a_step_keeps_what_was_abandoned_before_it(serve, name, left):
    """The loser stays as it was, or is started anew."""
    server = await serve(racing(kept=True), evict_after_ms=None)
    instance = await server.create(id="i")
    await server.clock.advance("90 minutes")
    assert {("sleep", "b-1")} == (await server.state(instance)).abandoned
    await instance.restart(from_={"name": name, "type": "sleep"})
    await server.clock.settle()
    assert left == (await server.state(instance)).abandoned
    assert ("a", []) == await finished(server, instance)


async def test_many_losers_are_looked_at_together(serve, monkeypatch):
    """A replay meets all of them at once: what they change is asked then, and once more when it rests."""
    asked = []

    async def rehearse_races(shared, definition, id, entries):
        asked.append(len(entries))

    monkeypatch.setattr(determinism, "rehearse_races", rehearse_races)

    async def run(step):
        for n in range(20):
            step.sleep(f"loser {n}", "1 hour").cancel()
            await step.sleep(f"winner {n}", "1 minute")
        await step.sleep("long", "1 day")
        await step.sleep("longer", "2 days")

    server = await serve(run, evict_after_ms=0)
    await server.finish(await server.create(id="i"))
    await server.engine.activity.rehearsed()
    assert 2 >= max(Counter(asked).values())


async def test_rounds_of_a_race_that_take_another_way_are_told(serve):
    """A wait against a sleep, round after round: a replay finds the sleeps over that lost."""

    async def run(step):
        got = []
        for n in range(3):
            nap = asyncio.ensure_future(step.sleep(f"nap {n}", "2 hours"))
            event = asyncio.ensure_future(step.wait_for_event(f"event {n}", type="go", timeout="30 days"))
            done, pending = await asyncio.wait({nap, event}, return_when=asyncio.FIRST_COMPLETED)
            for each in pending:
                each.cancel()
            got.append(await step.do(f"late {n}" if nap in done else f"early {n}", lambda n=n: n))
            await step.sleep(f"rest {n}", "1 day")
        return got

    server = await serve(run, evict_after_ms=0)
    instance = await server.create(id="i")
    await server.clock.advance("1 hour")
    await instance.send_event(type="go")
    _, diagnoses = await finished(server, instance)
    told = next(each for each in diagnoses if each.abandoned)
    assert ("sleep", "nap 0-1") == told.abandoned[0].key
    assert ("early 0-1", "late 0-1") == (told.missing[0].step, told.new[0].step)


async def test_what_a_callback_holds_tells_another_winner(serve):
    """The step that got the winner is tried again after the loser has ended: it would be called with another."""

    async def run(step):
        naps = [asyncio.ensure_future(step.sleep(name, hours)) for name, hours in (("b", "2 hours"), ("a", "1 hour"))]
        done, pending = await asyncio.wait(naps, return_when=asyncio.FIRST_COMPLETED)
        for nap in pending:
            nap.cancel()
        winner = "b" if naps[0] in done else "a"

        async def pay(ctx):
            if ctx.attempt == 1:
                raise ValueError("not yet")
            return winner

        return await step.do("pay", {"retries": {"limit": 1, "delay": "1 day"}}, pay)

    server = await serve(run, evict_after_ms=0)
    output, (told,) = await finished(server, await server.create(id="i"))
    assert "b" == output
    (change,) = told.changed
    assert ("winner='a'", "winner='b'") == (change.before, change.now)


async def test_a_loser_that_ends_with_its_run_is_not_told(serve):
    """There is nothing left to go another way."""

    async def run(step):
        naps = [asyncio.ensure_future(step.sleep(name, "1 hour")) for name in "ab"]
        done, pending = await asyncio.wait(naps, return_when=asyncio.FIRST_COMPLETED)
        for nap in pending:
            nap.cancel()
        if len(done) == 3:
            raise NonRetryableError("never")
        return 1

    server = await serve(run, evict_after_ms=None)
    assert (1, []) == await finished(server, await server.create(id="i"))


def test_only_plain_values_are_compared():
    """Anything else may show itself otherwise each time, or do anything when it is shown."""

    class Odd:
        def __repr__(self):
            raise AssertionError

    odd, plain, huge = Odd(), 1, 10**5000

    def callback(x="d", *, y=2, z=odd):
        return odd, plain, huge, later

    assert f"huge={hex(huge)[:200]}, plain=1, x='d', y=2" == held_by(callback)
    assert "" == held_by(print)
    later = 1


def test_a_step_that_was_abandoned_twice_is_known_once():
    """The fold has no use for more."""
    entries = [Entry(seq, 0, "step_abandoned", "a-1", {"kind": "sleep"}) for seq in (1, 2)]
    assert {("sleep", "a-1")} == InstanceState.fold(entries).abandoned


async def _undisturbed_and_not(block, most_kills):
    plain = await random_programs.live(block)
    assert [] == plain.diagnoses or random_programs.of_kind(block, "race") or random_programs.of_kind(block, "gather")
    shifts = random_programs.of_kind(block, "race") and random_programs.of_kind(block, "flaky")
    kills = range(1, plain.commits + 1, max(1, plain.commits // most_kills))
    # An attempt that is cut off is repeated at once, without the delay: a race may have another winner for that.
    modes = [{"evict_after_ms": 0}, *({"dies_at": commit} for commit in kills if not shifts)]
    for mode in modes:
        told = await random_programs.live(block, **mode)
        assert plain.outcome == told.outcome or told.diagnoses or plain.diagnoses, (mode, plain, told)


@pytest.mark.parametrize(
    ("examples", "most_kills"),
    [(EXAMPLES, MOST_KILLS), pytest.param(20 * EXAMPLES, 1_000, marks=pytest.mark.soak)],
    ids=["some", "many"],
)
def test_every_program_ends_the_same_or_is_told(examples, most_kills):
    """Evicted wherever it waits, and killed behind each commit.

    It may have been told in the undisturbed run alone: what is due at one moment may go on in another order when it is
    called for the first time after an eviction, and then nothing differs from a journal.
    """

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(random_programs.BLOCK)
    def check(block):
        asyncio.run(asyncio.wait_for(_undisturbed_and_not(block, most_kills), 60))

    check()
