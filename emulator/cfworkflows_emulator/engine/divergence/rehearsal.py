"""A rehearsal: `run()` once more over a journal, aside from its instance, to see whether it does the same again.

No callback is called and nothing is stored. Unlike the `Comparison` of an ordinary replay it knows the whole journal,
also what came later than the part that it replays, and it compares the arguments of the calls too.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from cfworkflows.event import WorkflowEvent
from cfworkflows_emulator.clock import TimerHandle
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.divergence.divergence import Made, Outcome, divergence, race
from cfworkflows_emulator.engine.divergence.held import held_by
from cfworkflows_emulator.engine.journal.diagnosis import Call, Diagnosis
from cfworkflows_emulator.engine.journal.entries import ENDS, Entry, StepKey, StepKind
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.run.branch import current_branch
from cfworkflows_emulator.engine.run.replay import Replay
from cfworkflows_emulator.engine.shared import Shared
from cfworkflows_emulator.timers import Callback
from cfworkflows_emulator.tracebacks import caller_location

MOST_REPLAYS = 100
"""The most replays of one journal: in a longer journal, only some steps are followed by a replay, evenly spread."""


async def rehearse(
    shared: Shared,
    definition: WorkflowDefinition,
    id: str,
    entries: Sequence[Entry],
    *,
    after: int = 0,
    strict: bool,
    at_end: bool = False,
) -> Diagnosis | None:
    """Replay a journal up to each end of a step behind the entry `after`, and as a whole: the first divergence.

    The journal ends where the instance waits or has ended. `strict` is for code that has not been changed: what is new,
    and another outcome, count although the journal is followed to its end. `at_end`, it is only replayed as a whole.
    """
    for upto in _ends(entries, after) if not at_end else [entries[-1].seq]:
        known = [entry for entry in entries if entry.seq <= upto]
        made, ended = await _rehearse(shared, definition, id, known)
        found = divergence(made, ended, known, entries, strict=strict)
        if found is not None:
            return found
    return None


async def rehearse_races(
    shared: Shared, definition: WorkflowDefinition, id: str, entries: Sequence[Entry]
) -> Diagnosis | None:
    """What `run()` does otherwise because steps that it had cancelled, the losers of races, have ended meanwhile."""
    state = InstanceState.fold(entries)
    abandoned = {(kind, step) for kind, step in state.abandoned if state.verbs(kind)[step].done}
    if not abandoned:
        return None
    now = await _rehearse(shared, definition, id, entries)
    before = await _rehearse(shared, definition, id, entries, abandoned)
    return race(now, before, entries, [Call(*key, state.verbs(key[0])[key[1]].at) for key in sorted(abandoned)])


async def _rehearse(
    shared: Shared,
    definition: WorkflowDefinition,
    id: str,
    known: Sequence[Entry],
    unended: Set[StepKey] = frozenset(),
) -> tuple[Sequence[Made], Outcome | None]:
    aside = _Aside(shared, definition, id, known)
    made: list[Made] = []

    def called(kind: StepKind, step: str, given: Mapping[str, Any], by_main: bool, callback: object) -> None:
        branch = current_branch()
        path = branch.path if branch is not None else ()
        made.append(Made(Call(kind, step, caller_location()), given, by_main, path, held_by(callback)))

    replay = Replay(aside, called, unended)
    replay.start(shared.context.copy())
    try:
        await replay.over.wait()
    finally:
        replay.close()
    return made, replay.ended


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
