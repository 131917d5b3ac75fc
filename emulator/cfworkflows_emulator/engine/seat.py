"""Whether an instance may run now: its seat among those that share the slots of a workflow."""

from collections.abc import Callable

from cfworkflows_emulator.clock import Clock, TimerHandle
from cfworkflows_emulator.engine.admission import Admission, free_until
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.journal.store import InstanceRow


class Seat:
    """What an instance holds: a slot, or a `position` in the queue, or, as long as it asks for none, neither.

    One that a schedule has made is free for a while: it may run without a slot.
    """

    def __init__(self, admission: Admission, clock: Clock, workflow: WorkflowDefinition, row: InstanceRow) -> None:
        self._admission = admission
        self._clock = clock
        self._workflow = workflow
        self._key = row.key
        self.position = row.position
        self._free_until = free_until(row.id, row.created_at) if workflow.concurrency_limit is not None else 0
        self._freedom: TimerHandle | None = None

    @property
    def _is_free(self) -> bool:
        return self._free_until > 0 and self._clock.now() < self._free_until

    def take(self, *, ahead: bool) -> bool:
        """Whether it may run. If not, it is in the queue now: `ahead` of those that have not begun, or behind."""
        if self._is_free or self._admission.take(self._workflow, self._key):
            self.position = None
            return True
        if self.position is None:
            self.position = self._admission.position(ahead=ahead)
        self._admission.queue(self._workflow, self._key, self.position)
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
        """It waits: it needs no slot until it continues."""
        self.stop()
        self._admission.give_back(self._key)

    def end(self) -> None:
        """It does not run any more: it releases its slot, or leaves the queue."""
        self.position = None
        self._admission.leave(self._key)
