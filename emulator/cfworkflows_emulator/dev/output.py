"""What is printed into a pipe: a reader that stops reading does not stop the server."""

import io
import os
import select
import stat
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

MOST_BYTES = 1024 * 1024
"""So much waits for the reader; what is printed beyond that is dropped."""

_PIECE = 4096  # a pipe with room for anything takes so much at once
_LOOK_S = 1.0


class Pipe:
    """The pipe at `descriptor`. `write` never waits; what the reader does not take is kept up to MOST_BYTES.

    How many lines were dropped is printed once the reader has read what was kept. With `drains`, a thread waits for the
    reader; else what is kept is written with what is printed next, and at the end.
    """

    drains = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = _never_waiting(descriptor)
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        self._is_gone = False
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """At first, and in a fork: what is kept is its parent's to print, and a thread may have had the lock."""
        self._lock = threading.Lock()
        self._is_draining = False
        self._kept.clear()
        self._size = self._dropped = 0

    def write(self, text: bytes) -> None:
        with self._lock:
            if self._is_gone:
                return
            self._pass_on()
            if self._size + len(text) > MOST_BYTES and self._kept:
                self._dropped += text.count(b"\n")
                return
            self._keep(text)
            self._pass_on()
            if self._kept and self.drains and not self._is_draining:
                self._is_draining = True
                threading.Thread(target=self._drain, name="cfwf-output", daemon=True).start()

    def end(self, timeout_s: float) -> None:
        """Write what is kept, as far as it is read in so many seconds."""
        deadline = time.monotonic() + timeout_s
        while self._kept and (left := deadline - time.monotonic()) > 0:
            self._wait(left)
            with self._lock:
                self._pass_on()

    def _drain(self) -> None:
        while True:
            self._wait(_LOOK_S)
            with self._lock:
                self._pass_on()
                if not self._kept:
                    self._is_draining = False
                    return

    def _wait(self, seconds: float) -> bool:
        """Whether the pipe takes something, if need be after so many seconds."""
        poll = select.poll()  # one for each call, since threads may not share one
        poll.register(self._descriptor, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))

    def _keep(self, text: bytes) -> None:
        self._kept.append(text)
        self._size += len(text)

    def _pass_on(self) -> None:
        """Write what the reader takes now."""
        while self._kept and self._wait(0):
            text = self._kept[0]
            try:
                count = os.write(self._descriptor, text[:_PIECE])
            except BlockingIOError:
                return
            except OSError:  # nobody reads it any more, as after `cfwf dev | head`
                self._is_gone = True
                self._kept.clear()
                return
            self._size -= count
            if count == len(text):
                self._kept.popleft()
            else:
                self._kept[0] = text[count:]
            if not self._kept and self._dropped:
                dropped, self._dropped = self._dropped, 0
                self._keep(f"warning: {dropped} lines were dropped here, because nobody read them.\n".encode())


class _Raw(io.RawIOBase):
    def __init__(self, pipe: Pipe, descriptor: int) -> None:
        self.pipe = pipe
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer", /) -> int:
        text = bytes(data)
        self.pipe.write(text)
        return len(text)


def guard_pipes() -> None:
    """From now on the standard streams of this process never wait for who reads them."""
    pipes: dict[tuple[int, int], Pipe] = {}
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            descriptor = stream.fileno()
            status = os.fstat(descriptor)
        except (OSError, ValueError, AttributeError):  # there is none
            continue
        if stat.S_ISFIFO(status.st_mode):
            stream.flush()
            where = status.st_dev, status.st_ino
            pipe = pipes[where] = pipes.get(where) or Pipe(descriptor)
            setattr(sys, name, _stream(io.BufferedWriter(_Raw(pipe, descriptor)), stream))


def own_copy(stream: TextIO) -> TextIO:
    """A stream to where `stream` goes, which closing `stream` does not close."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    if isinstance(raw, _Raw):
        return _stream(io.BufferedWriter(_Raw(raw.pipe, raw.fileno())), stream)
    return _stream(io.BufferedWriter(io.FileIO(stream.fileno(), "w", closefd=False)), stream)


def drain_in_thread() -> None:
    """What the reader takes late is written at once from now on."""
    Pipe.drains = True


def end_pipes(timeout_s: float = 0.5) -> None:
    """At the end of the process: write what is kept, as far as it is read."""
    for stream in (sys.stdout, sys.stderr):
        raw = getattr(getattr(stream, "buffer", None), "raw", None)
        if isinstance(raw, _Raw):
            raw.pipe.end(timeout_s)


def _stream(buffer: io.BufferedWriter, like: TextIO) -> TextIO:
    return io.TextIOWrapper(buffer, like.encoding, "backslashreplace", line_buffering=True)


def _never_waiting(descriptor: int) -> int:
    """An open file of its own for the same pipe: who else writes to it still waits, as it may expect."""
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # no Linux: a write right after the pipe was found to have room may still have to wait
        return descriptor
