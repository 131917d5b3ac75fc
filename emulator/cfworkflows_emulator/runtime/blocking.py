"""Names the code of the Worker that blocks the event loop, while it does.

A thread asks the loop for a sign of life. If none comes, it looks at the frames of the loop's thread: which line of the
project is being executed there, and for which instance or request. That is logged, and again each time the block has
lasted twice as long. Nothing can end such code but the end of its process, which a limit asks for.
"""

import asyncio
import contextvars
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from cfworkflows.caller import CALLED_BY_LOOP, is_users, line_of, users_frame
from cfworkflows_emulator.actors import CALLED_IN
from cfworkflows_emulator.clock import monotonic
from cfworkflows_emulator.runtime.origin import origin
from cfworkflows_emulator.tracebacks import shown_path

log = logging.getLogger("cfworkflows.worker")

FIRST_S = 2.0
"""After so many seconds a block is logged."""

INTERVAL_S = 0.5
"""How often the loop is asked, in seconds."""

_DEBUGGERS = ("pdb", "bdb", "pydevd")


class BlockLimit(NamedTuple):
    """What becomes of a block that has lasted `seconds`: `end` is called, in a thread, and ends the process."""

    seconds: float
    end: Callable[[], object]


@contextmanager
def blocks_named(*folders: Path, limit: BlockLimit | None = None) -> Iterator[None]:
    """Watch the running event loop until the end of the block. `folders` are those of the user's code."""
    watch = _Watch(asyncio.get_running_loop(), threading.get_ident(), folders, limit)
    thread = threading.Thread(target=watch.run, name="cfwf-blocking", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watch.stopped.set()


class _Watch:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread_id: int,
        folders: Iterable[Path],
        limit: BlockLimit | None = None,
    ) -> None:
        self.stopped = threading.Event()
        self._loop = loop
        self._thread_id = thread_id
        self._folders = [str(folder.resolve()) for folder in folders]
        self._limit = limit

    def run(self) -> None:
        """In the thread: ask, and wait for the answer."""
        resting = _Stopwatch()
        while not self.stopped.wait(INTERVAL_S):
            self._tell_unseen(resting)
            answered = threading.Event()
            try:
                self._loop.call_soon_threadsafe(answered.set)
            except RuntimeError:  # the loop is closed
                return
            self._wait(answered)
            resting = _Stopwatch()

    def _wait(self, answered: threading.Event) -> None:
        waiting = _Stopwatch()
        told, place = 0.0, ""
        lasted = seen = 0.0
        while not answered.wait(INTERVAL_S if told else FIRST_S):
            before, lasted = lasted, waiting.seconds()
            seen += min(lasted - before, FIRST_S)  # not the time in which the process was stopped
            if self.stopped.is_set() or (not told and lasted > 2 * FIRST_S and waiting.process_stood_still()):
                return
            if lasted >= max(2 * told, FIRST_S) and (found := self._blocking()) is not None:
                what, place, remedy = found
                told = lasted
                log.warning("%s has blocked the event loop for %.1f s %s. %s", what, lasted, place, remedy)
            if told and self._limit is not None and seen >= self._limit.seconds:
                self._end(lasted, self._limit)
        if told:
            log.warning("The event loop goes on: it was blocked for %.1f s %s.", waiting.seconds(), place)
        else:
            self._tell_unseen(waiting)

    def _end(self, lasted: float, limit: BlockLimit) -> None:
        if (found := self._blocking()) is None:
            return
        what, place, _ = found
        log.error(
            "%s has blocked the event loop for %.1f s %s, and no other instance or request could go on: this process "
            "is replaced by another one. An attempt that was under way counts as cut off.",
            what, lasted, place,
        )  # fmt: skip
        limit.end()

    def _tell_unseen(self, watch: "_Stopwatch") -> None:
        """This thread should have continued long ago, but was not run."""
        if (lasted := watch.seconds()) > FIRST_S + INTERVAL_S and not watch.process_stood_still():
            log.warning("The event loop was blocked for %.1f s %s", lasted, _UNSEEN)

    def _blocking(self) -> tuple[str, str, str] | None:
        """What blocks, where, and what to do about it; None if a debugger holds the process, or nothing is found."""
        innermost = sys._current_frames().get(self._thread_id)
        if innermost is None:
            return None
        frames = list(_outwards(innermost))
        if any(frame.f_globals.get("__name__", "").partition(".")[0] in _DEBUGGERS for frame in frames):
            return None
        mine = next((frame for frame in frames if self._is_projects(frame.f_code.co_filename)), None)
        context = next(filter(None, map(_context, frames)), None)
        what, remedy = _explained(context) if context is not None else (None, None)
        where = mine or users_frame(innermost) or innermost
        return what or "Something", f"at {shown_path(line_of(where))}", remedy or _AWAIT

    def _is_projects(self, filename: str) -> bool:
        path = Path(filename)
        is_below = any(path.is_relative_to(folder) for folder in self._folders)
        return is_below and "site-packages" not in path.parts and is_users(filename)


class _Stopwatch:
    def __init__(self) -> None:
        self._started = monotonic()
        self._cpu = time.process_time()

    def seconds(self) -> float:
        return monotonic() - self._started

    def process_stood_still(self) -> bool:
        """Whether the whole process stood still, as after SIGSTOP: then nothing was blocked."""
        return time.process_time() - self._cpu < self.seconds() / 10


_UNSEEN = (
    "by a call that let no other thread run, so that it could not be named meanwhile: a regular expression that "
    "backtracks, or another long call into C."
)
_EVERYTHING = "Everything else waits meanwhile."
_AWAIT = f"{_EVERYTHING} Await what takes long, or hand it to `asyncio.to_thread`."
_STEP = f"{_EVERYTHING} Make the callback a plain `def`, which runs in a thread, or await what takes long."
_RUN = f"{_EVERYTHING} Move it into a step: a callback that is a plain `def` runs in a thread."


def _explained(context: contextvars.Context) -> tuple[str | None, str | None]:
    """What runs in a context, and how it would not block."""
    found = origin(context)
    if found.instance is not None:
        if found.step is not None:
            return f'step "{found.step}" of {found.instance}', _STEP
        return f"run() of {found.instance}", _RUN
    if found.request is not None:
        return f"{found.request.method} {found.request.url}", _AWAIT
    return f"{found.event}()" if found.event is not None else None, None


def _context(frame: FrameType) -> contextvars.Context | None:
    """The context of what is called in this frame, if it is one where the loop or the engine enters a context."""
    context: contextvars.Context | None = None
    if frame.f_code is CALLED_BY_LOOP:
        context = frame.f_locals["self"]._context
    elif frame.f_code is CALLED_IN:
        context = frame.f_locals["context"]
    return context


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
