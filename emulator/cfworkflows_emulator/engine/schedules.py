"""Cron schedules of workflows, which fire by themselves: one timer for each, to its next time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from cfworkflows.cron import CronExpression
from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.clock import Clock, TimerHandle
from cfworkflows_emulator.engine.definition import WorkflowDefinition

log = logging.getLogger("cfworkflows.engine")

Fire = Callable[[str, str, int], Awaitable[None]]


class Schedules:
    """Calls `fire(workflow, cron, scheduled_time)` at each time of each schedule; `scheduled_time` is in ms.

    What falls due while no server runs is not made up for: the first firing is the next one. A machine that slept
    fires once, late, for the time that it missed first.
    """

    def __init__(self, clock: Clock, fire: Fire) -> None:
        self._clock = clock
        self._fire = fire
        self._timers: dict[tuple[str, str], TimerHandle] = {}
        self._firing: set[asyncio.Task[None]] = set()

    def start(self, definitions: Iterable[WorkflowDefinition]) -> None:
        """Arm the timers. A schedule whose time is this very millisecond fires."""
        for definition in definitions:
            for text in dict.fromkeys(definition.schedules):
                self._arm(definition.name, CronExpression.parse(text), self._clock.now() - 1)

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for task in self._firing:
            task.cancel()

    def _arm(self, workflow: str, cron: CronExpression, after: int) -> None:
        due = cron.next_after(after)
        if due is None:
            log.warning("The schedule %r of workflow %s never fires.", str(cron), workflow)
            return
        self._timers[workflow, cron.text] = self._clock.call_at(due, lambda: self._due(workflow, cron, due))

    def _due(self, workflow: str, cron: CronExpression, due: int) -> None:
        self._clock.hold()
        task = asyncio.get_running_loop().create_task(self._create(workflow, cron, due))
        self._firing.add(task)
        task.add_done_callback(self._fired)
        self._arm(workflow, cron, max(due, self._clock.now()))

    async def _create(self, workflow: str, cron: CronExpression, due: int) -> None:
        try:
            await self._fire(workflow, cron.text, due)
        except CfworkflowsError:
            log.exception("The schedule %r of workflow %s could not create its instance.", cron.text, workflow)

    def _fired(self, task: asyncio.Task[None]) -> None:
        self._firing.discard(task)
        self._clock.release()
