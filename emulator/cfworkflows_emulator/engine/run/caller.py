"""Whose code is calling: which instance's, and in the callback of which of its steps."""

import contextvars
from collections.abc import Callable

from cfworkflows_emulator.engine.run.host import Journalled


class Callback:
    """One call of a step's callback, for the verbs that are called in it. As a context manager, it gives the context
    to call it in. `ended` is notified at the end; `owner` is the object that keeps count of it.
    """

    __slots__ = ("_ended", "over", "owner", "step")

    def __init__(self, owner: object, step: str, ended: "Callable[[Callback], None]") -> None:
        self.owner = owner
        self.step = step
        self.over = False
        self._ended = ended

    def __enter__(self) -> contextvars.Context:
        context = contextvars.copy_context()
        context.run(_enclosing.set, self)
        return context

    def __exit__(self, *error: object) -> None:
        self.over = True
        self._ended(self)


def enclosing_callback() -> Callback | None:
    """The callback that is calling, None outside of callbacks."""
    return _enclosing.get()


def run_as(host: Journalled, context: contextvars.Context) -> None:
    """What runs in `context` is code of `host`."""
    context.run(_running.set, host)


def running_here() -> Journalled | None:
    """The instance whose code, in `run()` or in a callback, is calling."""
    return _running.get()


def running_in(context: contextvars.Context) -> tuple[Journalled | None, str | None]:
    """The instance whose code runs in `context`, and the step in whose callback it is, None in `run()`."""
    callback = context.get(_enclosing)
    return context.get(_running), callback.step if callback is not None else None


_enclosing: contextvars.ContextVar[Callback | None] = contextvars.ContextVar("cfworkflows_enclosing", default=None)
_running: contextvars.ContextVar[Journalled | None] = contextvars.ContextVar("cfworkflows_running", default=None)
