"""The fold of a journal, checked against what the engine keeps in memory, and the pure functions beside it."""

import asyncio
import dataclasses
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import TestEngine, workflow

from cfworkflows.step.config import BACKOFFS
from cfworkflows_emulator.engine import Entry
from cfworkflows_emulator.engine.journal.entries import ENTRIES
from cfworkflows_emulator.engine.journal.state import InstanceState, Status
from cfworkflows_emulator.engine.run.retries import LONGEST_DELAY_MS, may_retry, retry_delay
from cfworkflows_emulator.engine.skip import delays

VERBS = st.sampled_from(["do", "fail", "flaky", "sleep", "wait", "until", "undo"])
BRANCHES = st.lists(st.lists(VERBS, min_size=1, max_size=4), min_size=1, max_size=3)
ACTIONS = st.lists(
    st.sampled_from(["go", "other", "pause", "resume", "time", "restart", "from", "terminate", "roll back", "skip"]),
    max_size=8,
)


def program(branches):
    undone = []

    async def verb(step, kind, start):
        async def fail(ctx):
            if kind == "fail" or ctx.attempt < 2:
                raise ValueError("no")

        async def undo(rollback):
            undone.append(rollback.step_name)
            if len(undone) % 3:
                raise ValueError("not yet")

        if kind == "do":
            await step.do(kind, lambda: 1)
        elif kind == "undo":
            await step.do(kind, lambda: 1, rollback=undo, rollback_config={"retries": {"limit": 1, "delay": "1 hour"}})
        elif kind == "sleep":
            await step.sleep(kind, "1 hour")
        elif kind == "until":
            with suppress(Exception):
                await step.sleep_until(kind, start + 3_600_000)
        elif kind == "wait":
            await step.wait_for_event(kind, type="go", timeout="2 hours")
        else:
            await step.do(kind, {"retries": {"limit": 1, "delay": "1 minute"}}, fail)

    async def run(event, step):
        async def branch(kinds):
            for kind in kinds:
                with suppress(ValueError, TimeoutError):
                    await verb(step, kind, event.timestamp.timestamp() * 1000)

        await asyncio.gather(*(branch(kinds) for kinds in branches))
        return len(branches)

    return run


async def _live(branches, actions, evict_after_ms):
    """Run the program, act on it meanwhile, and compare."""
    server = await TestEngine(workflow(program(branches)), evict_after_ms=evict_after_ms).start()
    try:
        instance = await server.create(id="i")
        for action in actions:
            if action == "time":
                await server.clock.advance("40 minutes")
            elif action in ("go", "other"):
                with suppress(Exception):
                    await instance.send_event(type=action, payload=action)
            elif action == "roll back":
                with suppress(Exception):
                    await instance.terminate(rollback=True)
            elif action == "skip":
                if found := delays(await server.state(instance)):
                    await server.engine.skip("run", "i", found[0].step, found[0].kind)
            elif action == "from":
                state = await server.state(instance)
                names = [(n, kind) for kind in ("do", "sleep", "wait") for n in state.verbs(kind)]
                if names:
                    name, kind = names[len(names) // 2]
                    kind = kind if kind != "wait" else "waitForEvent"
                    name, _, count = name.rpartition("-")
                    await instance.restart(from_={"name": name, "count": int(count), "type": kind})
            else:
                with suppress(Exception):
                    await getattr(instance, action)()
            await server.clock.settle()
            await _compare(server, instance)
        await instance.resume()
        await server.finish(instance)
        await _compare(server, instance)
        assert 0 == server.clock._holds
    finally:
        await server.stop()


async def _compare(server, instance):
    row, entries = await server.engine.history("run", "i")
    state = InstanceState.fold(entries)
    assert state == await server.state(instance)
    if (live := server.engine.residents.actors.get(row.key)) is not None:
        assert state == live.state
    assert row.status == state.visible_status
    seqs = [entry.seq for entry in entries]
    assert sorted(set(seqs)) == seqs
    if all(entry.type != "workflow_restarted" for entry in entries):
        assert list(range(seqs[0], seqs[0] + len(seqs))) == seqs
    for end in range(len(entries)):
        part = InstanceState.fold(entries[: end + 1])
        assert part.open_attempts == sum(step.attempt_open for step in part.steps.values()) >= 0
        assert entries[end].seq == part.last_seq


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BRANCHES, ACTIONS, st.sampled_from([None, 0]))
def test_the_fold_of_the_journal_is_the_state_in_memory(branches, actions, evict_after_ms):
    """For any program and whatever is done to it; every prefix of a journal is a state too."""
    asyncio.run(asyncio.wait_for(_live(branches, actions, evict_after_ms), 20))


def entries(*what):
    """A journal: each entry is its type, step, time and data."""
    return [Entry(n, time, kind, step, data) for n, (kind, step, time, data) in enumerate(what, start=1)]


def test_an_unknown_entry_is_refused():
    """It is written by a newer version, and cannot be passed over."""
    with pytest.raises(KeyError):
        InstanceState().apply(Entry(1, 0, "step_imagined"))


def test_a_step_entry_without_a_step_is_refused():
    """The error names the entry."""
    with pytest.raises(ValueError, match=r"Journal entry 1 \(sleep_completed\) names no step"):
        InstanceState().apply(Entry(1, 0, "sleep_completed"))


def test_every_entry_has_a_platform_name():
    """The journal is what `instance.subscribe()` will show."""
    assert {"workflow_queued", "attempt_errored", "wait_timed_out"} < ENTRIES.keys()


def test_a_pause_moves_what_is_left_and_nothing_else():
    """Sleeps, waits and retry delays that are not over; not absolute sleeps, nor what is done."""
    wait = {"eventType": "go", "until": 50, "timeoutMs": 50}
    journal = entries(
        ("workflow_running", None, 0, {}),
        ("sleep_started", "a-1", 0, {"until": 100, "durationMs": 100}),
        ("sleep_started", "b-1", 0, {"until": 100, "durationMs": 100, "absolute": True}),
        ("sleep_started", "c-1", 0, {"until": 5, "durationMs": 5}),
        ("sleep_completed", "c-1", 5, {}),
        ("wait_started", "d-1", 0, wait),
        ("wait_started", "e-1", 0, wait),
        ("wait_timed_out", "e-1", 50, {}),
        ("step_started", "f-1", 0, {"config": {}}),
        ("attempt_started", "f-1", 0, {"attempt": 1}),
        ("attempt_errored", "f-1", 10, {"attempt": 1, "retryDelayMs": 20}),
        ("step_started", "g-1", 0, {"config": {}, "inside": "f-1"}),
        ("workflow_waiting_for_pause", None, 19, {}),
        ("workflow_paused", None, 20, {}),
        ("workflow_running", None, 1020, {}),
    )
    state = InstanceState.fold(journal)
    assert {"a-1": 1100, "b-1": 100, "c-1": 5} == {name: sleep.until for name, sleep in state.sleeps.items()}
    assert {"d-1": 1050, "e-1": 50} == {name: wait.until for name, wait in state.waits.items()}
    assert 1030 == state.steps["f-1"].retry_at
    assert (Status.WAITING, 100) == (state.visible_status, state.next_deadline())
    assert Status.PAUSED is InstanceState.fold(journal[:-1]).visible_status
    assert Status.WAITING_FOR_PAUSE is InstanceState.fold(journal[:-2]).visible_status
    assert Status.RUNNING is InstanceState.fold(journal[:1]).visible_status
    assert "f-1" == state.verbs("do")["g-1"].inside


def test_each_event_goes_to_one_wait():
    """The oldest of its type that was still waiting when it came; waits that are passed over get none."""

    def wait(until, kind="go"):
        return {"eventType": kind, "until": until, "timeoutMs": 1}

    state = InstanceState.fold(
        entries(
            ("wait_started", "done-1", 0, wait(10)),
            ("wait_timed_out", "done-1", 10, {}),
            ("wait_started", "short-1", 0, wait(10)),
            ("wait_started", "long-1", 0, wait(100)),
            ("wait_started", "other-1", 0, wait(100, "other")),
            ("wait_started", "third-1", 0, wait(100)),
            ("event_received", None, 11, {"eventType": "go"}),
            ("event_received", None, 12, {"eventType": "other"}),
        )
    )
    found = {name: state.event_for(name) for name, wait in state.waits.items() if not wait.done}
    assert {"short-1": None, "long-1": 7, "other-1": 8, "third-1": None} == {
        name: event and event.seq for name, event in found.items()
    }
    assert 7 == state.event_for("third-1", {"long-1"}).seq
    assert state.event_for("long-1", {"long-1"}) is None
    state.apply(Entry(9, 13, "wait_completed", "other-1", {"event": 8}))
    assert ([7], 8) == ([event.seq for event in state.events], state.waits["other-1"].event.seq)


@given(st.floats(0, 1e300), st.sampled_from(BACKOFFS), st.integers(1, 10_001))
def test_a_delay_grows_with_the_attempts_and_stays_a_number(delay, backoff, attempt):
    """Whatever the configuration, it fits into the database."""
    first, later = retry_delay(delay, backoff, 1), retry_delay(delay, backoff, attempt)
    assert min(delay, LONGEST_DELAY_MS) == first <= later <= LONGEST_DELAY_MS


@pytest.mark.parametrize(
    ("backoff", "expected"), [("constant", [5, 5, 5]), ("linear", [5, 10, 15]), ("exponential", [5, 10, 20])]
)
def test_the_backoffs(backoff, expected):
    """d; d·n; d·2^(n-1)."""
    assert expected == [retry_delay(5, backoff, attempt) for attempt in (1, 2, 3)]


@pytest.mark.parametrize(("limit", "attempts"), [(0, 1), (3, 4)])
def test_a_limit_counts_retries(limit, attempts):
    """`limit + 1` attempts, and one more if the last was interrupted."""
    assert attempts == 1 + sum(may_retry(limit, attempt, interrupted=False) for attempt in range(1, 20))
    assert attempts + 1 == 1 + sum(may_retry(limit, attempt, interrupted=True) for attempt in range(1, 20))


def test_finite_statuses():
    """An instance that has ended."""
    assert {"complete", "errored", "terminated"} == {status for status in Status if status.finite}
    assert dataclasses.is_dataclass(InstanceState)
