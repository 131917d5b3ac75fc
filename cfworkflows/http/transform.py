"""`TransformStream` and `FixedLengthStream`: what is written to one end is read from the other."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from cfworkflows.http.streams import Chunk, ReadableStream, to_bytes
from cfworkflows.http.writable import WritableStream

if TYPE_CHECKING:
    import asyncio


class Controller:
    """What a transformer receives: `enqueue(chunk)` passes bytes or text to the reader, `terminate()` ends it."""

    __slots__ = ("_pipe",)

    def __init__(self, pipe: "_Pipe") -> None:
        self._pipe = pipe

    def enqueue(self, chunk: Chunk) -> None:
        self._pipe.put(chunk)

    def terminate(self) -> None:
        self._pipe.end(None)

    def error(self, reason: Any = None) -> None:
        """End the stream with an error, for its reader and its writer."""
        self._pipe.end(_as_error(reason))


class Transformer(Protocol):
    """What is done with the chunks. Each method may be missing, and be async or not."""

    def start(self, controller: Controller) -> Any: ...

    def transform(self, chunk: Any, controller: Controller) -> Any: ...

    def flush(self, controller: Controller) -> Any: ...


class TransformStream:
    """Two ends of a stream of bytes: `writable`, and `readable`, which a Response can have as its body.

    `transformer` has `transform(chunk, controller)`, `flush(controller)` and `start(controller)`, as the methods of an
    object or the functions of a dict; without it the chunks pass as they are. A write is over when the reader has taken
    its chunks, so write in a task of its own: `ctx.wait_until(…)`.
    """

    def __init__(self, transformer: Transformer | Mapping[str, Callable[..., Any]] | None = None) -> None:
        pipe = _Pipe()
        self.readable = ReadableStream(pipe)
        """The end to read from."""
        self.writable = WritableStream(_Transforming(transformer, pipe))
        """The end to write to."""


class FixedLengthStream(TransformStream):
    """A TransformStream without a transformer that says how many bytes will pass: what asks for a body of known length,
    such as `put` of an R2 bucket, takes its `readable`. To write more bytes, or to close it before, raises TypeError.
    """

    def __init__(self, expected_length: int) -> None:
        super().__init__(_Counted(int(expected_length)))
        self.readable._length = int(expected_length)


class _Counted:
    """The transformer of a FixedLengthStream."""

    def __init__(self, left: int) -> None:
        self._left = left

    def start(self, controller: Controller) -> None:
        """There is nothing to be done."""

    def transform(self, chunk: Chunk, controller: Controller) -> None:
        data = to_bytes(chunk)
        self._left -= len(data)
        if self._left < 0:
            raise TypeError("Attempt to write too many bytes through a FixedLengthStream.")
        controller.enqueue(data)

    def flush(self, controller: Controller) -> None:
        if self._left:
            raise TypeError("FixedLengthStream did not see all expected bytes before close().")


class _Transforming:
    """The sink of the writable end."""

    def __init__(self, transformer: Any, pipe: "_Pipe") -> None:
        self._pipe = pipe
        self._controller = Controller(pipe)
        self._start, self._transform, self._flush = (
            transformer.get(name) if isinstance(transformer, Mapping) else getattr(transformer, name, None)
            for name in ("start", "transform", "flush")
        )

    async def write(self, chunk: Any) -> None:
        self._pipe.check()
        await self._begin()
        if self._transform is None:
            self._pipe.put(chunk)
        else:
            await self._tried(self._transform, chunk, self._controller)
        await self._pipe.taken()

    async def close(self) -> None:
        await self._begin()
        if self._flush is not None:
            await self._tried(self._flush, self._controller)
        self._pipe.end(None)

    def abort(self, reason: Any) -> None:
        self._pipe.end(_as_error(reason))

    async def _begin(self) -> None:
        start, self._start = self._start, None
        if start is not None:
            await self._tried(start, self._controller)

    async def _tried(self, method: Callable[..., Any], *given: Any) -> None:
        try:
            given_back = method(*given)
            if hasattr(given_back, "__await__"):
                await given_back
        except Exception as error:
            self._pipe.end(error)
            raise


class _Pipe:
    """The chunks on their way, and the source of the readable end."""

    def __init__(self) -> None:
        self._chunks: deque[Chunk] = deque()
        self._over = False
        self._error: Exception | None = None
        self._refusal: Exception | None = None
        """What a write raises once the reader is gone."""
        self._moved: asyncio.Event | None = None

    def put(self, chunk: Chunk) -> None:
        if self._over:
            raise self._error or TypeError("The stream has ended.")
        self._chunks.append(chunk)
        self._wake()

    def end(self, error: Exception | None) -> None:
        if not self._over:
            self._over, self._error = True, error
            if error is not None:
                self._chunks.clear()
                self._refusal = error
            self._wake()

    def check(self) -> None:
        if self._refusal is not None:
            raise self._refusal

    async def taken(self) -> None:
        """Wait until the reader has taken every chunk."""
        while self._chunks:
            await self._moving()
        self.check()

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        while not self._chunks and not self._over:
            await self._moving()
        if self._chunks:
            chunk = self._chunks.popleft()
            self._wake()
            return chunk
        if self._error is not None:
            raise self._error
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._refusal = TypeError("The readable end of the stream was cancelled.")
        self._chunks.clear()
        self._wake()

    async def _moving(self) -> None:
        import asyncio

        if self._moved is None:
            self._moved = asyncio.Event()
        await self._moved.wait()

    def _wake(self) -> None:
        moved, self._moved = self._moved, None
        if moved is not None:
            moved.set()


def _as_error(reason: Any) -> Exception:
    return reason if isinstance(reason, Exception) else TypeError(f"The stream was aborted: {reason}")
