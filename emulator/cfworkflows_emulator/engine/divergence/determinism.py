"""What `run()` has done is replayed aside when an instance waits or has ended, to see whether it does the same again.

All that has been done is replayed if `check_determinism` asks for that. Else only an instance is whose code may depend
on time, as far as its calls tell: steps of one name in several branches, and losers of races that ended after all.
"""

import asyncio

from cfworkflows_emulator.engine.divergence.rehearsal import rehearse, rehearse_races
from cfworkflows_emulator.engine.instance import Instance, Instances
from cfworkflows_emulator.engine.journal.diagnosis import Diagnosis
from cfworkflows_emulator.engine.journal.entries import Entry
from cfworkflows_emulator.engine.journal.state import Status


class DeterminismCheck:
    """Rehearses instances of `residents`: after each step if it `is_on`. It reports to each what a replay does
    differently.
    """

    def __init__(self, residents: Instances, *, is_on: bool) -> None:
        self._residents = residents
        self._is_on = is_on
        self._checked: dict[int, int] = {}
        self._raced: dict[int, int] = {}
        self._checking: set[asyncio.Task[None]] = set()

    def rested(self, key: int) -> None:
        """An instance waits, or has ended, with all that its code called in its journal."""
        instance = self._residents.actors.get(key)
        if instance is None or not (self._is_on or instance.is_suspect):
            return
        state = instance.state
        if state.status.finite:
            self._raced.pop(key, None)
        checked = self._checked.get(key, 0)
        if self._residents.closed or state.status is Status.TERMINATED or state.last_seq == checked or state.diagnoses:
            return  # a terminated instance was cut off anywhere, and what is known to differ will differ again
        if not (self._is_on or state.status.finite) and state.last_seq < 2 * checked:
            return  # one that waits often is replayed less and less often, so that this takes no more than its steps
        self._checked[key] = state.last_seq
        if state.status.finite:
            del self._checked[key]
        self._start(instance, checked, state.last_seq)

    def raced(self, key: int) -> None:
        """The loser of a race has ended, and is not cancelled again: what differs is reported as soon as can be."""
        instance = self._residents.actors.get(key)
        if instance is None or self._residents.closed or instance.state.diagnoses:
            return
        last = instance.state.last_seq
        if self._raced.get(key) != last:  # a replay meets all the losers there have been before it writes anything
            self._raced[key] = last
            self._start(instance, last, last)

    async def over(self) -> None:
        """Wait for the replays that are under way."""
        while self._checking:
            await asyncio.wait(self._checking)

    def _start(self, instance: Instance, after: int, upto: int) -> None:
        task = self._residents.do(self._check(instance, after, upto), f"{instance} could not be replayed.")
        self._checking.add(task)
        task.add_done_callback(self._checking.discard)

    async def _check(self, instance: Instance, after: int, upto: int) -> None:
        residents, store = self._residents, instance.store
        await store.flushed()
        entries = [entry for entry in await store.journal(instance.key) if entry.seq <= upto]
        if not entries or residents.closed:  # it was deleted, or restarted
            return
        found = await self._found(instance, entries, after)
        if found is not None and not residents.closed:
            async with residents.using(instance.key) as using:
                if found not in using.state.diagnoses:
                    using.diagnose(found)

    async def _found(self, instance: Instance, entries: list[Entry], after: int) -> Diagnosis | None:
        shared, definition, id = instance.shared, instance.definition, instance.id
        raced = await rehearse_races(shared, definition, id, entries)
        if raced is not None or after == entries[-1].seq:
            return raced
        return await rehearse(shared, definition, id, entries, after=after, strict=True, at_end=not self._is_on)
