"""How `cfwf dev` ends: in order at the first signal, at once at the second, and never by waiting for ever."""

import asyncio
import os
import signal
import sys
import threading
from types import FrameType

GRACE_S = 5.0
"""What requests and callbacks that run get to end, in seconds."""

STUCK_S = 3.0
"""Longer than this after the grace, in seconds, and the process is ended: code of the Worker blocks the event loop."""


class StopSignal:
    """SIGINT and SIGTERM: the first sets `received`, the second ends the process at once.

    Made in the running event loop, in the main thread.
    """

    def __init__(self) -> None:
        self.received = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._count = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            # Not a handler of the event loop: it has to run while code of the Worker blocks the loop.
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            exit_now(128 + number)
        self._loop.call_soon_threadsafe(self.received.set)
        stuck = threading.Timer(GRACE_S + STUCK_S, self._stuck)
        stuck.daemon = True
        stuck.start()

    def _stuck(self) -> None:
        sys.stderr.write("Stopped the hard way: code of the Worker blocks the event loop.\n")
        exit_now(0)


def exit_now(code: int) -> None:
    """End the process without waiting for threads or tasks, as soon as what was printed is out."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, RuntimeError):  # nobody reads it any more, or a signal came in the middle of a flush
            continue
    os._exit(code)


def leave(runner: asyncio.Runner, code: int) -> int:
    """Close the event loop. If threads or tasks of the Worker are left that could keep it open, end the process."""
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    if others or asyncio.all_tasks(runner.get_loop()):
        exit_now(code)
    runner.close()
    return code
