"""The one way from an event to its handler: requests, crons, batches, and all else that calls a Worker's code."""

from collections.abc import Awaitable, Callable
from types import CoroutineType
from typing import Any, Protocol

from cfworkflows.entrypoint import ExecutionContext
from cfworkflows_emulator.handlers import FETCH, Event
from cfworkflows_emulator.runtime.dialect import Dialect, dialect_of
from cfworkflows_emulator.runtime.exports import Exports
from cfworkflows_emulator.runtime.origin import current_event


class Receiver(Protocol):
    """The Worker that an event is for."""

    exports: Exports
    env: Any

    def enter(self, props: Any = None) -> ExecutionContext:
        """A context for its code, which is what the module-level `env` and `wait_until` stand for from now on."""


async def deliver(worker: Receiver, event: Event, *own: Any, entrypoint: str | None = None, props: Any = None) -> Any:
    """Call the Worker's handler of `event` with the arguments `own`, env and ctx, and return what it returns.

    Each event gets a new object of the class `entrypoint`, or of the default one if that is None. Raises what the
    handler raises, RuntimeError if there is no such class or handler, and TypeError for a handler that cannot be
    called, or that returns no Response to a request.
    """
    context = worker.enter(props)
    current_event.set((event.name, own))
    exports = worker.exports
    cls = exports.entrypoint(entrypoint)
    if cls is not None:
        name = event.name
        dialect = dialect_of(cls)
        handler = getattr(dialect.make(cls, context, worker.env), name, None)
    else:
        name = f"on_{event.name}"
        handler = exports.global_handlers.get(name)
        dialect = dialect_of(handler)
    if not callable(handler):
        raise _no_handler(event)
    return await call(dialect, event, name, handler, own, worker.env, context)


async def call(
    dialect: Dialect,
    event: Event,
    name: str,
    handler: Callable[..., Any],
    own: tuple[Any, ...],
    env: Any,
    context: ExecutionContext,
) -> Any:
    """Call a handler, which is there as `name`, as its dialect wants it; for code that has an object already."""
    is_fetch = event.name == FETCH.name
    if is_fetch:
        own = (dialect.request(*own),)
    result = handler(*dialect.arguments(event, name, handler, own, env, context))
    if type(result) is CoroutineType or isinstance(result, Awaitable):  # the first spares most the slower second
        result = await result
    return dialect.response(result, handler) if is_fetch else result


def _no_handler(event: Event) -> RuntimeError:
    if event is not FETCH:
        return RuntimeError(
            f"Handler does not export a {event.name}() function. Define one in the main module:\n"
            f"class Default(WorkerEntrypoint):\n"
            f"    async def {event.name}({', '.join(('self', *event.arguments))}):"
        )
    error = RuntimeError("Handler does not export a fetch() function.")
    error.add_note(
        "Received a FetchEvent but we lack a handler for FetchEvents. Define one in the main module:\n"
        "class Default(WorkerEntrypoint):\n"
        "    async def fetch(self, request):\n"
        '        return Response("hello")'
    )
    return error
