"""What is under way in an engine, for those who wait for the end of it: tests, which let time pass only then."""

import asyncio
from typing import Any

from cfworkflows_emulator.engine.callbacks import Callbacks
from cfworkflows_emulator.engine.creation import Creation
from cfworkflows_emulator.engine.divergence.determinism import DeterminismCheck
from cfworkflows_emulator.engine.instance import Instances
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.turns import REST_TURNS


class Activity:
    """Looks at the parts of an engine, and changes nothing."""

    def __init__(
        self,
        residents: Instances,
        creation: Creation,
        callbacks: Callbacks,
        store: InstanceStore,
        determinism: DeterminismCheck,
    ) -> None:
        self._residents = residents
        self._creation = creation
        self._callbacks = callbacks
        self._store = store
        self._determinism = determinism

    async def loose_ends(self) -> None:
        """Wait for the callbacks that no run waits for: of steps that were not awaited before `run()` returned.

        Callbacks that have timed out are not among them: their results are discarded.
        """
        while loose := self._loose_ends():
            await asyncio.wait(loose)

    @property
    def left_over(self) -> list[str]:
        """The callbacks that `loose_ends` waits for, by name."""
        return sorted(task.get_name() for task in self._callbacks.running & self._loose_ends())

    async def at_rest(self) -> None:
        """Wait until there is nothing to do for the engine itself, whatever code of the user's still runs."""
        before = None
        while before != (before := self.progress()):
            if work := self._residents.work | self._creation.under_way:
                await asyncio.wait(work)
            await self._store.flushed()
            for _ in range(REST_TURNS):
                await asyncio.sleep(0)  # noqa: TID251 - a turn of the event loop, no time

    async def rehearsed(self) -> None:
        """Wait for the replays that `check_determinism` asks for, and that are under way."""
        await self._determinism.over()

    def progress(self) -> object:
        """Something that is equal to what it was before if nothing has happened since to instances in memory."""
        journals = frozenset((key, instance.state.last_seq) for key, instance in self._residents.actors.items())
        return journals, frozenset(self._callbacks.running)

    def _loose_ends(self) -> set[asyncio.Future[Any]]:
        instances = list(self._residents.actors.values())
        awaited = {task for instance in instances for task in instance.awaited} | self._callbacks.late
        lingering = {operation.over for instance in instances for operation in instance.lingering}
        return {*(self._callbacks.running - awaited), *lingering}
