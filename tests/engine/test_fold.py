"""The pure pieces below a run, each by itself: the fold of single entries, names of steps, slots, retries."""

import pytest

from cfworkflows.errors import ErrorRecord
from cfworkflows_emulator.engine import Entry, InstanceRow, WorkflowDefinition
from cfworkflows_emulator.engine.admission import Admission
from cfworkflows_emulator.engine.journal.diagnosis import Call, Diagnosis
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.run.naming import Names
from cfworkflows_emulator.engine.run.retries import FinalError

NO = {"name": "Error", "message": "no"}
CONFIG = {"retries": {"limit": 1, "delay": 1000, "backoff": "constant"}, "timeout": 1000}


def folded(*entries):
    """The state after entries of `(time, type, step, data)`, numbered from 1."""
    return InstanceState.fold(
        Entry(seq, time, type, step, data) for seq, (time, type, step, data) in enumerate(entries, start=1)
    )


def step_that_waits_for_its_retry(step):
    return [
        (0, "step_started", step, {"config": CONFIG}),
        (0, "attempt_started", step, {"attempt": 1}),
        (0, "attempt_errored", step, {"attempt": 1, "error": NO, "retryDelayMs": 1000}),
    ]


def sleep(step, **data):
    return (0, "sleep_started", step, {"until": 1000, "durationMs": 1000, **data})


def wait(step):
    return (0, "wait_started", step, {"eventType": "go", "until": 1000, "timeoutMs": 1000})


def test_verbs_are_told_apart_by_kind():
    """Steps, sleeps and waits have names of their own; there is no fourth kind."""
    state = folded(*step_that_waits_for_its_retry("a-1"), sleep("a-1"), wait("a-1"))
    assert [state.steps, state.sleeps, state.waits] == [state.verbs(kind) for kind in ("do", "sleep", "wait")]
    with pytest.raises(KeyError, match="nap"):
        state.verbs("nap")


def test_events_are_received_once():
    """The events of an instance are those that a wait got, and those that no wait has got yet."""
    events = [(1, "event_received", None, {"eventType": "go"}), (2, "event_received", None, {"eventType": "go"})]
    state = folded(wait("a-1"), *events, (3, "wait_completed", "a-1", {"event": 3}))
    assert [3, 2] == [event.seq for event in state.received()]
    assert [2] == [event.seq for event in state.events]


def test_a_wait_that_is_over_gets_no_event():
    """What is buffered is for the waits that still wait."""
    state = folded(wait("a-1"), (0, "event_received", None, {"eventType": "go"}), (1, "wait_timed_out", "a-1", {}))
    assert state.waits["a-1"].timed_out
    assert state.event_for("a-1") is None


def test_a_pause_moves_what_is_open():
    """A pause of 500 ms delays sleeps, waits and retries; not what is over, nor a sleep until a date."""
    state = folded(
        *step_that_waits_for_its_retry("retry-1"),
        (0, "step_started", "begun-1", {"config": CONFIG}),
        sleep("open-1"),
        sleep("over-1"),
        sleep("date-1", absolute=True),
        wait("open-1"),
        wait("over-1"),
        (1, "sleep_completed", "over-1", {}),
        (1, "wait_timed_out", "over-1", {}),
        (100, "workflow_paused", None, {}),
        (600, "workflow_running", None, {}),
    )
    assert {"open-1": 1500, "over-1": 1000, "date-1": 1000} == {n: each.until for n, each in state.sleeps.items()}
    assert {"open-1": 1500, "over-1": 1000} == {name: each.until for name, each in state.waits.items()}
    assert {"retry-1": 1500, "begun-1": None} == {name: each.retry_at for name, each in state.steps.items()}


@pytest.mark.parametrize(("pause", "ends"), [([], 50), ([(20, "workflow_paused", None, {})], 20)])
def test_a_delay_that_is_skipped_ends_now(pause, ends):
    """Whatever it is that delays; in a pause it ends when the pause began, whose end moves it."""
    state = folded(
        *step_that_waits_for_its_retry("a-1"),
        sleep("a-1"),
        wait("a-1"),
        (1, "rollback_started", None, {"error": NO, "ending": "errored"}),
        (1, "rollback_step_started", "a-1", {"config": CONFIG}),
        *pause,
        *((50, "delay_skipped", "a-1", {"kind": kind}) for kind in ("do", "sleep", "wait", "rollback")),
    )
    assert [ends] * 4 == [
        state.steps["a-1"].retry_at,
        state.sleeps["a-1"].until,
        state.waits["a-1"].until,
        state.rollback.steps["a-1"].retry_at,
    ]


def test_what_a_replay_found_is_part_of_the_state():
    """A diagnosis in the journal comes back as it was."""
    diagnosis = Diagnosis((Call("do", "a-1", "entry.py:3"),), ())
    assert [diagnosis] == folded((0, "replay_diverged", None, diagnosis.as_dict())).diagnoses


ROLLED_BACK = [(0, "rollback_started", None, {"error": NO, "ending": "errored"})]
UNDONE = [*ROLLED_BACK, (0, "rollback_step_started", "a-1", {"config": CONFIG})]


def test_a_step_that_could_not_be_undone():
    """Its error is kept, and that of the whole rollback."""
    failed = [(1, "rollback_step_errored", "a-1", {"error": NO}), (1, "rollback_errored", None, {"error": NO})]
    rollback = folded(*UNDONE, *failed).rollback
    assert (True, ErrorRecord(**NO)) == (rollback.steps["a-1"].done, rollback.steps["a-1"].error)
    assert ("failed", ErrorRecord(**NO)) == (rollback.outcome, rollback.failure)


def test_a_step_that_was_undone():
    """The rollback is complete, without an error."""
    done = [(1, "rollback_step_completed", "a-1", {}), (1, "rollback_completed", None, {})]
    rollback = folded(*UNDONE, *done).rollback
    assert (True, None) == (rollback.steps["a-1"].done, rollback.steps["a-1"].error)
    assert ("complete", None) == (rollback.outcome, rollback.failure)


def test_the_bytes_of_streams_and_texts_count():
    """A stream takes what it is long, a value what it takes in UTF-8."""
    plain = Entry(2, 0, "step_completed", "a-1", {}, '"a"')
    stream = {"stream": {"attempt": 1, "chunks": 1, "bytes": 500}}
    sizes = [
        InstanceState.fold([Entry(1, 0, "step_started", "a-1", {"config": CONFIG}), entry]).stored_bytes
        for entry in (plain, plain._replace(value='"ä"'), plain._replace(data=stream))
    ]
    assert [0, 1, 500] == [size - sizes[0] for size in sizes]


def test_a_final_error_carries_the_one_of_the_attempt():
    """What is wrapped, so that nothing comes after it, is not lost."""
    error = ValueError("no")
    assert error is FinalError(error).error


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            (0, "sleep_started", None, {"until": 1, "durationMs": 1}),
            r"Journal entry 1 \(sleep_started\) names no step.",
        ),
        ((0, "rollback_completed", None, {}), r"Journal entry 1 \(rollback_completed\) comes before rollback_started."),
    ],
)
def test_a_journal_that_cannot_be(entry, told):
    """It is named by its number and type."""
    with pytest.raises(ValueError, match=told):
        folded(entry)


def test_names_are_counted_in_the_order_of_calls():
    """Each kind and name has its own count; what the journal gives to a call in a callback is left to that one."""
    state = folded(
        (0, "step_started", "a-1", {"config": CONFIG}),
        (0, "step_started", "a-2", {"config": CONFIG, "inside": "b-1"}),
    )
    names = Names(state)
    assert ["a-1", "a-3", "a-4", "a-1"] == [names.allot(kind, "a", None) for kind in ("do", "do", "do", "sleep")]
    assert ["a-2", "a-5"] == [names.allot("do", "a", "b-1") for _ in range(2)]


def limited(limit):
    return WorkflowDefinition("w", lambda: None, concurrency_limit=limit)


def test_a_slot_that_comes_back_goes_to_the_first_in_the_queue():
    """Whoever leaves the queue before is passed over, and who gives back what it has not is not missed."""
    admitted = []
    admission, workflow = Admission(admitted.extend, 0), limited(1)
    assert [True, False, False] == [admission.take(workflow, key) for key in (1, 2, 3)]
    for key in (2, 3):
        admission.queue(workflow, key, admission.position(ahead=False))
    admission.leave(2)
    admission.leave(7)
    admission.give_back(1)
    assert [3] == admitted


def test_who_waits_in_the_queue_keeps_its_place_when_it_gives_back():
    """An instance that is queued again and rests meanwhile is still in the queue, and gets the slot at its turn."""
    admitted = []
    admission, workflow = Admission(admitted.extend, 0), limited(1)
    admission.take(workflow, 1)
    admission.take(workflow, 2)
    admission.queue(workflow, 2, admission.position(ahead=False))
    admission.give_back(2)
    assert [] == admitted
    admission.give_back(1)
    assert [2] == admitted
    admission.take(workflow, 3)
    admission.queue(workflow, 3, admission.position(ahead=False))
    admission.give_back(2)
    assert [2, 3] == admitted


def test_a_damaged_journal_is_read_as_far_as_it_goes():
    """The instance counts as errored from the entry on that does not follow from those before it."""
    entries = [
        Entry(1, 0, "workflow_queued", None, {}),
        Entry(2, 5, "step_completed", "never begun-1", {}),
        Entry(3, 9, "workflow_completed", None, {}),
    ]
    state = InstanceState.read(entries)
    assert ("errored", 5, 2, 3) == (state.status, state.ended_at, state.unreadable_from, state.last_seq)
    assert "from entry 2 (step_completed never begun-1) on" in state.error.message
    assert InstanceState.fold(entries[:1]) == InstanceState.read(entries[:1])
    with pytest.raises(ValueError, match="does not begin with workflow_queued"):
        print(InstanceState().creation)


def test_an_event_goes_to_the_oldest_wait_of_its_type_that_is_open():
    """Not to one that had timed out when it came, nor to one that the code has left; the rest is kept."""
    state = folded(
        (0, "wait_started", "a-1", {"eventType": "go", "until": 5, "timeoutMs": 5}),
        (0, "wait_started", "b-1", {"eventType": "go", "until": 99, "timeoutMs": 99}),
        (0, "wait_started", "c-1", {"eventType": "stop", "until": 99, "timeoutMs": 99}),
        (0, "wait_started", "d-1", {"eventType": "go", "until": 99, "timeoutMs": 99}),
        (7, "event_received", None, {"eventType": "go"}),
        (8, "event_received", None, {"eventType": "go"}),
    )
    assert {"b-1": 5, "d-1": 6} == {step: event.seq for step, event in state.mailbox.claims("go").items()}
    assert {"d-1": 5} == {step: event.seq for step, event in state.mailbox.claims("go", {"b-1"}).items()}
    assert {} == state.mailbox.claims("stop")
    assert state.event_for("a-1") is None
    assert [5, 6] == [event.seq for event in state.events]


def row(key, status, position=None):
    return InstanceRow(key, "w", str(key), status, 0, 0, position=position)


def test_slots_and_queue_come_back_as_they_were():
    """What ran runs; what was queued is, in its old order; who has neither a slot nor a position does without."""
    admitted = []
    admission, workflow = Admission(admitted.extend, 9), limited(1)
    rows = [row(1, "running"), row(5, "queued", position=8), row(4, "queued", position=7), row(2, "waiting")]
    assert [True, False, False, True] == [admission.restore(workflow, each) for each in rows]
    admission.give_back(1)
    assert [4] == admitted
    assert admission.position(ahead=True) < admission.position(ahead=False)


def test_a_gap_that_no_restart_has_left_is_damage():
    """The instance counts as errored from there; what comes before is read."""
    entries = [
        Entry(1, 0, "workflow_queued", None, {"timestamp": 0}),
        Entry(2, 1, "workflow_running", None, {}),
        Entry(5, 9, "sleep_completed", "nap-1", {}),
    ]
    state = InstanceState.read(entries)
    assert ("errored", 5) == (state.status, state.unreadable_from)
    assert "entry 3 is missing" in state.error.message


def test_a_step_that_was_left_is_known_by_kind_and_name():
    """So that a race is seen to be decided anew."""
    state = folded(sleep("nap-1"), (1, "step_abandoned", "nap-1", {"kind": "sleep"}))
    assert {("sleep", "nap-1")} == state.abandoned
