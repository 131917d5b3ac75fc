"""Steps whose result is a stream: it is written to the disk as it comes, and read from there as often as wanted.

An attempt that fails or is cut off leaves nothing of its stream. A timeout covers the reading; a stream that is late is
cancelled.
"""

import asyncio
import codecs
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, NoReturn

from cfworkflows.errors import SerializationError, WorkflowInternalError
from cfworkflows.http import ReadableStream, Response
from cfworkflows.step.call import NO_AWAITABLES, resolve_awaitable
from cfworkflows.values import is_mock
from cfworkflows_emulator.engine.journal import sizes
from cfworkflows_emulator.engine.run.host import VerbContext
from cfworkflows_emulator.engine.run.retries import FinalError

BLOCK_BYTES = 256 * 1024
MAX_CHUNK_BYTES = 16 * 1024 * 1024
PREVIEW_CHARACTERS = 1024
READ_FAILED = "Failed to read from step ReadableStream output. "

# How much is written until the size of the instance is looked up again: others write to it too.
_TRUSTED_BYTES = 64 * 1024 * 1024
_UTF8_BYTES = 4


def is_stream(result: object) -> bool:
    return type(result) not in NO_AWAITABLES and isinstance(result, AsyncIterable) and not is_mock(result)


class StreamIntake:
    """Takes in the result of one attempt of a step, if it is a stream.

    `failed` says that the source of the stream raised, rather than the callback or the intake.
    """

    def __init__(self, run: VerbContext, step: str, attempt: int) -> None:
        self._run = run
        self._store = run.store.streams
        self._step = step
        self._attempt = attempt
        self._taking: asyncio.Task[Any] | None = None
        self._over = False
        self._room, self._trusted = -1, 0
        self._chunks, self._size = 0, 0
        self._head, self._block = b"", bytearray()
        self.failed = False

    async def of(self, given: Any) -> Any:
        """The value of `given`, awaited if it has to be; for a stream, a StreamTaken, after it was read to its end."""
        result = await resolve_awaitable(given)
        if not is_stream(result):
            return result
        source = aiter(_unread(result))
        self._taking = asyncio.current_task()
        try:
            while not self._stopped and (chunk := await self._next(source)) is not None:
                await self._take(chunk)
            if self._block and not self._stopped:
                await self._check_room(len(self._block))
                self._write()
        finally:
            self._taking = None
            if (close := getattr(source, "aclose", None)) is not None:
                await close()
        return StreamTaken(self._attempt, self._chunks, self._size, _preview(self._head, self._size))

    def give_up(self) -> None:
        """The attempt has failed: read no further, or not at all. What was written is the journal's to erase."""
        self._over = True
        if self._taking is not None:
            self._taking.cancel()

    @property
    def _stopped(self) -> bool:
        return self._over or self._run.closed

    async def _next(self, source: AsyncIterator[Any]) -> bytes | None:
        try:
            chunk = await anext(source)
        except StopAsyncIteration:
            return None
        except Exception:
            self.failed = True
            raise
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            _refuse(
                "Step returned a ReadableStream with unsupported chunk type. Only ArrayBuffer and TypedArray chunks "
                f"are supported. In Python these are bytes, bytearray and memoryview; a chunk was {_named(chunk)}."
            )
        size = memoryview(chunk).nbytes
        if size > MAX_CHUNK_BYTES:
            _refuse(
                f"Step returned a ReadableStream chunk larger than the maximum allowed size of {MAX_CHUNK_BYTES} "
                f"bytes. Return smaller chunks from step.do(). This one has {size} bytes."
            )
        return bytes(chunk)  # its source may use the memory again

    async def _take(self, chunk: bytes) -> None:
        data = memoryview(chunk)
        if len(self._head) < PREVIEW_CHARACTERS * _UTF8_BYTES:
            self._head += data[: PREVIEW_CHARACTERS * _UTF8_BYTES - len(self._head)]
        while data and not self._stopped:
            some = data[: BLOCK_BYTES - len(self._block)]
            data = data[len(some) :]
            self._block += some
            if len(self._block) == BLOCK_BYTES:
                await self._check_room(BLOCK_BYTES)
                self._write()
                await self._run.flushed()  # the next block is not read before this one is out of memory

    def _write(self) -> None:
        if self._stopped:
            return
        self._store.append(self._run.host.key, self._step, self._attempt, self._chunks, bytes(self._block))
        self._chunks += 1
        self._size += len(self._block)
        self._block.clear()

    async def _check_room(self, size: int) -> None:
        if self._room < size or self._trusted < size:
            await self._run.flushed()
            stored = await self._store.size(self._run.host.key)
            self._room, self._trusted = sizes.MAX_STATE_BYTES - stored, _TRUSTED_BYTES
            if self._room < size:
                raise FinalError(
                    WorkflowInternalError(sizes.no_room(stored, f"the stream of step {self._step} goes on"))
                )
        self._room -= size
        self._trusted -= size


class StreamTaken:
    """A stream that was written whole."""

    __slots__ = ("attempt", "chunks", "preview", "size")

    def __init__(self, attempt: int, chunks: int, size: int, preview: str) -> None:
        self.attempt = attempt
        self.chunks = chunks
        self.size = size
        self.preview = preview

    def as_dict(self, *, hidden: bool) -> dict[str, Any]:
        """What the journal keeps of it; without its preview, if it is `hidden`."""
        preview = {} if hidden else {"preview": self.preview}
        return {"attempt": self.attempt, "chunks": self.chunks, "bytes": self.size, **preview}


def _unread(result: Any) -> AsyncIterable[Any]:
    """The stream to read. A stream that was read before would be stored as if it were empty."""
    if isinstance(result, ReadableStream):
        try:
            body = Response(result).take_body()
        except TypeError:
            _refuse_locked()
        return body if isinstance(body, ReadableStream) else _Whole(body)
    if getattr(result, "ag_running", False) or getattr(result, "ag_frame", result) is None:
        _refuse_locked()
    return result  # type: ignore[no-any-return]


class _Whole:
    """A stream that is at hand as one chunk."""

    def __init__(self, data: bytes | None) -> None:
        self._data = data

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        data, self._data = self._data, None
        if data is None:
            raise StopAsyncIteration
        return data


def _refuse_locked() -> NoReturn:
    _refuse(
        "Step returned a ReadableStream that is already locked or otherwise unreadable. Return a fresh, unlocked "
        "ReadableStream from step.do()."
    )


def _refuse(message: str) -> NoReturn:
    raise FinalError(SerializationError(message)) from None


def _named(chunk: object) -> str:
    name = type(chunk).__name__
    return "a str: encode it" if name == "str" else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _preview(head: bytes, size: int) -> str:
    """The start of a text, as people are shown it; of anything else, how much of it there is."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) == size)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return f"[ReadableStream (binary): {size} bytes]"
    if len(text) == len(text[:PREVIEW_CHARACTERS]) and len(head) == size:
        return text
    return f"{text[:PREVIEW_CHARACTERS]}[truncated output]"
