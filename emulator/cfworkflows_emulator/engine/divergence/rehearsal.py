"""A rehearsal: `run()` once more over a journal, aside from its instance, to see whether it does the same again.

No callback is called and nothing is stored. Unlike the `Comparison` of an ordinary replay it knows the whole journal,
also what came later than the part that it replays, and it compares the arguments of the calls too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cfworkflows.event import WorkflowEvent
from cfworkflows_emulator.clock import TimerHandle
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.divergence.divergence import Made, divergence
from cfworkflows_emulator.engine.journal.diagnosis import Call, Diagnosis
from cfworkflows_emulator.engine.journal.entries import ENDS, Entry, StepKind
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.run.replay import Replay
from cfworkflows_emulator.engine.shared import Shared
from cfworkflows_emulator.timers import Callback
from cfworkflows_emulator.tracebacks import caller_location

MOST_REPLAYS = 100
"""The most replays of one journal: in a longer journal, only some steps are followed by a replay, evenly spread."""


async def rehearse(
    shared: Shared, definition: WorkflowDefinition, id: str, entries: Sequence[Entry], *, after: int = 0, strict: bool
) -> Diagnosis | None:
    """Replay a journal up to each end of a step behind the entry `after`, and as a whole: the first divergence.

    The journal ends where the instance waits or has ended. `strict` is for code that has not been changed: what is new,
    and another outcome, count although the journal is followed to its end.
    """
    for upto in _ends(entries, after):
        known = [entry for entry in entries if entry.seq <= upto]
        found = await _rehearse(shared, definition, id, known, entries, strict=strict)
        if found is not None:
            return found
    return None


async def _rehearse(
    shared: Shared,
    definition: WorkflowDefinition,
    id: str,
    known: list[Entry],
    entries: Sequence[Entry],
    *,
    strict: bool,
) -> Diagnosis | None:
    aside = _Aside(shared, definition, id, known)
    made: list[Made] = []

    def called(kind: StepKind, step: str, given: Mapping[str, Any], by_main: bool) -> None:
        made.append(Made(Call(kind, step, caller_location()), given, by_main))

    replay = Replay(aside, called)
    replay.start(shared.context.copy())
    try:
        await replay.over.wait()
    finally:
        replay.close()
    return divergence(made, replay.ended, known, entries, strict=strict)


def _ends(entries: Sequence[Entry], after: int) -> list[int]:
    found = [entry.seq for entry in entries if entry.type in ENDS and entry.seq > after]
    if len(found) >= MOST_REPLAYS:
        found = [found[index * len(found) // (MOST_REPLAYS - 1)] for index in range(MOST_REPLAYS - 1)]
    return [*found, entries[-1].seq] if not found or found[-1] != entries[-1].seq else found


class _Aside:
    """An instance that the engine does not know, made of the entries of a journal."""

    def __init__(self, shared: Shared, definition: WorkflowDefinition, id: str, entries: Sequence[Entry]) -> None:
        self.definition = definition
        self.key = 0
        self.state = InstanceState.fold(entries)
        self.store = shared.store
        self.clock = _Standstill(entries[-1].time)
        self._id = id
        self._lifeline = shared.lifeline

    def __str__(self) -> str:
        return f"{self.definition.name}/{self._id}"

    @property
    def process_ends(self) -> bool:
        return self._lifeline.is_cut

    def event(self) -> WorkflowEvent[Any]:
        return self.definition.event(self._id, self.state.creation)


class _Standstill:
    """The clock of a replay: it stands still at the time of the last entry that the replay knows."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def call_at(self, when: float, callback: Callback) -> TimerHandle:
        return _Never()

    def hold(self) -> None:
        """Nothing moves it anyway."""

    def release(self) -> None:
        """See `hold`."""


class _Never:
    def cancel(self) -> None:
        """It does not fire."""
