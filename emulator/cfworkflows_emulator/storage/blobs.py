"""A folder of files for what is too large for a row: each is written beside, renamed when it is whole, and never
changed.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import secrets
import threading
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from cfworkflows_emulator.storage.connection import DiskError, Durability, StateError

if TYPE_CHECKING:
    from hashlib import _Hash

INLINE = 64 * 1024
"""Up to so many bytes nothing is written to a file, but returned for the row."""

BLOCK = 1024 * 1024
"""What is hashed, written and read at once, in bytes, in a thread."""

IN_PLACE = 128 * 1024  # read without a thread: most of it is in the cache of the system, and a hop costs more

_UNFINISHED = ".part"


class Blob(NamedTuple):
    """What was written: `data` if it is small, or the `name` of its file. `digests` are hexadecimal, by algorithm."""

    size: int
    digests: Mapping[str, str]
    data: bytes | None
    name: str | None


class Blobs:
    """The files in `folder`; None for a folder in memory, which has no files, and keeps everything for the row.

    A file that is removed while it is read goes when the last of its readers has ended.
    """

    def __init__(self, folder: Path | None, durability: Durability = "normal") -> None:
        self.folder = folder
        self._syncs = durability == "full"
        self._readers: Counter[str] = Counter()
        self._removed: set[str] = set()

    def hold(self, data: bytes, algorithms: Collection[str]) -> Blob:
        """Bytes for the row, whatever their number."""
        return Blob(len(data), _digests(_hashes(algorithms, data)), data, None)

    async def write(self, content: bytes | AsyncIterable[bytes], algorithms: Collection[str]) -> Blob:
        """Write it. Raises what `content` raises, and DiskError; then nothing of it is left."""
        if isinstance(content, bytes):
            if self.folder is None or len(content) <= INLINE:
                return self.hold(content, algorithms)
            content = _one(content)
        if self.folder is None:
            return self.hold(b"".join([chunk async for chunk in content]), algorithms)
        return await self._write(content, algorithms, self.folder)

    async def _write(self, content: AsyncIterable[bytes], algorithms: Collection[str], folder: Path) -> Blob:
        waiting: list[bytes] = []
        size = held = 0
        writer: _Writer | None = None
        writing: asyncio.Future[None] | None = None
        try:
            async for chunk in content:
                waiting.append(chunk)
                size += len(chunk)
                held += len(chunk)
                if held >= BLOCK:
                    if writer is None:
                        writer = _Writer(folder / secrets.token_hex(16), algorithms)
                    if writing is not None:
                        await writing
                    # The next block is read while this one is written.
                    writing = asyncio.ensure_future(writer.add(waiting))
                    waiting, held = [], 0
            if writer is None and size <= INLINE:
                return self.hold(b"".join(waiting), algorithms)
            if writer is None:
                writer = _Writer(folder / secrets.token_hex(16), algorithms)
            if writing is not None:
                await writing
            name = await writer.finish(waiting, syncs=self._syncs)
            return Blob(size, _digests(writer.hashes), None, name)
        except BaseException:
            if writing is not None and not writing.done():
                writing.add_done_callback(lambda done: done.cancelled() or done.exception())
            if writer is not None:
                writer.give_up()
            raise

    def read(self, name: str, offset: int, length: int) -> "Reading":
        """A part of a file, which is there until it is read or forgotten."""
        assert self.folder is not None
        return Reading(self, self.folder / name, offset, length)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files that nothing refers to any more."""
        for name in names:
            if self._readers[name]:
                self._removed.add(name)
            elif self.folder is not None:
                with contextlib.suppress(FileNotFoundError):
                    (self.folder / name).unlink()

    def collect(self, used: Collection[str]) -> None:
        """Remove what a process that died has left: unfinished files, and those that nothing refers to."""
        if self.folder is not None and self.folder.is_dir():
            for entry in os.scandir(self.folder):
                if entry.name not in used:
                    with contextlib.suppress(OSError):
                        Path(entry.path).unlink()

    def begin(self, name: str) -> None:
        """A reader begins."""
        self._readers[name] += 1

    def end(self, name: str) -> None:
        """A reader has ended."""
        self._readers[name] -= 1
        if self._readers[name] <= 0:
            del self._readers[name]
            if name in self._removed:
                self._removed.discard(name)
                self.remove([name])


class Reading:
    """A part of a file: all of it with `read_all`, or chunk by chunk, once."""

    def __init__(self, blobs: Blobs, path: Path, offset: int, length: int) -> None:
        self.known_length = length
        self._blobs: Blobs | None = blobs
        self._path = path
        self._offset = offset
        self._file: _Descriptor | None = None
        blobs.begin(path.name)

    async def read_all(self) -> bytes:
        """Raises DiskError."""
        try:
            return await self._away(partial(self._take, self._offset, self.known_length), self.known_length)
        finally:
            self.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        offset, left = self._offset, self.known_length
        ahead: asyncio.Future[bytes] | None = None
        try:
            while left:
                size = min(BLOCK, left)
                if ahead is not None:
                    chunk = await ahead
                else:
                    chunk = await self._away(partial(self._take, offset, size), size)
                offset, left = offset + size, left - size
                if left:  # the next block is read while this one is sent
                    size = min(BLOCK, left)
                    loop = asyncio.get_running_loop()
                    ahead = loop.run_in_executor(None, self._take, offset, size)
                yield chunk
        finally:
            if ahead is not None and not ahead.done():
                ahead.add_done_callback(lambda done: done.cancelled() or done.exception())
            self.close()

    async def _away(self, take: Callable[[], bytes], size: int) -> bytes:
        return take() if size <= IN_PLACE else await asyncio.get_running_loop().run_in_executor(None, take)

    def _take(self, offset: int, size: int) -> bytes:
        try:
            file = self._file  # has one more owner now: it stays open until this is over
            if file is None:
                file = self._file = _Descriptor(self._path)
            data = os.pread(file.number, size, offset)
            while len(data) < size:  # no system reads more than 2 GiB at once
                more = os.pread(file.number, size - len(data), offset + len(data))
                if not more:
                    raise StateError(f"{self._path} is {size - len(data)} bytes too short: it was damaged.")
                data += more
        except OSError as error:
            raise DiskError(f"{self._path}: {error.strerror or error}") from error
        return data

    def close(self) -> None:
        """Forget it; what was read by then is read."""
        self._file = None
        blobs, self._blobs = self._blobs, None
        if blobs is not None:
            blobs.end(self._path.name)

    def __del__(self) -> None:
        self.close()


class _Descriptor:
    """An open file, which is closed with its last owner."""

    __slots__ = ("number",)

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # it was not opened
            os.close(self.number)


class _Writer:
    """A file that is being written by one thread after the other."""

    def __init__(self, path: Path, algorithms: Collection[str]) -> None:
        self.hashes = _hashes(algorithms)
        self._path = path
        self._unfinished = path.with_name(path.name + _UNFINISHED)
        self._file: BinaryIO | None = None
        self._given_up = False
        self._lock = threading.Lock()

    async def add(self, chunks: list[bytes]) -> None:
        loop = asyncio.get_running_loop()
        # As one, because a thread waits for the interpreter after each piece that it has hashed or written.
        data = b"".join(chunks) if len(chunks) != 1 else chunks[0]
        hashing = loop.run_in_executor(None, self._hash, data)  # which takes longer, beside the writing
        try:
            await loop.run_in_executor(None, self._add, data)
        finally:
            await hashing

    async def finish(self, chunks: list[bytes], *, syncs: bool) -> str:
        """The name of the file."""
        await self.add(chunks)
        await asyncio.get_running_loop().run_in_executor(None, self._finish, syncs)
        return self._path.name

    def _hash(self, data: bytes) -> None:
        for each in self.hashes.values():
            each.update(data)

    def give_up(self) -> None:
        """Leave nothing behind. A thread that is still at work does so when it ends."""
        self._given_up = True
        if self._lock.acquire(blocking=False):
            try:
                self._clean()
            finally:
                self._lock.release()

    def _add(self, data: bytes) -> None:
        with self._lock:
            try:
                if not self._given_up:
                    self._append(data)
            except OSError as error:
                raise _disk_error(self._path.parent, error) from error
            finally:
                if self._given_up:
                    self._clean()

    def _append(self, data: bytes) -> None:
        if self._file is None:
            try:
                self._file = self._unfinished.open("xb", buffering=0)
            except FileNotFoundError:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._unfinished.open("xb", buffering=0)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def _finish(self, syncs: bool) -> None:
        with self._lock:
            try:
                if not self._given_up:
                    assert self._file is not None
                    if syncs:
                        os.fsync(self._file.fileno())
                    self._file.close()
                    self._unfinished.rename(self._path)
                    if syncs:
                        _sync(self._path.parent)
            except OSError as error:
                raise _disk_error(self._path.parent, error) from error
            finally:
                if self._given_up:
                    self._clean()

    def _clean(self) -> None:
        if self._file is not None:
            self._file.close()
            for path in (self._unfinished, self._path):
                with contextlib.suppress(OSError):
                    path.unlink()


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _hashes(algorithms: Collection[str], data: bytes = b"") -> "dict[str, _Hash]":
    return {name: hashlib.new(name, data, usedforsecurity=False) for name in algorithms}


def _digests(hashes: "Mapping[str, _Hash]") -> dict[str, str]:
    return {name: each.hexdigest() for name, each in hashes.items()}


def _disk_error(folder: Path, error: OSError) -> DiskError:
    advice = " Free some space." if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    return DiskError(f"{folder} cannot be written: {error.strerror or error}.{advice}")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
