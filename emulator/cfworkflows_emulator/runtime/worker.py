"""The Worker: what answers requests."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from cfworkflows.entrypoint import ExecutionContext, WorkerEntrypoint
from cfworkflows.environment import current_context, current_env
from cfworkflows.http import Request, Response
from cfworkflows_emulator.runtime.blocking import current_request
from cfworkflows_emulator.runtime.exports import Exports
from cfworkflows_emulator.runtime.handlers import call_relaxed, check_response

log = logging.getLogger("cfworkflows.worker")


class Worker:
    """The handlers of a main module, with the `env` they are given."""

    def __init__(self, exports: Exports, env: Any) -> None:
        self.exports = exports
        self.env = env
        self._waited_for: set[asyncio.Future[Any]] = set()

    async def fetch(self, request: Request) -> Response:
        """Call the Worker's fetch handler, on a new object for each request.

        Sets what the module-level `env` and `wait_until` stand for in the task that calls it, where the body of the
        response is read too. Raises what the handler raises; TypeError if it returns no Response, and RuntimeError if
        there is no such handler.
        """
        current_request.set(request)
        return await self._call(request, self.enter())

    async def fetch_named(self, request: Request, entrypoint: str | None, props: Any) -> Response:
        """What a service binding asks for: the fetch handler of the class `entrypoint`, or of the Worker if it is None.

        `props` are `ctx.props` there. Raises what `fetch` raises, and RuntimeError if there is no such class.
        """
        current_request.set(request)
        context = self.enter(props)
        if entrypoint in (None, "default"):
            return await self._call(request, context)
        cls = self.exports.named.get(str(entrypoint))
        if cls is None:
            there = ", ".join(self.exports.named) or "none"
            raise RuntimeError(
                f"The Worker has no entrypoint {entrypoint!r}; the named WorkerEntrypoints are: {there}."
            )
        return await self._fetch_of(cls, request, context)

    async def handle(self, event: str, argument: Any) -> None:
        """Call the handler of an event that is no request, such as `scheduled`: with `argument`, env and ctx.

        Raises what the handler raises, and RuntimeError if there is none.
        """
        context = self.enter()
        handler: Callable[..., Any]
        if (function := self.exports.global_handlers.get(f"on_{event}")) is not None:
            handler = function
        elif self.exports.default is not None and self.handles(event):
            handler = getattr(self.exports.default(context, self.env), event)
        else:
            raise _no_handler(event)
        result = call_relaxed(handler, argument, self.env, context)
        if isinstance(result, Awaitable):
            await result

    def handles(self, event: str) -> bool:
        """Whether there is a handler of an event."""
        return f"on_{event}" in self.exports.global_handlers or callable(getattr(self.exports.default, event, None))

    def enter(self, props: Any = None) -> ExecutionContext:
        """A context for code of the Worker, which the module-level `env` and `wait_until` stand for from now on.

        From now on, and in this task: what it starts takes them over.
        """
        context = ExecutionContext(self.wait_until, props)
        current_env.set(self.env)
        current_context.set(context)
        return context

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """Let `awaitable` go on in the background; `close` waits for it. Its error is logged."""
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
        """Wait up to `grace_s` seconds for what was handed to `wait_until`. Gives what was cut off after that."""
        if self._waited_for and grace_s > 0:
            await asyncio.wait(self._waited_for, timeout=grace_s)
        left = list(self._waited_for)
        for work in left:
            work.cancel()
        return [f"wait_until({_name(work)})" for work in left]

    def _ended(self, work: asyncio.Future[Any]) -> None:
        self._waited_for.discard(work)
        error = None if work.cancelled() else work.exception()
        if error is not None and not isinstance(error, asyncio.CancelledError):  # gather() ends so when it is cancelled
            log.error("Uncaught error in wait_until", exc_info=error)

    async def _call(self, request: Request, context: ExecutionContext) -> Response:
        exports = self.exports
        if exports.on_fetch is not None:
            result = call_relaxed(exports.on_fetch, request, self.env, context)
            return check_response(await result if isinstance(result, Awaitable) else result, exports.on_fetch)
        if exports.default is None:
            raise _no_fetch()
        return await self._fetch_of(exports.default, request, context)

    async def _fetch_of(
        self, cls: type[WorkerEntrypoint[Any]], request: Request, context: ExecutionContext
    ) -> Response:
        handler = getattr(cls(context, self.env), "fetch", None)
        if not callable(handler):
            raise _no_fetch()
        result = call_relaxed(handler, request)
        return check_response(await result if isinstance(result, Awaitable) else result, handler)


def _no_fetch() -> RuntimeError:
    error = RuntimeError("Handler does not export a fetch() function.")
    error.add_note(
        "Received a FetchEvent but we lack a handler for FetchEvents. Define one in the main module:\n"
        "class Default(WorkerEntrypoint):\n"
        "    async def fetch(self, request):\n"
        '        return Response("hello")'
    )
    return error


def _no_handler(event: str) -> RuntimeError:
    return RuntimeError(
        f"Handler does not export a {event}() function. Define one in the main module:\n"
        f"class Default(WorkerEntrypoint):\n"
        f"    async def {event}(self, {'batch' if event == 'queue' else 'controller'}, env, ctx):"
    )


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _name(work: asyncio.Future[Any]) -> str:
    coroutine = work.get_coro() if isinstance(work, asyncio.Task) else None
    return str(getattr(coroutine, "__qualname__", "a future"))
