"""What a request waits for before it leaves: that nothing which it may rest on can still be lost."""

import contextvars
from collections.abc import Awaitable, Callable

departure: contextvars.ContextVar[Callable[[], Awaitable[None]] | None] = contextvars.ContextVar(
    "cfworkflows_departure", default=None
)
"""Awaited before a request is sent from this context; None if there is nothing to wait for."""


async def departs() -> None:
    """Wait until a request may leave. Raises what the wait raises: then nothing is sent."""
    wait = departure.get()
    if wait is not None:
        await wait()
