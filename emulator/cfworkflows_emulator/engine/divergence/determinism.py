"""`check_determinism`: whenever an instance waits or has ended, what it has done since the last time is replayed."""

import asyncio

from cfworkflows_emulator.engine.divergence.rehearsal import rehearse
from cfworkflows_emulator.engine.instance import Instance, Instances
from cfworkflows_emulator.engine.journal.state import Status


class DeterminismCheck:
    """Rehearses instances of `residents`, if it `is_on`, and reports to each what a replay does differently."""

    def __init__(self, residents: Instances, *, is_on: bool) -> None:
        self._residents = residents
        self._is_on = is_on
        self._checked: dict[int, int] = {}
        self._checking: set[asyncio.Task[None]] = set()

    def rested(self, key: int) -> None:
        """An instance waits, or has ended, with all that its code called in its journal."""
        if not self._is_on or (instance := self._residents.actors.get(key)) is None:
            return
        state = instance.state
        checked = self._checked.get(key, 0)
        if self._residents.closed or state.status is Status.TERMINATED or state.last_seq == checked or state.diagnoses:
            return  # a terminated instance was cut off anywhere, and what is known to differ will differ again
        self._checked[key] = state.last_seq
        if state.status.finite:
            del self._checked[key]
        check = self._check(instance, checked, state.last_seq)
        task = self._residents.do(check, f"{instance} could not be replayed.")
        self._checking.add(task)
        task.add_done_callback(self._checking.discard)

    async def over(self) -> None:
        """Wait for the replays that are under way."""
        while self._checking:
            await asyncio.wait(self._checking)

    async def _check(self, instance: Instance, after: int, upto: int) -> None:
        residents, store = self._residents, instance.store
        await store.flushed()
        entries = [entry for entry in await store.journal(instance.key) if entry.seq <= upto]
        if not entries or residents.closed:  # it was deleted, or restarted
            return
        found = await rehearse(instance.shared, instance.definition, instance.id, entries, after=after, strict=True)
        if found is not None and not residents.closed:
            async with residents.using(instance.key) as using:
                using.diagnose(found)
