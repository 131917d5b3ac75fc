"""What a restart from a step leaves of a journal."""

import pytest

from cfworkflows_emulator.engine import Entry
from cfworkflows_emulator.engine.journal.rewind import rewind


def test_a_journal_without_the_step_is_refused():
    """Also if it has one of another kind by that name."""
    with pytest.raises(KeyError, match="a-1"):
        rewind([Entry(1, 0, "sleep_started", "a-1", {})], "do", "a-1")


def test_what_stays_of_a_journal():
    """All that is about steps from before, wherever it stands, and pauses; no end, nor what nobody took."""
    start = {"config": {}}
    journal = [
        Entry(seq, 0, kind, step, data)
        for seq, (kind, step, data) in enumerate(
            [
                ("workflow_queued", None, {}),  # 1
                ("step_started", "outer-1", start),  # 2
                ("attempt_started", "outer-1", {"attempt": 1}),  # 3
                ("step_started", "middle-1", {**start, "inside": "outer-1"}),  # 4
                ("attempt_started", "middle-1", {"attempt": 1}),  # 5
                ("event_received", None, {"eventType": "go"}),  # 6
                ("wait_started", "w-1", {}),  # 7
                ("step_started", "x-1", start),  # 8
                ("attempt_started", "x-1", {"attempt": 1}),  # 9
                ("sleep_started", "x-1", {"inside": "middle-1"}),  # 10: the target
                ("attempt_errored", "x-1", {"attempt": 1}),  # 11
                ("attempt_started", "x-1", {"attempt": 2}),  # 12
                ("wait_completed", "w-1", {"event": 6}),  # 13
                ("event_received", None, {"eventType": "go"}),  # 14
                ("wait_started", "w-2", {}),  # 15
                ("wait_completed", "w-2", {"event": 14}),  # 16
                ("workflow_paused", None, {}),  # 17
                ("workflow_running", None, {}),  # 18
                ("sleep_completed", "x-1", {}),  # 19
                ("attempt_completed", "middle-1", {"attempt": 1}),  # 20
                ("step_completed", "middle-1", {}),  # 21
                ("event_received", None, {"eventType": "go"}),  # 22
                ("workflow_errored", None, {}),  # 23
            ],
            start=1,
        )
    ]
    assert [1, 2, 4, 6, 7, 8, 9, 11, 13, 17, 18] == [entry.seq for entry in rewind(journal, "sleep", "x-1")]
