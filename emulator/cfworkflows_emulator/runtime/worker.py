"""The Worker: what answers requests."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from cfworkflows.entrypoint import ExecutionContext
from cfworkflows.environment import current_context, current_env
from cfworkflows.errors import is_a
from cfworkflows.http import Request, Response
from cfworkflows.timers import current_timers
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.handlers import FETCH
from cfworkflows_emulator.runtime.deliver import deliver
from cfworkflows_emulator.runtime.dialect import dialect_of
from cfworkflows_emulator.runtime.exports import Exports
from cfworkflows_emulator.runtime.origin import current_worker
from cfworkflows_emulator.tracebacks import printable_error

log = logging.getLogger("cfworkflows.worker")


class Worker:
    """The handlers of a main module, with the `env` that they receive and the clock of their timers.

    `name` is what its configuration calls it.
    """

    def __init__(self, exports: Exports, env: Any, clock: Clock, name: str | None = None) -> None:
        self.name = name
        self.exports = exports
        self.env = env
        self._clock = clock
        self._waited_for: set[asyncio.Future[Any]] = set()

    async def fetch(self, request: Request, entrypoint: str | None = None, props: Any = None) -> Response:
        """Call the fetch handler of the Worker, or of its class `entrypoint`, on a new object for each request.

        `props` are `ctx.props` there. Sets what the module-level `env` and `wait_until` stand for in the task that
        calls it, where the body of the response is read too. Raises what `deliver` raises.
        """
        response: Response = await deliver(self, FETCH, request, entrypoint=entrypoint, props=props)
        return response

    def make(self, cls: type) -> Any:
        """A new object of one of the Worker's classes, which is entered."""
        return dialect_of(cls).make(cls, self.enter(), self.env)

    def enter(self, props: Any = None) -> ExecutionContext:
        """A context for code of the Worker, which the module-level `env` and `wait_until` stand for from now on, and
        whose timers go by the clock of the project.

        From now on, and in this task: the tasks that it starts inherit them.
        """
        context = ExecutionContext(self.wait_until, props)
        current_env.set(self.env)
        current_worker.set(self.name)
        current_context.set(context)
        current_timers.set(self._clock)
        return context

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """Let `awaitable` run in the background; `close` waits for it. Its error is logged."""
        if not isinstance(awaitable, Awaitable):
            raise TypeError(f"wait_until takes a coroutine or another awaitable, not {awaitable!r}.")
        work: asyncio.Future[Any]
        if asyncio.isfuture(awaitable):
            work = awaitable
        else:
            work = asyncio.ensure_future(awaitable if asyncio.iscoroutine(awaitable) else _awaited(awaitable))
        self._waited_for.add(work)
        work.add_done_callback(self._ended)

    async def close(self, grace_s: float) -> list[str]:
        """Wait up to `grace_s` seconds for what was handed to `wait_until`. Returns what was cut off after that."""
        if self._waited_for and grace_s > 0:
            await asyncio.wait(self._waited_for, timeout=grace_s)
        left = list(self._waited_for)
        for work in left:
            work.cancel()
        return [f"wait_until({_name(work)})" for work in left]

    def _ended(self, work: asyncio.Future[Any]) -> None:
        self._waited_for.discard(work)
        error = None if work.cancelled() else work.exception()
        if error is not None and not is_a(error, asyncio.CancelledError):  # gather() ends so when it is cancelled
            log.error("Uncaught error in wait_until", exc_info=printable_error(error))


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _name(work: asyncio.Future[Any]) -> str:
    coroutine = work.get_coro() if isinstance(work, asyncio.Task) else None
    return str(getattr(coroutine, "__qualname__", "a future"))
