"""`ReadableStream` and its reader: bytes that are read once, chunk by chunk."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

if TYPE_CHECKING:
    import asyncio

    from cfworkflows.http.writable import WritableStream

DISTURBED = "This ReadableStream is disturbed (has already been read from), and cannot be used as a body."
LOCKED = "This ReadableStream is currently locked to a reader."
RELEASED = "This ReadableStream reader has been released."

_READ_WHOLE = "write `await Response(stream).{}()`, as in TypeScript."
_NOT_HERE = {
    **{name: _READ_WHOLE.format(name) for name in ("text", "json", "bytes", "array_buffer", "arrayBuffer", "blob")},
}

Chunk = bytes | bytearray | memoryview | str


class PipeOptions(TypedDict, total=False):
    """What `pipe_to` leaves open when the other end is over."""

    preventClose: bool
    preventAbort: bool
    preventCancel: bool


class Transform(Protocol):
    """Two ends of an object that chunks pass through, such as a TransformStream."""

    @property
    def readable(self) -> "ReadableStream": ...

    @property
    def writable(self) -> "WritableStream": ...


class ReadableStream:
    """A stream of bytes that is read once, chunk by chunk: `async for chunk in stream`, or with `get_reader()`.

    `source` is an iterable or async iterable of bytes or text (written as UTF-8), bytes or text as one chunk, or a
    binary file. It is read only as fast as the stream is. An error that it raises is raised by every later read. The
    underlying source objects of JavaScript (`start`, `pull`, `cancel`) are refused: an async generator is the Python
    form.
    """

    __slots__ = ("__weakref__", "_disturbed", "_error", "_length", "_lock", "_locked", "_source", "_whole")

    def __init__(self, source: AsyncIterable[Chunk] | Iterable[Chunk] | Chunk) -> None:
        self._source: AsyncIterator[Chunk] | None = None
        self._whole: bytes | None = None
        self._error: BaseException | None = None
        self._lock: Any = None
        self._locked = False
        self._disturbed = False
        self._length: int | None = None  # how many bytes there are in all, where that is known
        if isinstance(source, (str, bytes, bytearray, memoryview)):
            self._whole = to_bytes(source)
            self._length = len(self._whole)
        elif isinstance(source, AsyncIterable):
            self._source = aiter(source)
            self._length = getattr(source, "known_length", None)
        elif isinstance(source, Mapping) or not isinstance(source, Iterable):
            raise TypeError(
                f"ReadableStream takes bytes or an (async) iterable of bytes, not {type(source).__name__}; "
                "an underlying source with start, pull and cancel is written as an async generator."
            )
        else:
            self._source = _FromIterable(_read_file(source) if hasattr(source, "read") else iter(source))

    @property
    def locked(self) -> bool:
        """Whether a reader, an `async for`, `tee()` or the sending of a response holds the stream."""
        return self._locked

    @property
    def disturbed(self) -> bool:
        """Whether anything was read from the stream, or it was cancelled."""
        return self._disturbed

    def get_reader(self, options: Mapping[str, Any] | None = None) -> "ReadableStreamReader":
        """A reader that holds the stream until `release_lock()`. TypeError if the stream is held already."""
        if options and options.get("mode") is not None:
            raise NotImplementedError(f"ReadableStream readers of mode {options['mode']!r} are not supported yet.")
        self._acquire()
        return ReadableStreamReader(self)

    async def cancel(self, reason: object = None) -> None:
        """Give up the rest of the stream and close its source. `reason` is accepted and not used."""
        if self._locked:
            raise TypeError(LOCKED)
        await self._cancel()

    def tee(self) -> tuple["ReadableStream", "ReadableStream"]:
        """Two streams with the same content; what one has read and the other has not is kept in memory."""
        if self._whole is not None:
            whole = self._take_whole()
            self._locked = True
            return ReadableStream(whole), ReadableStream(whole)
        self._acquire()
        tee = _Tee(self)
        branches = ReadableStream(_Branch(tee, 0)), ReadableStream(_Branch(tee, 1))
        for branch in branches:
            branch._length = self._length
        return branches

    async def pipe_to(self, destination: "WritableStream", options: PipeOptions | None = None) -> None:
        """Write all of it to `destination`, and close that; an error of either end is raised, and ends the other.

        `options` may say `preventClose`, `preventAbort` and `preventCancel`, as in JavaScript.
        """
        given = options or {}
        reader, writer = self.get_reader(), destination.get_writer()
        try:
            while True:
                try:
                    chunk = await reader._held()._pull()
                except Exception as error:
                    if not given.get("preventAbort"):
                        await writer.abort(error)
                    raise
                if chunk is None:
                    break
                try:
                    await writer.write(chunk)
                except Exception as error:
                    if not given.get("preventCancel"):
                        await reader.cancel(error)
                    raise
            if not given.get("preventClose"):
                await writer.close()
        finally:
            reader.release_lock()
            writer.release_lock()

    def pipe_through(self, transform: Transform) -> "ReadableStream":
        """The readable end of `transform`. A task writes this stream to its writable end."""
        import asyncio

        piping = asyncio.ensure_future(self.pipe_to(transform.writable))
        piping.add_done_callback(_heard)
        return transform.readable

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._acquire()
        return _Iteration(self)

    def __getattr__(self, name: str) -> Any:
        if name in _NOT_HERE:
            raise AttributeError(f"A ReadableStream has no {name}: {_NOT_HERE[name]}", name=name, obj=self)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def _acquire(self) -> None:
        if self._locked:
            raise TypeError(LOCKED)
        self._locked = True

    def _as_body(self) -> "ReadableStream":
        """The stream that a Request or Response with this one as its body reads."""
        return self

    async def _pull(self) -> bytes | None:
        """The next chunk, never an empty one, or None at the end. Concurrent calls are served in turn."""
        self._disturbed = True
        if self._whole is not None:
            whole, self._whole = self._whole, None
            return whole or None
        if self._source is None and self._error is None:
            return None
        if self._lock is None:
            import asyncio

            self._lock = asyncio.Lock()
        async with self._lock:
            return await self._pull_source()

    async def _pull_source(self) -> bytes | None:
        if self._error is not None:
            raise self._error
        source = self._source
        if source is None:  # ended while this call waited its turn
            return None
        try:
            while True:
                chunk = to_bytes(await anext(source))
                if chunk:
                    return chunk
        except StopAsyncIteration:
            self._source = None
            return None
        except Exception as error:
            self._source, self._error = None, error
            raise
        except BaseException:
            # A generator that is cancelled while it waits is finished, and would look like the end of the stream.
            if isinstance(source, AsyncGenerator):
                self._source = None
                self._error = RuntimeError("A read of this stream was cancelled, and the rest of it was lost with it.")
            raise

    async def _read_all(self) -> bytes:
        self._acquire()
        chunks: list[bytes] = []
        while (chunk := await self._pull()) is not None:
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _cancel(self) -> None:
        self._disturbed = True
        self._whole = None
        source, self._source = self._source, None
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()

    def _take_whole(self) -> bytes:
        """The content, for an unread stream made of bytes."""
        whole, self._whole = self._whole, None
        assert whole is not None
        self._disturbed = True
        return whole

    def _transfer(self) -> "ReadableStream":
        """Move the content to a new stream; this one is left as if it was read."""
        moved = ReadableStream(b"")
        moved._source, moved._whole, moved._error, moved._lock = self._source, self._whole, self._error, self._lock
        moved._length = self._length
        self._source, self._whole = None, None
        self._disturbed = self._locked = True
        return moved

    getReader = get_reader  # noqa: N815 - the platform's name
    pipeTo = pipe_to  # noqa: N815 - the platform's name
    pipeThrough = pipe_through  # noqa: N815 - the platform's name


class ReadResult:
    """What `reader.read()` returns: `done`, and `value` (bytes, or None when done). `result["value"]` works too."""

    __slots__ = ("done", "value")

    def __init__(self, done: bool, value: bytes | None) -> None:
        self.done = done
        self.value = value

    def __getitem__(self, name: str) -> Any:
        if name not in ("done", "value"):
            raise KeyError(name)
        return getattr(self, name)

    def __repr__(self) -> str:
        return f"ReadResult(done={self.done}, value={self.value!r})"


class ReadableStreamReader:
    """Reads a stream chunk by chunk and holds it until `release_lock()`."""

    __slots__ = ("_stream",)

    def __init__(self, stream: ReadableStream) -> None:
        self._stream: ReadableStream | None = stream

    async def read(self) -> ReadResult:
        """The next chunk. Raises what the source raised; TypeError after `release_lock()`."""
        chunk = await self._held()._pull()
        return ReadResult(chunk is None, chunk)

    async def cancel(self, reason: object = None) -> None:
        """Give up the rest of the stream and close its source. `reason` is accepted and not used."""
        await self._held()._cancel()

    def release_lock(self) -> None:
        """Let others read the rest of the stream."""
        if self._stream is not None:
            self._stream._locked = False
            self._stream = None

    def _held(self) -> ReadableStream:
        if self._stream is None:
            raise TypeError(RELEASED)
        return self._stream

    releaseLock = release_lock  # noqa: N815 - the platform's name


class _Iteration:
    """An `async for` over a stream: holds it until the end, or until the loop is left."""

    __slots__ = ("_reader",)

    def __init__(self, stream: ReadableStream) -> None:
        self._reader = ReadableStreamReader(stream)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._reader._stream is None:
            raise StopAsyncIteration
        chunk = await self._reader._stream._pull()
        if chunk is None:
            self._reader.release_lock()
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        if self._reader._stream is not None:
            await self._reader.cancel()
            self._reader.release_lock()

    def __del__(self) -> None:
        self._reader.release_lock()


class _FromIterable:
    __slots__ = ("_iterator",)

    def __init__(self, iterator: Iterator[Chunk]) -> None:
        self._iterator = iterator

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        for chunk in self._iterator:
            return chunk
        raise StopAsyncIteration

    async def aclose(self) -> None:
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()


class _Tee:
    """The stream that two branches share, and what each of them has still to read (None once it is cancelled)."""

    __slots__ = ("pulling", "stream", "waiting")

    def __init__(self, stream: ReadableStream) -> None:
        self.stream = stream
        self.pulling: asyncio.Task[None] | None = None
        self.waiting: list[deque[bytes] | None] = [deque(), deque()]

    async def read(self, mine: deque[bytes]) -> bytes:
        import asyncio

        if not mine:
            if self.pulling is None:
                self.pulling = asyncio.ensure_future(self._pull())
                self.pulling.add_done_callback(_heard)
            await asyncio.shield(self.pulling)  # a reader that is cancelled must not take the chunk from the other
        if not mine:  # the end, or this branch was cancelled meanwhile
            raise StopAsyncIteration
        return mine.popleft()

    async def _pull(self) -> None:
        try:
            chunk = await self.stream._pull()
        finally:
            self.pulling = None
        for waiting in self.waiting:
            if waiting is not None and chunk is not None:
                waiting.append(chunk)


def _heard(pulling: "asyncio.Task[None]") -> None:
    """The error is for a reader, if one still waits."""
    if not pulling.cancelled():
        pulling.exception()


class _Branch:
    __slots__ = ("_number", "_tee")

    def __init__(self, tee: _Tee, number: int) -> None:
        self._tee = tee
        self._number = number

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        mine = self._tee.waiting[self._number]
        assert mine is not None  # the stream that closed this branch does not read it again
        return mine.popleft() if mine else await self._tee.read(mine)

    async def aclose(self) -> None:
        self._tee.waiting[self._number] = None
        if self._tee.waiting == [None, None]:
            await self._tee.stream._cancel()

    def __del__(self) -> None:
        # A branch that can no longer be read must not make the other fill the memory.
        self._tee.waiting[self._number] = None


def length_of(stream: ReadableStream) -> int | None:
    """How many bytes `stream` has in all; None where that is known at its end only.

    It is known of bytes, of a body that came with a Content-Length, and of what says so by a `known_length`.
    """
    return stream._length


def to_bytes(chunk: Chunk) -> bytes:
    """A chunk of a body as bytes; TypeError for what is neither bytes nor text."""
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, str):
        return chunk.encode("utf-8", "replace")
    if isinstance(chunk, (bytearray, memoryview)):
        return bytes(chunk)
    raise TypeError(f"A body stream must give bytes or str, not {type(chunk).__name__}.")


def _read_file(file: Any) -> Iterator[Chunk]:
    """A file by the block: its own iteration is by lines, which a binary file may not have."""
    while block := file.read(65_536):
        yield block
