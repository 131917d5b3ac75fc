"""Whose code is calling: which instance's, and in the callback of which of its steps."""

import asyncio
import contextvars
from functools import partial
from typing import Protocol

from cfworkflows.http.departure import departure
from cfworkflows.permit import Permit, permit
from cfworkflows_emulator.engine.run.host import Journalled
from cfworkflows_emulator.storage import StateError


class Owner(Protocol):
    def forget(self, callback: "Callback") -> None:
        """A callback is over."""


class Callback:
    """One call of a step's callback, for the verbs that are called in it; `owner` keeps count of these.

    As a context manager, it returns the context to call it in.
    """

    __slots__ = ("over", "owner", "step")

    def __init__(self, owner: "Owner", step: str) -> None:
        self.owner = owner
        self.step = step
        self.over = False

    def __enter__(self) -> contextvars.Context:
        context = contextvars.copy_context()
        context.run(_enclosing.set, self)
        return context

    def __exit__(self, *error: object) -> None:
        self.over = True
        self.owner.forget(self)


def enclosing_callback() -> Callback | None:
    """The callback that is calling, None outside of callbacks."""
    return _enclosing.get()


def callback_in(context: contextvars.Context) -> Callback | None:
    """The callback whose code runs in `context`, None outside of callbacks."""
    return context.get(_enclosing)


def run_as(host: Journalled, permitted: Permit, context: contextvars.Context) -> None:
    """Mark `context`: the code that runs in it is `host`'s, and may do what `permitted` says."""
    context.run(_mark, host, permitted)


def _mark(host: Journalled, permitted: Permit) -> None:
    _running.set(host)
    departure.set(partial(_departs, host))
    permit.set(permitted)


async def _departs(host: Journalled) -> None:
    """Before a request leaves `run()`: the results that it has seen are to be durable. A callback's attempt is."""
    if enclosing_callback() is None:
        try:
            await host.store.flushed()
        except StateError:  # the run ends where it stands, and the next process continues it
            raise asyncio.CancelledError from None


def running_here() -> Journalled | None:
    """The instance whose code, in `run()` or in a callback, is calling."""
    return _running.get()


def running_in(context: contextvars.Context) -> tuple[Journalled | None, str | None]:
    """The instance whose code runs in `context`, and the step in whose callback it is, None in `run()`."""
    callback = callback_in(context)
    return context.get(_running), callback.step if callback is not None else None


_enclosing: contextvars.ContextVar[Callback | None] = contextvars.ContextVar("cfworkflows_enclosing", default=None)
_running: contextvars.ContextVar[Journalled | None] = contextvars.ContextVar("cfworkflows_running", default=None)
