"""What becomes of a process that code of the Worker forks, with multiprocessing or os.fork: nothing of ours is in it.

A fork has every open file of the worker. Would it keep them, the port and the supervisor's channel would stay open with
it; and would it come back to the event loop, it would answer the worker's requests and write to its database.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from selectors import BaseSelector
from types import FrameType
from typing import Any

from cfworkflows_emulator.dev.stopping import exit_now

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Forks:
    """From now on forks of this process have nothing of `loop`, which waits by `selector`.

    In a fork `leave` is called, and gives the other files that it has to be without.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, selector: BaseSelector, leave: Callable[[], Iterable[int]]
    ) -> None:
        self._loop = loop
        self._selector = selector
        self._others = leave
        self._is_fork = False
        self._masks = threading.local()  # several threads may fork at once
        os.register_at_fork(
            before=self._hold_signals, after_in_parent=self._release_signals, after_in_child=self._leave
        )

    def _hold_signals(self) -> None:
        """A fork has handlers of its own: what is sent to it before they are set waits for them."""
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)

    def _release_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def _leave(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, _Interrupted(os.getppid()))
        self._release_signals()
        if self._is_fork:  # of a fork, where the numbers may stand for other files
            return
        self._is_fork = True
        # What the worker does next, in this turn of its loop, and in all others.
        for handle in getattr(self._loop, "_ready", ()):
            handle.cancel()
        for owner, name in ((self._selector, "select"), (self._loop, "call_soon_threadsafe")):
            setattr(owner, name, _end)
        _replace({*(key.fd for key in self._selector.get_map().values()), *self._others()})


def end_children() -> None:
    """End the processes of multiprocessing, which would wait for work for ever. At the end of the worker."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None:
        for child in multiprocessing.active_children():
            child.terminate()


def _end(*arguments: Any, **options: Any) -> None:
    """The code that has forked is through, and the fork has no loop to go back to."""
    exit_now(0)


def _replace(descriptors: set[int]) -> None:
    """Close these files, and have nothing in their place: objects that are left over may still use the numbers."""
    if not descriptors:
        return
    os.close(min(descriptors))  # first, because no more may be open than are now
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors - {null}:
        os.dup2(null, descriptor, inheritable=False)
    if null not in descriptors:
        os.close(null)


class _Interrupted:
    """Ctrl+C comes to all processes of a terminal: a fork too goes on at the first one, unless it is alone."""

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self._is_first = True

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if os.getppid() != self._parent or not self._is_first:
            exit_now(128 + number)
        self._is_first = False
