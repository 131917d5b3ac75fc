"""A verb under way. It is driven without a task of asyncio, which would take a turn of the event loop to start, and one
more for whatever it waits for: a step in a row is a commit, and hardly more than that.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Generator
from types import CodeType
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Ended = Callable[[Any, BaseException | None], None]
"""Called at the end of an operation, with what it returned or the error that left it."""


class Latch(Generic[T]):
    """A result that one operation waits for. The operation continues within the call that sets it; the first counts."""

    __slots__ = ("_error", "_result", "is_open", "then")

    def __init__(self) -> None:
        self.is_open = False
        self.then: Callable[[], None] | None = None
        self._result: Any = None
        self._error: BaseException | None = None

    def open(self, result: T) -> None:
        if not self.is_open:
            self._result = result
            self._open()

    def fail(self, error: BaseException) -> None:
        """Raise `error` in the operation."""
        if not self.is_open:
            self._error = error
            self._open()

    def settle(self, error: BaseException | None) -> None:
        """`fail` with an error, or open without a result."""
        if not self.is_open:
            self._error = error
            self._open()

    def drop(self) -> None:
        """It is not waited for any more: a result that comes later is dropped."""
        self.is_open = True
        self.then = None

    def _open(self) -> None:
        self.is_open = True
        then, self.then = self.then, None
        if then is not None:
            then()

    def __await__(self) -> Generator["Latch[T]", None, T]:
        if not self.is_open:
            yield self
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # it holds this frame
        result: T = self._result
        return result


class Operation:
    """Runs `work` in `context`, by default a copy of the current one, from one thing that it waits for to the next.

    It waits for a Latch or a future. `ended` is called when it is over, which may be before `start` returns.
    """

    __slots__ = ("_context", "_ended", "_over", "_waits_for", "_work", "name")

    def __init__(
        self,
        work: Coroutine[Any, Any, Any],
        name: str,
        ended: Ended,
        context: contextvars.Context | None = None,
    ) -> None:
        self.name = name
        self._work = work
        self._ended = ended
        self._context = contextvars.copy_context() if context is None else context
        self._waits_for: Latch[Any] | asyncio.Future[Any] | None = None
        self._over: asyncio.Future[None] | None = None

    @property
    def over(self) -> asyncio.Future[None]:
        """Done when it has ended. Only to be asked for before that."""
        if self._over is None:
            self._over = asyncio.get_running_loop().create_future()
        return self._over

    def start(self) -> None:
        self._step(self._work.send, None)

    def cancel(self) -> None:
        """Raise CancelledError where it waits. An operation that is just running is left alone: it looks for itself."""
        waits_for, self._waits_for = self._waits_for, None
        if waits_for is None:
            return
        if isinstance(waits_for, Latch):
            waits_for.drop()
        else:
            waits_for.remove_done_callback(self._woken)
        self._step(self._work.throw, asyncio.CancelledError)

    def _go_on(self) -> None:
        self._step(self._work.send, None)

    def _step(self, go_on: Callable[[Any], Any], argument: object) -> None:
        self._waits_for = None
        try:
            waits_for = called_in(self._context, go_on, argument)
        except StopIteration as stop:
            self._end(stop.value, None)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as raised:  # noqa: BLE001 - as with a task, the waiter gets it
            self._end(None, raised)
        else:
            self._wait_for(waits_for)

    def _wait_for(self, what: Latch[Any] | asyncio.Future[Any] | None) -> None:
        if what is None:  # a turn of the event loop
            what = Latch()
            asyncio.get_running_loop().call_soon(what.open, None)
        self._waits_for = what
        if isinstance(what, Latch):
            what.then = self._go_on
        else:
            what._asyncio_future_blocking = False  # what a task does: the future knows that it is being awaited
            what.add_done_callback(self._woken)

    def _end(self, result: Any, error: BaseException | None) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(None)
        ended, self._ended = self._ended, _ignore  # it may hold this: without the cycle, both go at once
        ended(result, error)

    def _woken(self, future: asyncio.Future[Any]) -> None:
        if self._waits_for is future:
            self._go_on()


def _ignore(result: Any, error: BaseException | None) -> None:
    """Stands in for `ended` once that was called."""


def called_in(context: contextvars.Context, function: Callable[..., T], *arguments: Any) -> T:
    """What `function` returns, called in `context`. Code that inspects the stack finds the context here."""
    return context.run(function, *arguments)


CALLED_IN: CodeType = called_in.__code__
