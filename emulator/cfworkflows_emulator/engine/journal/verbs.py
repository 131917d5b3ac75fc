"""What the journal says of one step, sleep or wait: a part of the state. No I/O, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cfworkflows.errors import ErrorRecord
from cfworkflows_emulator.engine.journal.entries import Entry
from cfworkflows_emulator.engine.journal.streams import StoredStream


@dataclass(slots=True, kw_only=True)
class Verb:
    """What every verb has: `began` and `ended` are the `seq` of its first and its last entry, `at` is its `file:line`.

    `inside` names the step in whose callback it was called; None if it was called in `run()`. `held_back`: while the
    instance was being paused, when steps that were called before it may have left no entry. `branch` is the path of the
    task that called it; None for that of `run()`, and in journals of older versions.
    """

    began: int = 0
    ended: int | None = None
    at: str | None = None
    inside: str | None = None
    held_back: bool = False
    branch: str | None = None
    done: bool = False

    def begin(self, entry: Entry) -> None:
        self.began = entry.seq
        self.at = entry.data.get("at")
        self.inside = entry.data.get("inside")
        self.held_back = "heldBack" in entry.data
        self.branch = entry.data.get("branch")

    def end(self, entry: Entry) -> None:
        self.done, self.ended = True, entry.seq


@dataclass(slots=True)
class StepState(Verb):
    """A `step.do`: its attempts so far and, once it is done, its value, stream or error. `retry_at` is in ms, `failure`
    the error of the latest attempt, until the step is done.

    `rollback` is the configuration of its rollback handler, None if it has none. The undoing of a step is kept in the
    same shape.
    """

    config: dict[str, Any]
    rollback: dict[str, Any] | None = None
    attempts: int = 0
    attempt_open: bool = False
    retry_at: float | None = None
    value: str | None = None
    stream: StoredStream | None = None
    error: ErrorRecord | None = None
    failure: Mapping[str, Any] | None = None

    def attempt_started(self, entry: Entry) -> None:
        self.attempts = entry.data["attempt"]
        self.attempt_open = True
        self.retry_at = None

    def attempt_ended(self, entry: Entry) -> None:
        self.attempt_open = False
        delay = entry.data.get("retryDelayMs")
        self.retry_at = entry.time + delay if delay is not None else None
        self.failure = entry.data.get("error")

    def fail(self, entry: Entry) -> None:
        """It ends with an error: that of its latest attempt, whose traceback is written down with that."""
        self.end(entry)
        error, failure = entry.data["error"], self.failure
        if failure is not None and (error["name"], error["message"]) == (failure["name"], failure["message"]):
            error = failure
        self.error, self.failure = ErrorRecord(**error), None


@dataclass(slots=True)
class SleepState(Verb):
    """A sleep of `duration_ms`. `until` is in ms; an `absolute` one is not moved by a pause."""

    duration_ms: float
    until: float
    absolute: bool


@dataclass(slots=True)
class WaitState(Verb):
    """A wait for an event. `until` is when it times out, in ms; `event` what it got."""

    event_type: str
    until: float
    timeout_ms: float
    timed_out: bool = False
    event: Entry | None = None
