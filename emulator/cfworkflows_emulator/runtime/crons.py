"""The cron triggers of Workers: their `scheduled` handlers, fired by `triggers.crons` or by a request."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Literal, NamedTuple

from cfworkflows_emulator.actors import Schedules
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.handlers import SCHEDULED
from cfworkflows_emulator.runtime.deliver import deliver
from cfworkflows_emulator.runtime.events import ScheduledController
from cfworkflows_emulator.runtime.worker import Worker
from cfworkflows_emulator.tracebacks import printable_error

log = logging.getLogger("cfworkflows.worker")


class Outcome(NamedTuple):
    """The outcome of a firing; `no_retry` says that it is not to be tried again, as in the platform's answer."""

    outcome: Literal["ok", "exception"]
    no_retry: bool


async def fire(worker: Worker, cron: str, scheduled_time: int) -> Outcome:
    """Call the `scheduled` handler for a firing at `scheduled_time`, in ms since the epoch. Its error is logged."""
    controller = ScheduledController(cron, scheduled_time)
    try:
        await deliver(worker, SCHEDULED, controller)
    except (Exception, SystemExit) as error:  # whatever a handler raises is the outcome
        log.error("Uncaught error in scheduled (%s)", cron or "no cron expression", exc_info=printable_error(error))
        # Where there is no handler, another try would not find one either.
        return Outcome("exception", not controller.retried or not worker.exports.handles("scheduled"))
    log.info("scheduled %s ok", cron or "(no cron expression)")
    return Outcome("ok", not controller.retried)


class Crons:
    """Fires the crons of Workers at their times, as the platform does once they are deployed."""

    def __init__(self, clock: Clock, workers: Mapping[str, Worker]) -> None:
        self._workers = workers
        self._schedules = Schedules(clock, self._fire, of="Worker")

    def start(self, loaded: LoadedConfig) -> None:
        """Arm the timers of a Worker that has the handler."""
        if self._workers[loaded.config.name].exports.handles("scheduled"):
            self._schedules.arm(loaded.config.name, loaded.config.triggers.crons)

    def close(self) -> None:
        self._schedules.close()

    async def _fire(self, worker: str, cron: str, scheduled_time: int) -> None:
        firing = asyncio.ensure_future(fire(self._workers[worker], cron, scheduled_time))
        self._workers[worker].wait_until(firing)  # so it has time to end when the server stops
        await asyncio.shield(firing)
