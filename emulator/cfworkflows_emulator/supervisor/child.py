"""A forked process, and how it ended."""

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from cfworkflows_emulator.supervisor.channel import Channel, QueuedChannel
from cfworkflows_emulator.supervisor.messages import BLOCKED
from cfworkflows_emulator.supervisor.signals import Signals

COLLECT_EVERY = 10_000
"""A worker collects garbage each time that it has so many more objects. Most are freed without it: with Python's own
700, collections took a tenth of the time.
"""

Work = Callable[[Channel, int], int]
"""What a worker does. It is called with its number among the workers, counted from 0, and returns its exit code."""


class Child:
    """A worker. `failed` says that it serves an error instead of the code, `loaded` that its code got to be loaded, and
    `halted` that a debugger has halted it.
    """

    def __init__(self, pid: int, channel: QueuedChannel) -> None:
        self.pid = pid
        self.channel = channel
        self.failed = False
        self.halted = False
        self.loaded = False
        self._serves_since: float | None = None

    @classmethod
    def fork(cls, work: Work, number: int, leave: Callable[[], None]) -> "Child":
        """Fork a process that runs `work`. There `leave` is called first, and releases what is the supervisor's.

        Raises OSError if the system grants no more processes, or files.
        """
        ours, theirs = Channel.pair()
        _flush()
        gc.freeze()  # pages that no collection writes to stay shared
        # The supervisor would read a signal to the child as one of its own until the child has left.
        signal.pthread_sigmask(signal.SIG_BLOCK, Signals.NUMBERS)
        try:
            pid = os.fork()
            if not pid:
                cls._run(work, number, leave, ours, theirs)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, Signals.NUMBERS)
        return cls(pid, ours)

    @staticmethod
    def _run(work: Work, number: int, leave: Callable[[], None], ours: QueuedChannel, theirs: Channel) -> NoReturn:
        """In the child, which ends here whatever happens."""
        code = 1
        try:
            ours.close()
            leave()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, Signals.NUMBERS)
            gc.set_threshold(COLLECT_EVERY)
            gc.enable()
            code = work(theirs, number)
        except BaseException:  # noqa: BLE001 - the process ends here whatever it was
            traceback.print_exc()
        finally:
            try:
                _flush()
            finally:
                os._exit(code)

    def serves(self, *, failed: bool) -> None:
        """From now on it serves."""
        self._serves_since = time.monotonic()
        self.failed = failed

    @property
    def is_loading(self) -> bool:
        """Whether it does not serve yet."""
        return self._serves_since is None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)  # it is not reaped yet, so the pid is still its own

    def reap(self) -> int | None:
        """Its exit code, minus the number of the signal that ended it; None while it runs."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    @property
    def uptime(self) -> float:
        """For how many seconds it has served; 0 if it never did."""
        return time.monotonic() - self._serves_since if self._serves_since is not None else 0.0


def _flush() -> None:
    """Write out what was printed. Code of the user may have closed the streams."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # its reader is gone, or there is nothing to write to
            stream.flush()


def cause(code: int) -> str:
    """Why a process ended, from its exit code: a sentence about it."""
    if code == BLOCKED:
        return "was ended: code of the Worker blocked its event loop for too long"
    if code >= 0:
        return f"ended with exit code {code}: something called os._exit"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    known = {
        "SIGKILL": "somebody killed it, or the machine ran out of memory",
        "SIGSEGV": "a fault in native code",
        "SIGBUS": "a fault in native code",
        "SIGABRT": "native code gave up",
    }
    return f"was ended by {name}" + (f": {known[name]}" if name in known else "")
