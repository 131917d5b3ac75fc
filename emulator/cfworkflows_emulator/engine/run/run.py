"""One execution of a workflow's `run()`: the first, or a replay. Both take the same path."""

import asyncio
import logging

from cfworkflows.errors import is_a
from cfworkflows_emulator.engine.run.code import Code
from cfworkflows_emulator.engine.run.driver import Driver
from cfworkflows_emulator.engine.run.execution import Execution
from cfworkflows_emulator.engine.run.host import Follower, Host
from cfworkflows_emulator.tracebacks import shown_path
from cfworkflows_emulator.turns import SETTLE_TURNS

log = logging.getLogger("cfworkflows.engine")


class Run(Execution):
    """Executes `run()`, and notifies the host of how it ended."""

    def __init__(self, host: Host, follower: Follower | None) -> None:
        super().__init__(host, follower)
        self._code = Code(host, self.tasks)

    async def execute(self) -> None:
        host = self.host
        output, error = await self._code.outcome(Driver(self, self._code))
        if error is None:
            try:
                await self._ended(failed=False)
            except Exception as divergence:  # noqa: BLE001 - it ends the instance, as what `run()` raises
                error = divergence
        if error is not None:
            await self._failed(error)
        elif not self.is_stopped():
            for operation in self.operations:
                step = operation.name
                log.warning(
                    "%s ended before step %s did: nothing awaited it, so its result comes too late.", host, step
                )
            host.complete(output)

    async def _failed(self, error: BaseException) -> None:
        if not self.closed and self.host.abandoned(error):
            return
        if self.is_stopped():
            if is_a(error, Exception):
                raise error
            return
        await self._ended(failed=True)
        for operation in self.operations:
            self._warn_of(operation.name)
        self.host.fail(error)

    def _warn_of(self, name: str) -> None:
        """Say that an attempt, if `name` is a step that has one under way, will not notice that `run()` has failed."""
        step = self.state.steps.get(name)
        if step is None or not step.attempt_open:
            return
        comes_after = "its rollback handler" if step.rollback is not None else "the end of the instance"
        log.warning(
            '%s failed while step "%s"%s is under way. It goes on, as on the platform: what it does may come after %s. '
            "Wait for all that was started before the error leaves run(): asyncio.gather(..., return_exceptions=True).",
            self.host, name, f" at {shown_path(step.at)}" if step.at is not None else "", comes_after,
        )  # fmt: skip

    async def _ended(self, *, failed: bool) -> None:
        for _ in range(SETTLE_TURNS if self.follower is not None else 0):  # for calls again in tasks of the user's
            self.close_gate()
            await asyncio.sleep(0)  # noqa: TID251 - a turn of the event loop, no time
        if self.follower is not None and not self.is_stopped():
            self.follower.ended(failed=failed)
