"""Cron schedules, of workflows or of others, which fire by themselves: one timer for each, to its next time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from cfworkflows.cron import CronExpression
from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.clock import Clock, TimerHandle

log = logging.getLogger("cfworkflows.engine")

Fire = Callable[[str, str, int], Awaitable[None]]


class Schedules:
    """Calls `fire(name, cron, scheduled_time)` at each time of each schedule; `scheduled_time` is in ms.

    `of` is the noun for their owners in what is logged.

    What falls due while no server runs is not made up for: the first firing is the next one. A machine that slept
    fires once, late, for the time that it missed first.
    """

    def __init__(self, clock: Clock, fire: Fire, of: str = "workflow") -> None:
        self._clock = clock
        self._of = of
        self._fire = fire
        self._timers: dict[tuple[str, str], TimerHandle] = {}
        self._firing: set[asyncio.Task[None]] = set()

    def arm(self, name: str, schedules: Iterable[str]) -> None:
        """Arm the timers of the owner `name`. A schedule whose time is this very millisecond fires."""
        for text in dict.fromkeys(schedules):
            self._arm(name, CronExpression.parse(text), self._clock.now() - 1)

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for task in self._firing:
            task.cancel()

    def _arm(self, name: str, cron: CronExpression, after: int) -> None:
        due = cron.next_after(after)
        if due is None:
            log.warning("The schedule %r of %s %s never fires.", str(cron), self._of, name)
            return
        self._timers[name, cron.text] = self._clock.call_at(due, lambda: self._due(name, cron, due))

    def _due(self, name: str, cron: CronExpression, due: int) -> None:
        self._clock.hold()
        task = asyncio.get_running_loop().create_task(self._create(name, cron, due))
        self._firing.add(task)
        task.add_done_callback(self._fired)
        self._arm(name, cron, max(due, self._clock.now()))

    async def _create(self, name: str, cron: CronExpression, due: int) -> None:
        try:
            await self._fire(name, cron.text, due)
        except CfworkflowsError:
            log.exception("The schedule %r of %s %s could not fire.", cron.text, self._of, name)

    def _fired(self, task: asyncio.Task[None]) -> None:
        self._firing.discard(task)
        self._clock.release()
