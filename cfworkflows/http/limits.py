"""What may end a fetch before it is over: its timeout, and its signal."""

from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from cfworkflows.http.abort import AbortEvent, AbortSignal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from cfworkflows.durations import Duration


class Limits:
    """When a fetch must be over: by the clock of the event loop, as for the sockets, or by a signal."""

    def __init__(self, url: str, timeout: "Duration | None", signal: AbortSignal | None) -> None:
        self.url = url
        self._signal = signal
        self._at: float | None = None
        if timeout is not None:
            import asyncio

            from cfworkflows.durations import parse_duration

            ms = parse_duration(timeout)
            self._at = asyncio.get_running_loop().time() + ms / 1000
            self._limit = timeout if isinstance(timeout, str) else f"{ms:g} ms"

    async def wait(self, awaitable: Any) -> Any:
        """The result of `awaitable`. TimeoutError if it takes too long, the reason of the signal if that is aborted."""
        if self._signal is not None:
            awaitable = _abortable(awaitable, self._signal)
        if self._at is None:
            return await awaitable
        import asyncio

        scope = asyncio.timeout_at(self._at)
        try:
            async with scope:
                return await awaitable
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise TimeoutError(f"The fetch of {self.url} took longer than its timeout of {self._limit}.") from error

    def when_aborted(self, close: "Callable[[], None]") -> None:
        """Call the method `close` when the signal is aborted, if its object still exists."""
        if self._signal is not None:
            signal, method = self._signal, WeakMethod(close, lambda _: signal.remove_event_listener("abort", listener))

            def listener(event: AbortEvent) -> None:
                if (known := method()) is not None:
                    known()

            signal.add_event_listener("abort", listener)


async def _abortable(awaitable: Any, signal: AbortSignal) -> Any:
    import asyncio

    if signal.aborted:
        if asyncio.iscoroutine(awaitable):
            awaitable.close()
        signal.throw_if_aborted()
    task = asyncio.current_task()
    assert task is not None  # the event loop's sockets are awaited in tasks
    interruption = _Interruption(task)
    signal.add_event_listener("abort", interruption)
    try:
        return await awaitable
    except asyncio.CancelledError:
        if interruption.happened and task.uncancel() <= interruption.cancelling:
            signal.throw_if_aborted()
        raise
    finally:
        signal.remove_event_listener("abort", interruption)


class _Interruption:
    """Cancels the task, and records that it did, as `asyncio.timeout` does."""

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self._task = task
        self.cancelling = task.cancelling()
        self.happened = False

    def __call__(self, event: AbortEvent) -> None:
        self.happened = True
        self._task.cancel()
