"""The slots of workflows whose `concurrency.limit` is set, and the queues for them.

Only an instance that is at work holds a slot. One that sleeps, waits for an event or for its next attempt, or is paused
gives it back; so does an instance that rolls back, since its status is no longer running. When it continues, and all
slots are taken, it is queued again, in front of those that have not begun: the platform's rule (Sleeping and retrying).

An instance of a schedule needs no slot for an hour. If it is at work then, it takes a slot, or is queued in the midst
of its work: what it has begun continues, and nothing new begins (Schedules).
"""

import heapq
from collections.abc import Callable

from cfworkflows.errors import WorkflowError
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.journal.store import InstanceRow

MAX_QUEUED = 2_000_000
"""The most instances that are queued, as on the platform's paid plan (Limits)."""

FREE_MS = 3_600_000
"""How long an instance of a schedule needs no slot, in ms since it fired."""

# Positions are drawn from one sequence; this is added to the positions of instances that had begun.
_AHEAD = -(1 << 60)


def free_until(id: str, created_at: int) -> int:
    """Until when an instance needs no slot, in ms; 0 for an instance that no schedule created."""
    # Only ids of schedules have blanks: they begin with the cron expression.
    return created_at + FREE_MS if " " in id else 0


class Slots:
    """The slots of one workflow and its queue: the smallest position is the first. No I/O, no clock."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.holders: set[int] = set()
        self.queued: dict[int, int] = {}
        self._queue: list[tuple[int, int]] = []

    @property
    def free(self) -> bool:
        return self.limit is None or len(self.holders) < self.limit

    def take(self, key: int) -> bool:
        """Whether instance `key` has a slot now: it had one, or one was free."""
        if key not in self.holders and self.free:
            self.queued.pop(key, None)
            self.holders.add(key)
        return key in self.holders

    def queue(self, key: int, position: int) -> None:
        self.queued[key] = position
        heapq.heappush(self._queue, (position, key))

    def next(self) -> int | None:
        """The instance that gets a slot now, None if no slot is free or the queue is empty."""
        while self._queue and self.free:
            position, key = heapq.heappop(self._queue)
            if self.queued.get(key) == position:  # it is still there
                self.take(key)
                return key
        return None


class Admission:
    """The slots of all workflows. `admit(keys)` is called when instances that were queued have got one."""

    def __init__(self, admit: Callable[[list[int]], None], last_number: int) -> None:
        self._admit = admit
        self._last_number = last_number
        self._slots: dict[str, Slots] = {}
        self._of: dict[int, Slots] = {}

    def number(self) -> int:
        """The next number of the sequence for the keys and positions of instances, which thus show what came first."""
        self._last_number += 1
        return self._last_number

    def position(self, *, ahead: bool) -> int:
        """A position at the end of the queue, or at the end of those that go `ahead` of it because they had begun."""
        return self.number() + (_AHEAD if ahead else 0)

    def take(self, workflow: WorkflowDefinition, key: int) -> bool:
        """Whether an instance may run: it has a slot, or gets one now."""
        slots = self._slots.get(workflow.name)
        if slots is None:
            slots = self._slots[workflow.name] = Slots(workflow.concurrency_limit)
        if slots.limit is None:
            return True
        self._of[key] = slots
        return slots.take(key)

    def queue(self, workflow: WorkflowDefinition, key: int, position: int) -> None:
        """Put an instance that did not get a slot into the queue, unless it is there."""
        self._last_number = max(self._last_number, position - (_AHEAD if position < 0 else 0))
        slots = self._slots[workflow.name]
        if key not in slots.queued:
            slots.queue(key, position)

    def restore(self, workflow: WorkflowDefinition, row: InstanceRow) -> bool:
        """Restore what an instance had when the last process ended: a slot or a position. Returns whether to wake it.

        Those that ran come before those that were queued. If there are too many of them by now, some are queued.
        """
        if row.status not in ("running", "queued") or self.take(workflow, row.key) or row.position is None:
            return True
        self.queue(workflow, row.key, row.position)
        return False

    def give_back(self, key: int) -> None:
        """Instance `key` waits now, or has ended. It stays in the queue if it is there."""
        slots = self._of.get(key)
        if slots is None:
            return
        slots.holders.discard(key)
        if key not in slots.queued:
            del self._of[key]
        while (first := slots.next()) is not None:
            self._admit([first])

    def leave(self, key: int) -> None:
        """Instance `key` does not run any more: release its slot, or remove it from the queue."""
        if (slots := self._of.get(key)) is not None:
            slots.queued.pop(key, None)
            self.give_back(key)

    def refuse_when_full(self, workflow: WorkflowDefinition) -> None:
        """Raise WorkflowError (`instance.too_many_queued`) if a new instance would be one too many in the queues."""
        slots = self._slots.get(workflow.name)
        if slots is None or slots.free or sum(len(each.queued) for each in self._slots.values()) < MAX_QUEUED:
            return
        raise WorkflowError(
            f"{MAX_QUEUED:,} instances are queued, which is the limit, and all {slots.limit} slots of workflow "
            f'"{workflow.name}" are taken. Create more once some have ended, or raise its concurrency.limit.',
            code="instance.too_many_queued",
        )
