"""A rehearsal: `run()` once more over a journal, aside from its instance, to see whether it does the same again.

No callback is called and nothing is stored. Unlike the `Comparison` of an ordinary replay it knows the whole journal,
also what came later than the part that it replays, and it compares what the calls are given too.
"""

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step import StepCall
from cfworkflows_emulator.clock import Callback, TimerHandle
from cfworkflows_emulator.engine.admission import Admission
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.divergence.divergence import Made, divergence
from cfworkflows_emulator.engine.eviction import Eviction
from cfworkflows_emulator.engine.instance import Instance
from cfworkflows_emulator.engine.journal.diagnosis import Call, Diagnosis
from cfworkflows_emulator.engine.journal.entries import ENDS, EntryType, StepKind
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.run.rollback import Replay
from cfworkflows_emulator.engine.world import World
from cfworkflows_emulator.storage import Entry, InstanceRow
from cfworkflows_emulator.tracebacks import caller_location

MOST_REPLAYS = 100
"""So many replays of one journal at most: of a longer one, some of its steps are followed by one, evenly spread."""


class Rehearsal(Replay):
    """A replay that notes every call of `run()` in `made`, with what it was given."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self.made: list[Made] = []
        self._given: dict[str, Any] = {}
        self._making: Made | None = None

    def do(self, call: StepCall) -> asyncio.Future[Any]:
        undo = {"rollback": call.rollback.config.as_dict()} if call.rollback is not None else {}
        self._given = {"config": call.config.as_dict(), **undo}
        return super().do(call)

    def sleep(self, name: str, duration_ms: float) -> asyncio.Future[None]:
        self._given = {"durationMs": duration_ms}
        return super().sleep(name, duration_ms)

    def sleep_until(self, name: str, timestamp_ms: float) -> asyncio.Future[None]:
        self._given = {"until": timestamp_ms}
        return super().sleep_until(name, timestamp_ms)

    def wait_for_event(
        self, name: str, event_type: str, timeout_ms: float, returns: Any
    ) -> asyncio.Future[WorkflowStepEvent[Any]]:
        self._given = {"eventType": event_type, "timeoutMs": timeout_ms}
        return super().wait_for_event(name, event_type, timeout_ms, returns)

    def _allot(self, kind: StepKind, name: str) -> str:
        step = super()._allot(kind, name)
        by_main = asyncio.current_task() is self._code
        self._making = Made(Call(kind, step, caller_location()), self._given, by_main)
        if step in self.state.verbs(kind):
            self.made.append(self._making)
            self._making = None
        return step

    def append(self, type: EntryType, step: str | None = None, value: str | None = None, **data: Any) -> Entry:
        if self._making is not None:  # it is new, and nothing is wrong with it: those that are refused have no entry
            self.made.append(self._making)
            self._making = None
        return super().append(type, step, value, **data)

    def _active(self) -> None:
        self._activity += 1
        self._holds_clock = True  # of a clock that stands still anyway


async def rehearse(
    world: World, definition: WorkflowDefinition, id: str, entries: Sequence[Entry], *, after: int = 0, strict: bool
) -> Diagnosis | None:
    """Replay a journal up to each end of a step behind the entry `after`, and as a whole: the first divergence.

    The journal ends where the instance waits or has ended. `strict` is for code that has not been changed: what is new,
    and another outcome, count although the journal is followed to its end.
    """
    for upto in _ends(entries, after):
        known = [entry for entry in entries if entry.seq <= upto]
        found = await _rehearse(world, definition, id, known, entries, strict=strict)
        if found is not None:
            return found
    return None


async def _rehearse(
    world: World, definition: WorkflowDefinition, id: str, known: list[Entry], entries: Sequence[Entry], *, strict: bool
) -> Diagnosis | None:
    aside = dataclasses.replace(
        world,
        clock=_Standstill(known[-1].time),
        eviction=Eviction(world.clock, None, Instance.evict),
        unload=lambda instance: None,
        admission=Admission(lambda key: None, 0),
        callbacks=set(),
        witness=None,
        interventions=None,
        rested=None,
    )
    row = InstanceRow(0, definition.name, id, "running", known[0].time, known[-1].time)
    rehearsal = Rehearsal(Instance(aside, definition, row, InstanceState.fold(known)))
    rehearsal.start(world.context.copy())
    try:
        await rehearsal.over.wait()
    finally:
        rehearsal.close()
    return divergence(rehearsal.made, rehearsal.ended, known, entries, strict=strict)


def _ends(entries: Sequence[Entry], after: int) -> list[int]:
    found = [entry.seq for entry in entries if entry.type in ENDS and entry.seq > after]
    if len(found) >= MOST_REPLAYS:
        found = [found[index * len(found) // (MOST_REPLAYS - 1)] for index in range(MOST_REPLAYS - 1)]
    return [*found, entries[-1].seq] if not found or found[-1] != entries[-1].seq else found


class _Standstill:
    """The time of a replay is that of the last entry it knows, and does not pass."""

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
