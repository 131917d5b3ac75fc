"""The steps of a journal with their attempts, once for all who show them."""

import json
from pathlib import Path

import pytest

from cfworkflows_emulator.engine import Entry
from cfworkflows_emulator.views import DoStep, History, Sleep, Wait, timeline

CONFIG = {"retries": {"limit": 1, "delay": 10}, "timeout": 1000}
ERROR = {"name": "ValueError", "message": "no", "traceback": None}

JOURNAL = [
    Entry(1, 0, "workflow_queued", data={"timestamp": 0, "trigger": "binding"}, value="{}"),
    Entry(2, 1, "workflow_started"),
    Entry(3, 1, "workflow_running"),
    Entry(4, 2, "sleep_started", "nap-1", {"until": 50, "durationMs": 48}),
    Entry(5, 2, "step_started", "a-1", {"config": CONFIG, "at": "shop.py:7"}),
    Entry(6, 3, "attempt_started", "a-1", {"attempt": 1}),
    Entry(7, 4, "attempt_errored", "a-1", {"attempt": 1, "error": ERROR, "retryDelayMs": 10}),
    Entry(8, 5, "delay_skipped", "a-1", {"kind": "do"}),
    Entry(9, 5, "attempt_started", "a-1", {"attempt": 2}),
    Entry(10, 6, "attempt_completed", "a-1", {"attempt": 2}),
    Entry(11, 6, "step_completed", "a-1", value="1"),
    Entry(12, 50, "sleep_completed", "nap-1"),
    Entry(13, 51, "wait_started", "ready-1", {"eventType": "go", "until": 90, "timeoutMs": 39}),
    Entry(14, 90, "wait_timed_out", "ready-1"),
    Entry(15, 91, "rollback_started", data={"error": ERROR, "ending": "errored"}),
    Entry(16, 92, "rollback_step_started", "a-1", {"config": CONFIG}),
    Entry(17, 92, "rollback_attempt_started", "a-1", {"attempt": 1}),
    Entry(18, 95, "rollback_attempt_completed", "a-1", {"attempt": 1}),
    Entry(19, 95, "rollback_step_completed", "a-1"),
    Entry(20, 95, "rollback_completed"),
    Entry(21, 96, "workflow_errored", data={"error": ERROR}),
]


def step(history: History, name: str) -> DoStep:
    found = next(each for each in history.steps if each.name == name)
    assert isinstance(found, DoStep)
    return found


def test_steps_come_in_the_order_they_began_in() -> None:
    """Of all kinds, each with its times, and called as the platform's APIs call it."""
    history = History.of(JOURNAL)
    assert [("sleep", "nap-1", 2, 50), ("step", "a-1", 2, 6), ("waitForEvent", "ready-1", 51, 90)] == [
        (each.type, each.name, each.start, each.end) for each in history.steps
    ]
    assert [Sleep, DoStep, Wait] == [type(each) for each in history.steps]
    assert (1, 96) == (history.started, history.ended)


def test_attempts_belong_to_their_step() -> None:
    """Each with what it failed with, and how long after it the next one comes."""
    attempts = step(History.of(JOURNAL), "a-1").attempts
    assert [(1, 3, 4, False, 10), (2, 5, 6, True, None)] == [
        (each.number, each.start, each.end, each.success, each.retry_delay_ms) for each in attempts
    ]
    assert ["no", None] == [each.error and each.error.message for each in attempts]


def test_the_undoing_of_a_step_is_a_step_of_its_own() -> None:
    """It has the name of the step, and attempts and times of its own."""
    (undone,) = History.of(JOURNAL).undone
    assert ("rollback", "a-1", 92, 95, True, 1) == (
        undone.type, undone.name, undone.start, undone.end, undone.success, len(undone.attempts)
    )  # fmt: skip
    assert (False, True) == (undone.skipped, step(History.of(JOURNAL), "a-1").skipped)


@pytest.mark.parametrize(
    ("entries", "success", "attempts"),
    [(5, None, []), (6, None, [None]), (7, None, [False]), (10, None, [False, True]), (11, True, [False, True])],
)
def test_what_goes_on_has_no_end(entries: int, success: bool | None, attempts: list[bool | None]) -> None:
    """A journal of an instance that is at work: neither the step nor its open attempt has succeeded or failed."""
    history = History.of(JOURNAL[:entries])
    found = step(history, "a-1")
    assert (success, attempts) == (found.success, [each.success for each in found.attempts])
    assert (found.end is None, history.ended) == (success is None, None)


def test_a_step_that_gave_nothing_has_no_output() -> None:
    """Sensitive or not: there is nothing to be hidden."""
    config = {**CONFIG, "sensitive": "output"}
    started = [*JOURNAL[:3], Entry(4, 2, "step_started", "a-1", {"config": config})]
    nothing = step(History.of([*started, Entry(5, 3, "step_completed", "a-1")]), "a-1")
    assert (False, None) == (nothing.has_output, nothing.output)
    something = step(History.of([*started, Entry(5, 3, "step_completed", "a-1", value="1")]), "a-1")
    assert (True, "[REDACTED]") == (something.has_output, something.output)


def test_the_line_of_an_error_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It may have been raised in the standard library, for what the user's code gave to it."""
    monkeypatch.chdir(tmp_path)
    trace = "".join(
        f'  File "{file}", line {line}, in f\n' for file, line in ((tmp_path / "shop.py", 3), (json.__file__, 9))
    )
    failed = Entry(7, 4, "attempt_errored", "a-1", {"attempt": 1, "error": {**ERROR, "traceback": trace}})
    assert "failed: ValueError: no (shop.py:3)" in timeline(History.of([*JOURNAL[:6], failed]))
