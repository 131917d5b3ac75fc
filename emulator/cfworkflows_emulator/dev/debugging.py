"""A debugger in the code of a Worker: `breakpoint()`, pdb and what is made from it.

While one reads its commands, it has the terminal, and the time stands still.
"""

import importlib.util
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any

from cfworkflows_emulator.clock import SystemClock
from cfworkflows_emulator.dev.console import Console
from cfworkflows_emulator.supervisor.channel import Channel
from cfworkflows_emulator.supervisor.messages import Borrow, Returned
from cfworkflows_emulator.tracebacks import shown_path

STEPPING_S = 0.5
"""So long after a command the debugger keeps the terminal, in seconds: it mostly stops again at once, at the next line.
"""


class Debugging:
    """What a debugger in this process needs of the terminal and of the clock.

    `lent` is set by whoever hears that the terminal is ours; `clock` is set once there is one.
    """

    def __init__(self, channel: Channel, console: Console, *, terminal_is_read: bool) -> None:
        self.lent = threading.Event()
        self.clock: SystemClock | None = None
        self._channel = channel
        self._console = console
        self._terminal_is_read = terminal_is_read  # by the supervisor, for its keys
        self._reading = threading.Lock()  # one debugger at a time
        self._keeping = threading.Lock()  # of the terminal
        self._returns: threading.Timer | None = None
        self._is_fork = False

    def install(self) -> None:
        """Be asked by pdb, as soon as it is imported."""
        if "pdb" in sys.modules:
            self._adapt(sys.modules["pdb"])
        else:
            sys.meta_path.insert(0, _WhenImported("pdb", self._adapt))

    def leave(self) -> None:
        """In a process that the Worker has forked: no terminal is lent to it."""
        self._is_fork = True
        self._reading, self._keeping = threading.Lock(), threading.Lock()

    def _adapt(self, pdb: ModuleType) -> None:
        interact: Callable[..., None] = pdb.Pdb.interaction

        def interaction(debugger: Any, frame: FrameType | None, *arguments: Any) -> None:
            # Its own handler of Ctrl-C would keep the server from ending.
            debugger.nosigint = True
            if not self._can_read():
                self._console.warn(f"{_described(frame)} is passed over: there is no terminal to type commands into.")
                debugger.set_continue()
                return
            with self._reading, self._terminal(), self.clock.stopped() if self.clock is not None else nullcontext():
                interact(debugger, frame, *arguments)
            # -1 is the line of `continue`: at no line it stops again.
            self._go_on(at_once=debugger.quitting or getattr(debugger, "stoplineno", None) == -1)

        pdb.Pdb.interaction = interaction

    def _can_read(self) -> bool:
        if self._is_fork:
            return False
        if self._terminal_is_read:
            return True
        try:
            mode = os.fstat(0)
        except OSError:  # closed
            return False
        return not stat.S_ISCHR(mode.st_mode) or os.isatty(0)

    @contextmanager
    def _terminal(self) -> Iterator[None]:
        if not self._terminal_is_read:
            yield
            return
        with self._keeping:
            if self._returns is not None:
                self._returns.cancel()
                self._returns = None
            if not self.lent.is_set():
                self._channel.send(Borrow())
                self.lent.wait()
                _be_standard_input("/dev/tty")
                self._console.info("The debugger has the keyboard, and time stands still, until it goes on (c).")
        yield

    def _go_on(self, *, at_once: bool) -> None:
        if not self._terminal_is_read:
            return
        if at_once:
            self._give_back(None)
        else:
            with self._keeping:
                timer = threading.Timer(STEPPING_S, lambda: self._give_back(timer))
                timer.daemon = True
                self._returns = timer
                timer.start()

    def _give_back(self, timer: threading.Timer | None) -> None:
        with self._keeping:
            if self._returns is timer and self.lent.is_set():
                self._returns = None
                self.lent.clear()
                _be_standard_input(os.devnull)
                self._channel.send(Returned())


class _WhenImported:
    """A finder that calls `then` with a module when it is imported for the first time."""

    def __init__(self, name: str, then: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                self._then(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _be_standard_input(path: str) -> None:
    descriptor = os.open(path, os.O_RDWR if path != os.devnull else os.O_RDONLY)
    os.dup2(descriptor, 0)
    os.close(descriptor)


def _described(frame: FrameType | None) -> str:
    if frame is None:
        return "The debugger"
    return f"breakpoint() at {shown_path(f'{frame.f_code.co_filename}:{frame.f_lineno}')}"
