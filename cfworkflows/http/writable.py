"""`WritableStream` and its writer: where bytes are written to, chunk by chunk."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio

LOCKED = "This WritableStream is currently locked to a writer."
RELEASED = "This WritableStream writer has been released."
CLOSED = "This WritableStream has been closed."


class Sink(Protocol):
    """What takes the chunks. Each method may be missing, and be async or not."""

    def write(self, chunk: Any) -> Awaitable[None] | None: ...

    def close(self) -> Awaitable[None] | None: ...

    def abort(self, reason: Any) -> Awaitable[None] | None: ...


class WritableStream:
    """A place to write to: `writer = stream.get_writer()`, or `await readable.pipe_to(stream)`.

    `sink` has `write(chunk)`, `close()` and `abort(reason)`, as the methods of an object or the functions of a dict;
    each may be missing, and be async or not. A write is over when the sink has taken the chunk. An error of the sink is
    raised by the write that caused it and by all later ones.
    """

    def __init__(self, sink: Sink | Mapping[str, Callable[..., Any]] | None = None) -> None:
        self._sink = sink
        self._locked = False
        self._over: Exception | None = None
        """The error that writes raise from now on."""
        self._turn: asyncio.Lock | None = None

    @property
    def locked(self) -> bool:
        """Whether a writer holds the stream."""
        return self._locked

    def get_writer(self) -> "WritableStreamWriter":
        """A writer that holds the stream until `release_lock()`. TypeError if it is held already."""
        if self._locked:
            raise TypeError(LOCKED)
        self._locked = True
        return WritableStreamWriter(self)

    async def close(self) -> None:
        """End the stream after the last write. TypeError while a writer holds the stream."""
        if self._locked:
            raise TypeError(LOCKED)
        await self._close()

    async def abort(self, reason: Any = None) -> None:
        """Abort the stream. TypeError while a writer holds the stream."""
        if self._locked:
            raise TypeError(LOCKED)
        await self._abort(reason)

    async def _write(self, chunk: Any) -> None:
        await self._call("write", chunk)

    async def _close(self) -> None:
        await self._call("close")
        self._over = TypeError(CLOSED)

    async def _abort(self, reason: Any) -> None:
        if self._over is None:
            self._over = reason if isinstance(reason, Exception) else TypeError(f"The stream was aborted: {reason}")
            await _called(_method(self._sink, "abort"), reason)

    async def _call(self, name: str, *given: Any) -> None:
        if self._turn is None:
            import asyncio

            self._turn = asyncio.Lock()
        async with self._turn:
            if self._over is not None:
                raise self._over
            try:
                await _called(_method(self._sink, name), *given)
            except Exception as error:
                self._over = error
                raise

    getWriter = get_writer  # noqa: N815 - the platform's name


class WritableStreamWriter:
    """Writes to a stream, and holds it until `release_lock()`."""

    __slots__ = ("_stream",)

    def __init__(self, stream: WritableStream) -> None:
        self._stream: WritableStream | None = stream

    @property
    def ready(self) -> "_Ready":
        """For `await writer.ready`: it always is, since a write waits by itself."""
        return _Ready()

    async def write(self, chunk: Any) -> None:
        """Write a chunk: over when it was taken. Raises what the other side raised, and TypeError once it is closed."""
        await self._held()._write(chunk)

    async def close(self) -> None:
        """End the stream after the last write."""
        await self._held()._close()

    async def abort(self, reason: Any = None) -> None:
        """Abort the stream: the other side raises `reason`."""
        await self._held()._abort(reason)

    def release_lock(self) -> None:
        """Let others write."""
        if self._stream is not None:
            self._stream._locked = False
            self._stream = None

    def _held(self) -> WritableStream:
        if self._stream is None:
            raise TypeError(RELEASED)
        return self._stream

    releaseLock = release_lock  # noqa: N815 - the platform's name


class _Ready:
    __slots__ = ()

    def __await__(self) -> Iterator[None]:
        return iter(())


def _method(holder: object, name: str) -> Callable[..., Any] | None:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


async def _called(method: Callable[..., Any] | None, *given: Any) -> None:
    given_back = None if method is None else method(*given)
    if isinstance(given_back, Awaitable):
        await given_back
