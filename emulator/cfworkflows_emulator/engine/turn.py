"""Whether an instance may run now."""

from collections.abc import Callable

from cfworkflows_emulator.clock import Clock, TimerHandle
from cfworkflows_emulator.engine.admission import Admission, free_until
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.journal.store import InstanceRow


class Turn:
    """An instance's turn to run: it has a slot, or a `place` in the queue, or, as long as it asks for none, neither.

    One that a schedule has made is free for a while: it may run without a slot.
    """

    def __init__(self, admission: Admission, clock: Clock, workflow: WorkflowDefinition, row: InstanceRow) -> None:
        self._admission = admission
        self._clock = clock
        self._workflow = workflow
        self._key = row.key
        self.place = row.place
        self._free_until = free_until(row.id, row.created_at) if workflow.concurrency_limit is not None else 0
        self._freedom: TimerHandle | None = None

    @property
    def _is_free(self) -> bool:
        return self._free_until > 0 and self._clock.now() < self._free_until

    def has_come(self, *, ahead: bool) -> bool:
        """Whether it may run. If not, it is in the queue now: `ahead` of those that have not begun, or behind."""
        if self._is_free or self._admission.take(self._workflow, self._key):
            self.place = None
            return True
        if self.place is None:
            self.place = self._admission.place(ahead=ahead)
        self._admission.queue(self._workflow, self._key, self.place)
        return False

    def begins(self, needs_slot: Callable[[], None]) -> None:
        """It runs. If it is free, `needs_slot` is called when it is no longer, unless it has stopped by then."""
        if self._freedom is None and self._is_free:
            self._freedom = self._clock.call_at(self._free_until, lambda: self._over(needs_slot))

    def _over(self, needs_slot: Callable[[], None]) -> None:
        self._freedom = None
        needs_slot()

    def stop(self) -> None:
        """It does not run now; what it has it keeps."""
        if self._freedom is not None:
            self._freedom.cancel()
            self._freedom = None

    def rest(self) -> None:
        """It waits: it needs no slot until it goes on."""
        self.stop()
        self._admission.give_back(self._key)

    def end(self) -> None:
        """It is not to run any more: it gives its slot back, or leaves the queue."""
        self.place = None
        self._admission.leave(self._key)
