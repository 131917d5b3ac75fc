"""What `divergence` finds between the calls of a replay and a journal, each kind of difference by itself."""

from types import MappingProxyType

import pytest

from cfworkflows.values import encode
from cfworkflows_emulator.engine import Entry
from cfworkflows_emulator.engine.divergence.divergence import LONGEST_VALUE, Made, divergence
from cfworkflows_emulator.engine.journal.diagnosis import Call, Change

CONFIG = {"retries": {"limit": 5, "delay": 1000, "backoff": "constant"}, "timeout": 600_000}
NAP = {"durationMs": 60_000}
HALF_AN_HOUR = 1_800_000


def journal(*entries):
    """Entries of `(type, step, data)`, numbered from 1."""
    return [Entry(seq, 0, type, step, data) for seq, (type, step, data) in enumerate(entries, start=1)]


def step(name, at=None, **more):
    return ("step_started", name, {"config": CONFIG, "at": at, **more})


def made(kind, step, given=MappingProxyType({"config": CONFIG}), at=None, *, by_main=True):
    return Made(Call(kind, step, at), given, by_main)


def found(calls, entries, *, known=None, ended=None, strict=True):
    return divergence(calls, ended, entries if known is None else entries[:known], entries, strict=strict)


def end(value=None, error=None):
    if error is not None:
        return Entry(9, 0, "workflow_errored", None, {"error": error})
    return Entry(9, 0, "workflow_completed", None, {}, encode(value))


def test_the_same_calls_are_no_difference():
    """Nothing is found, also where a step was called inside a callback, which is not called again."""
    entries = journal(step("a-1"), step("inner-1", inside="a-1"), step("b-1"))
    assert found([made("do", "a-1"), made("do", "b-1")], entries) is None


def test_a_call_that_does_not_come_is_missing():
    """It is named with the place where it ran."""
    diagnosis = found([made("do", "b-1")], journal(step("a-1", "entry.py:3"), step("b-1")))
    assert ((Call("do", "a-1", "entry.py:3"),), ()) == (diagnosis.missing, diagnosis.new)


def test_a_call_beyond_what_was_known_is_not_missing():
    """The replay had not got so far: what only the rest of the journal has came later."""
    entries = journal(step("a-1"), step("b-1"))
    assert found([made("do", "a-1")], entries, known=1) is None


def test_a_new_call_hides_what_would_come_behind_it():
    """`run()` waits for what is new, so that only the first of the missing calls is told."""
    diagnosis = found([made("do", "x-1")], journal(step("a-1"), step("b-1")))
    assert (["a-1"], ["x-1"]) == ([call.step for call in diagnosis.missing], [call.step for call in diagnosis.new])


@pytest.mark.parametrize("strict", [True, False])
def test_a_new_call_by_itself_counts_when_it_is_strict(strict):
    """New code at the end of a workflow is no difference, unless the code is known to be the same."""
    diagnosis = found([made("do", "a-1"), made("do", "x-1")], journal(step("a-1"), step("b-1")), known=1, strict=strict)
    if strict:
        assert (["b-1"], ["x-1"]) == ([call.step for call in diagnosis.missing], [call.step for call in diagnosis.new])
    else:
        assert diagnosis is None


def test_calls_in_another_order_are_told():
    """The one that came earlier, and the one that it comes behind now."""
    diagnosis = found([made("do", "b-1"), made("do", "a-1")], journal(step("a-1"), step("b-1")))
    assert ("a-1", "b-1") == (diagnosis.late.step, diagnosis.early.step)


@pytest.mark.parametrize(("by_main", "held_back"), [(False, {}), (True, {"heldBack": True})])
def test_order_is_chance_in_tasks_and_pauses(by_main, held_back):
    """Calls of the user's own tasks, and those that a pause held back, may come in any order."""
    calls = [made("do", "b-1"), made("do", "a-1", by_main=by_main)]
    assert found(calls, journal(step("a-1", **held_back), step("b-1"))) is None


@pytest.mark.parametrize(
    ("entry", "call", "change"),
    [
        (("sleep_started", "a-1", {**NAP, "until": 60_000}), ("sleep", NAP), None),
        (("sleep_started", "a-1", NAP), ("sleep", {"durationMs": 90_500}), ("duration", "60 s", "90.5 s")),
        (
            ("sleep_started", "a-1", {"absolute": True, "durationMs": HALF_AN_HOUR, "until": 5}),
            ("sleep", {"until": 2 * HALF_AN_HOUR}),
            ("end", "1970-01-01 00:30:00.000", "1970-01-01 01:00:00.000"),
        ),
        (
            ("wait_started", "a-1", {"eventType": "go", "timeoutMs": 1000, "until": 1000}),
            ("wait", {"eventType": "stop", "timeoutMs": 1000}),
            ("event type", '"go"', '"stop"'),
        ),
        (step("a-1"), ("do", {"config": {**CONFIG, "timeout": 5}}), ("timeout", "600000", "5")),
        (
            step("a-1"),
            ("do", {"config": {**CONFIG, "retries": {**CONFIG["retries"], "limit": 2}}}),
            ("retry limit", "5", "2"),
        ),
        (
            step("a-1"),
            ("do", {"config": CONFIG, "rollback": {"retries": {}, "timeout": 7}}),
            ("rollback timeout", "not given", "7"),
        ),
    ],
)
def test_what_a_call_was_given_is_compared(entry, call, change):
    """By its name for people, in their units; the end of a sleep follows from its duration, unless it is absolute."""
    kind, given = call
    diagnosis = found([made(kind, "a-1", given, "entry.py:4")], journal(entry))
    if change is None:
        assert diagnosis is None
    else:
        assert (Change(Call(kind, "a-1", None), *change, "entry.py:4"),) == diagnosis.changed


LONG = "x" * (2 * LONGEST_VALUE)
ERROR = {"name": "ValueError", "message": "no"}


@pytest.mark.parametrize(
    ("before", "ended", "outcomes"),
    [
        (end(1), (1, None), None),
        (end(1), (2, None), ("returned 1", "returns 2")),
        (end(1), (None, ValueError("no")), ("returned 1", "raises ValueError: no")),
        (end(error=ERROR), (None, ValueError("no")), None),
        (end(error=ERROR), (None, ValueError("yes")), ("raised ValueError: no", "raises ValueError: yes")),
        (end(error={"name": "SerializationError", "message": "$: no"}), (1, None), None),
        (end(1), None, None),
    ],
)
def test_how_it_ended_is_compared(before, ended, outcomes):
    """What it returned or raised; not where the replay has not ended, nor where what it returned was not stored."""
    diagnosis = found([made("do", "a-1")], [*journal(step("a-1")), before], ended=ended)
    assert outcomes == (None if diagnosis is None else diagnosis.outcomes)


def test_an_output_that_cannot_be_stored_is_told():
    """A value that is no data has no text to compare, but a reason."""
    diagnosis = found([made("do", "a-1")], [*journal(step("a-1")), end(1)], ended=(object(), None))
    assert diagnosis.outcomes[1].startswith("returns what cannot be stored ($: an object cannot be stored.")


def test_long_outputs_are_cut_off():
    """So that a message stays one that can be read."""
    diagnosis = found([made("do", "a-1")], [*journal(step("a-1")), end(LONG)], ended=(LONG + "y", None))
    assert diagnosis is not None
    assert [LONGEST_VALUE] * 2 == [len(text.replace("returns", "returned")) for text in diagnosis.outcomes]
    assert diagnosis.outcomes[0].endswith("...")


def test_without_an_end_in_the_journal_there_is_nothing_to_compare():
    """An instance that still runs has no outcome."""
    assert found([made("do", "a-1")], journal(step("a-1")), ended=(1, None)) is None
