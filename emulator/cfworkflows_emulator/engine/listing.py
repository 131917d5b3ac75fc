"""The instances of a workflow as they are listed: by their rows, which say nothing of a journal that cannot be read."""

from cfworkflows_emulator.engine.instance import Instances
from cfworkflows_emulator.engine.journal.selection import Selection
from cfworkflows_emulator.engine.journal.state import InstanceState, Status
from cfworkflows_emulator.engine.journal.store import Entries, InstanceRow, InstanceStore, Rows


class Listing:
    """Counts and lists instances. Those whose journals turned out to be unreadable count as errored, as they do
    themselves; their rows stay as they are, for whoever can read the journals.

    Journals are read when instances are woken or asked for. With `looks`, where nothing is woken, a list reads those of
    its instances that have not ended.
    """

    def __init__(self, store: InstanceStore, residents: Instances, *, looks: bool) -> None:
        self._store = store
        self._residents = residents
        self._looks = looks
        self._unreadable: set[int] = set()

    def read(self, key: int, entries: Entries) -> InstanceState:
        """The state that a journal folds into. Whether it could be read is noted."""
        state = InstanceState.read(entries)
        if state.unreadable_from is not None:
            self._unreadable.add(key)
        else:
            self._unreadable.discard(key)
        return state

    async def rows(self, workflow: str, selection: Selection, limit: int, offset: int) -> Rows:
        """See `Engine.list`."""
        await self._store.flushed()
        rows = await self._store.list(workflow, selection, limit=limit, offset=offset)
        if self._looks:
            for row in rows:
                if not Status(row.status).finite:
                    self.read(row.key, await self._store.journal(row.key))
        return [self._shown(row) for row in rows]

    async def counts(self, workflow: str) -> dict[str, int]:
        """See `Engine.counts`."""
        await self._store.flushed()
        counts = await self._store.counts(workflow)
        for key in list(self._unreadable):
            row = await self._store.get(key)
            if row is not None and row.workflow == workflow and (shown := self._shown(row)) is not row:
                counts[row.status] -= 1
                counts[shown.status] = counts.get(shown.status, 0) + 1
        return {status: count for status, count in counts.items() if count}

    def _shown(self, row: InstanceRow) -> InstanceRow:
        if row.key not in self._unreadable or Status(row.status).finite:
            return row
        instance = self._residents.actors.get(row.key)
        if instance is not None and instance.state.unreadable_from is None:  # it was restarted
            return row
        return row._replace(status=str(Status.ERRORED))
