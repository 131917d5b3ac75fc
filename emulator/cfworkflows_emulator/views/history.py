"""What happened to an instance: its steps and their attempts, each once, with the times of their start and end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cfworkflows.errors import ErrorRecord, text_of
from cfworkflows_emulator.engine import Entry, is_sensitive, shown_output
from cfworkflows_emulator.engine.journal.entries import ENTRIES, EntryType
from cfworkflows_emulator.engine.journal.state import InstanceState, SleepState, StepState, Verb, WaitState

TYPES: Mapping[str, str] = {"do": "step", "sleep": "sleep", "wait": "waitForEvent", "rollback": "rollback"}
"""The names of the kinds of steps in the platform's APIs; the undoing of a step is a kind of its own."""


@dataclass(slots=True)
class Attempt:
    """One call of a step's callback, or of its rollback handler. Times in ms; `success` is None until it has ended."""

    number: int
    start: int
    end: int | None = None
    success: bool | None = None
    error: ErrorRecord | None = None
    retry_delay_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what the journal says of it, and when it began and ended, in ms.

    `kind` is do, sleep, wait, or rollback for the undoing of a step. `skipped` says that a delay of it was ended before
    its time.
    """

    kind: str
    name: str
    state: Verb
    start: int
    end: int | None
    skipped: bool

    @property
    def type(self) -> str:
        """What the platform's APIs call it."""
        return TYPES[self.kind]


@dataclass(frozen=True, slots=True)
class DoStep(Step):
    """A `step.do`, or the undoing of one."""

    state: StepState
    attempts: Sequence[Attempt]

    @property
    def success(self) -> bool | None:
        """None until it is done."""
        return self.state.error is None if self.state.done else None

    @property
    def has_output(self) -> bool:
        return self.state.value is not None or self.state.stream is not None

    @property
    def output(self) -> Any:
        """What may be shown of its output: `[REDACTED]` if it is sensitive, of a stream the start. None if none."""
        state = self.state
        try:
            return shown_output(state.value, state.stream, sensitive=is_sensitive(state.config))
        except Exception as error:  # noqa: BLE001 - a damaged record, or a class of the user's that changed
            return f"[cannot be read: {text_of(error)}]"


@dataclass(frozen=True, slots=True)
class Sleep(Step):
    """A `step.sleep` or a `step.sleep_until`."""

    state: SleepState


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """A `step.wait_for_event`."""

    state: WaitState


@dataclass(frozen=True, slots=True)
class History:
    """An instance by its journal. `steps` come in the order they began in, `undone` in that of the rollback.

    `started` and `ended` are when its code first ran, and when it ended for good, in ms.
    """

    entries: Sequence[Entry]
    state: InstanceState
    started: int | None
    steps: Sequence[Step]
    undone: Sequence[DoStep]

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "History":
        """Of a journal that no engine wrote, as far as it can be read."""
        state = InstanceState.read(entries)
        if state.unreadable_from is not None:
            entries = [entry for entry in entries if entry.seq < state.unreadable_from]
        found = _Found(entries)
        steps = [
            *(found.do("do", name, step) for name, step in state.steps.items()),
            *(Sleep("sleep", name, sleep, *found.bounds("sleep", name, sleep)) for name, sleep in state.sleeps.items()),
            *(Wait("wait", name, wait, *found.bounds("wait", name, wait)) for name, wait in state.waits.items()),
        ]
        steps.sort(key=lambda step: step.state.began)
        undone = state.rollback.steps if state.rollback is not None else {}
        return cls(
            entries, state, found.started, steps, [found.do("rollback", name, step) for name, step in undone.items()]
        )

    @property
    def terminated_by(self) -> str:
        """What terminated it: `api`, `binding`, or `unknown`, as it is in journals of older versions."""
        last = next((each for each in reversed(self.entries) if each.type == EntryType.WORKFLOW_TERMINATED), None)
        return str(last.data.get("trigger", "unknown")) if last is not None else "unknown"

    @property
    def ended(self) -> int | None:
        return self.state.ended_at if self.state.status.finite else None


class _Found:
    """What the state does not keep of the entries: their times, the attempts, and the skipped delays."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.started: int | None = None
        self._times = {entry.seq: entry.time for entry in entries}
        self._attempts: dict[tuple[str, str | None], list[Attempt]] = {}
        self._skipped: set[tuple[str, str | None]] = set()
        for entry in entries:
            undone = ENTRIES[entry.type].undoes
            kind = "do" if undone is None else "rollback"
            match undone or entry.type:
                case EntryType.WORKFLOW_STARTED:
                    self.started = entry.time
                case EntryType.ATTEMPT_STARTED:
                    attempts = self._attempts.setdefault((kind, entry.step), [])
                    attempts.append(Attempt(entry.data["attempt"], entry.time))
                case EntryType.ATTEMPT_COMPLETED:
                    self._end(kind, entry, success=True)
                case EntryType.ATTEMPT_ERRORED:
                    self._end(kind, entry, success=False)
                case EntryType.DELAY_SKIPPED:
                    self._skipped.add((entry.data["kind"], entry.step))

    def bounds(self, kind: str, name: str, verb: Verb) -> tuple[int, int | None, bool]:
        """When a step began and ended, and whether a delay of it was skipped."""
        end = self._times.get(verb.ended) if verb.ended is not None else None  # its entry may be what cannot be read
        return self._times[verb.began], end, (kind, name) in self._skipped

    def do(self, kind: str, name: str, step: StepState) -> DoStep:
        return DoStep(kind, name, step, *self.bounds(kind, name, step), self._attempts.get((kind, name), []))

    def _end(self, kind: str, entry: Entry, *, success: bool) -> None:
        attempts = self._attempts.get((kind, entry.step))
        if not attempts:  # where the journal is damaged
            return
        attempt = attempts[-1]
        error = entry.data.get("error")
        attempt.end = entry.time
        attempt.success = success
        attempt.error = ErrorRecord(**error) if error is not None else None
        attempt.retry_delay_ms = entry.data.get("retryDelayMs")
