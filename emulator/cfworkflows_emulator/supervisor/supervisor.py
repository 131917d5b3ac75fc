"""The supervisor: one worker serves; when the code changes, or it dies, another takes its place."""

import importlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from cfworkflows_emulator.supervisor.changes import Changes
from cfworkflows_emulator.supervisor.child import Child, Work, cause
from cfworkflows_emulator.supervisor.keyboard import Keyboard
from cfworkflows_emulator.supervisor.keys import Keys
from cfworkflows_emulator.supervisor.loop import Loop
from cfworkflows_emulator.supervisor.messages import (
    Borrow,
    Connection,
    Connections,
    Continued,
    Go,
    Halted,
    Hopeless,
    Lent,
    Loaded,
    MadeFrom,
    Message,
    Outdated,
    Released,
    Renew,
    Returned,
    Serving,
    Stop,
    Stopping,
)
from cfworkflows_emulator.supervisor.signals import Signals
from cfworkflows_emulator.supervisor.sources import Sources, now_in_files
from cfworkflows_emulator.supervisor.terminal import Terminal

GRACE_S = 5.0
"""How long running requests and callbacks get to end, in seconds."""

STUCK_S = 3.0
"""So many seconds after the grace the worker is killed: code of the user blocks it."""

RELOAD_CALLBACKS_S = 0.5
"""How long callbacks of steps get to end when the code was saved, in seconds: the new code repeats them."""

DEAF_S = 2.0
"""A worker that does not answer a reload for so many seconds is ended: code of the user blocks its event loop."""

DEAF = f"The worker did not answer for {DEAF_S:g} seconds: code of the Worker blocks the event loop."

STUCK = "Stopped the hard way: code of the Worker blocks the event loop."

LOADING_S = 1.0
"""A worker that takes longer than this to load, in seconds, is replaced when a file is saved: it may never be done."""

SAVING_S = 0.005
"""How often to look, in seconds, whether a file that the next worker will load is written to its end."""

RETRY_S = 1.0
"""How long to wait, in seconds, before another try to fork a process that the system did not grant."""

YOUNG_S = 5.0  # a worker that dies younger than this may well die again
MOST_DEATHS = 5  # of young workers in a row, the last while its code was loaded: then only a change helps
FIRST_DELAY_S = 0.25  # before the third worker; it doubles from one to the next
LONGEST_DELAY_S = 2.0


class Supervisor:
    """Keeps a worker serving until a signal or `stop`. `work` is what a worker does, in a fork of this process.

    A reload forks the next worker, sends `Stop` to the worker that serves, and `Go` to the next one as soon as the
    state has been released.
    """

    def __init__(self, work: Work, terminal: Terminal, *, watch: bool = True, keys: Keyboard | None = None) -> None:
        self._work = work
        self._terminal = terminal
        self._keyboard = keys
        self._keys: Keys | None = None
        self._loop = Loop()
        self._signals = Signals()
        self._changes = (
            Changes(self._loop, terminal, self.reload, lambda: self._is_busy, lambda: self._is_loading)
            if watch
            else None
        )
        self._worker: Child | None = None
        self._is_reloading = False  # from `Stop`, or the end of the worker, until `Go`
        self._successor: Child | None = None  # that one, if it is forked
        self._children: list[Child] = []
        self._connections: list[Connection] = []
        self._go = Go()
        self._gone = self._go  # the last one that was sent
        self._started = 0.0  # when that was
        self._postponed: dict[str, None] = {}  # what was saved while a debugger held the worker
        self._forked = 0
        self._deaths = 0
        self._has_served = False
        self._has_loaded = False
        self._signal_count = 0
        self._code: int | None = None

    def run(self, pressed: Callable[[str], None] | None = None) -> int:
        """Serve until a signal comes, or `stop`. Returns the exit code. `pressed` is called with each key."""
        with closing(self._signals), closing(self._loop):
            self._loop.add(self._signals, self._on_signals)
            if self._keyboard is not None:
                self._keys = Keys(self._loop, self._keyboard, pressed or (lambda key: None), self._send)
            try:
                self._start()
                while self._code is None:
                    self._loop.turn()
            finally:
                for child in self._children:
                    child.kill()
                if self._changes is not None:
                    self._changes.close()
                if self._keys is not None:
                    self._keys.close()
        return self._code

    # What can be asked of it

    def reload(self, reason: str, paths: Sequence[str] = (), looked_ns: int | None = None) -> None:
        """Replace the worker that serves, because of `paths` that have changed, if there are any.

        The changes were seen at `looked_ns` (`now_in_files`), by default now. During a reload nothing happens.
        """
        if self._is_busy:
            return
        if self._is_debugged:
            if not self._postponed:
                self._terminal.info(f"{reason}: it is loaded when the debugger goes on.")
            self._postponed |= dict.fromkeys(paths)
            return
        self._deaths = 0
        self._loop.cancel("restart")
        looked_ns = now_in_files() if looked_ns is None else looked_ns
        self._prepare(Go(reason=reason, since=time.perf_counter(), paths=list(paths), looked_ns=looked_ns))
        if self._worker is None:
            self._take_over()
            return
        self._send(self._worker, Stop(GRACE_S, RELOAD_CALLBACKS_S, hand_over=True, cause="by the reload"))
        self._limit(self._worker, DEAF_S, DEAF)

    def _prepare(self, go: Go) -> None:
        """The next worker is forked while the one that serves ends."""
        self._is_reloading = True
        self._go = go
        self._successor = self._fork()

    def stop(self, number: int = signal.SIGINT) -> None:
        """End in order; the second time at once."""
        self._signal_count += 1
        if self._signal_count > 1:
            self._code = 128 + number
            return
        self._terminal.info("Shutting down local server...")
        self._loop.cancel("restart")
        if self._successor is not None:
            self._successor.kill()
            self._successor = None
        if self._worker is None:
            self._code = 0
            return
        if self._is_debugged:  # it would not answer
            self._worker.kill()
            return
        self._send(self._worker, Stop(GRACE_S, GRACE_S, hand_over=False, cause=f"after {GRACE_S:g} seconds"))
        self._limit(self._worker, GRACE_S, STUCK)

    @property
    def _is_busy(self) -> bool:
        """Whether a worker is being replaced, or everything ends."""
        return self._is_reloading or self._code is not None or self._signal_count > 0

    @property
    def _is_debugged(self) -> bool:
        """Whether a debugger holds a worker up: one that reads the terminal, or the one of an editor."""
        reads = self._keys is not None and self._keys.borrower is not None
        return reads or (self._worker is not None and self._worker.halted)

    @property
    def _is_loading(self) -> bool:
        """Whether the worker loads, and has not done so for long."""
        return self._worker is not None and self._worker.is_loading and time.perf_counter() - self._started < LOADING_S

    # Workers

    def _fork(self) -> Child | None:
        """The next worker, which waits for `Go`; None if the system grants no process now."""
        try:
            child = Child.fork(self._work, self._forked, self._let_go)
        except OSError as error:
            self._terminal.error(f"The system grants no process for the next worker: {error.strerror}.")
            return None
        self._forked += 1
        self._children.append(child)
        self._loop.add(child.channel, lambda: self._on_channel(child))
        return child

    def _let_go(self) -> None:
        """In a worker: close what belongs to the supervisor, so that all of it ends with the supervisor."""
        self._loop.close()
        self._signals.let_go()
        unsent = [connection for child in self._children for connection in child.channel.close()]
        for connection in (*self._connections, *unsent):
            os.close(connection.descriptor)
        if self._changes is not None:
            self._changes.let_go()
        if self._keys is not None:
            self._keys.let_go()

    def _send(self, child: Child, message: Message) -> None:
        """Never waits, and is no error if `child` has ended: then connections are kept for the next one."""
        if child.channel in self._loop:
            child.channel.send(message)
            self._loop.set_writing(child.channel, child.channel.has_unsent)
        elif isinstance(message, Connections):
            self._connections += message.connections

    def _send_connections(self, child: Child) -> None:
        given, self._connections = self._connections, []
        self._send(child, Connections(given))

    def _take_over(self) -> None:
        """The successor becomes the worker."""
        self._worker, self._successor = self._successor, None
        self._start()

    def _start(self) -> None:
        """Let the worker serve; it is forked now unless it exists."""
        if self._worker is None:
            self._worker = self._fork()
        if self._worker is None:
            self._loop.after(RETRY_S, "restart", self._start)
            return
        if self._changes is not None and not self._changes.are_saved:
            self._loop.after(SAVING_S, "restart", self._start)
            return
        self._is_reloading = False
        self._send_connections(self._worker)
        self._gone, self._go = replace(self._go, loaded_before=self._has_loaded), Go()
        self._send(self._worker, self._gone)
        self._started = time.perf_counter()

    def _limit(self, child: Child, seconds: float, text: str) -> None:
        """End `child` the hard way unless it has ended in so many seconds, and say why."""

        def end() -> None:
            (self._terminal.info if self._signal_count else self._terminal.warn)(text)
            child.kill()

        self._loop.after(seconds, child, end)

    def _on_channel(self, child: Child) -> None:
        child.channel.flush()
        self._loop.set_writing(child.channel, child.channel.has_unsent)
        messages = child.channel.read()
        if messages is None:
            self._hang_up(child)
            self._loop.after(DEAF_S, child, child.kill)  # it is just ending, or can no longer be reached
            return
        for message in messages:
            self._on(child, message)

    def _hang_up(self, child: Child) -> None:
        """Nothing more is read from `child`, nor sent to it."""
        self._loop.remove(child.channel)
        self._connections += child.channel.close()

    def _on(self, child: Child, message: Message) -> None:
        match message:
            case Loaded():
                child.loaded = True
                if message.found and child is self._worker:
                    self._deaths = 1  # there is an explanation, and it does not happen for ever
            case Serving():
                child.serves(failed=message.failed)
                self._has_served = True
                self._has_loaded = self._has_loaded or not message.failed
            case MadeFrom():
                if child is self._worker and self._changes is not None:
                    self._changes.follow(Sources(message.digests, message.roots), failed=child.failed)
                self._import(message.needed)
            case Stopping():
                self._limit(child, GRACE_S + STUCK_S, STUCK)
            case Connections():
                self._connections += message.connections
                if child is not self._worker and self._worker is not None and not self._is_busy:
                    self._send_connections(self._worker)  # it has started without them
            case Released():
                if child is self._worker and self._is_reloading and not self._signal_count:
                    self._take_over()
                self._import(message.needed)
            case Renew():
                if child is self._worker:
                    self.reload(message.reason)
            case Outdated():
                if child is self._worker and not self._is_busy:
                    paths = [*{*self._gone.paths, *message.paths}]
                    self._prepare(replace(self._gone, paths=paths, looked_ns=now_in_files()))
            case Hopeless():
                if not self._has_served:
                    self._code = 1
            case Borrow():
                if self._keys is not None and not self._signal_count:
                    self._keys.lend(child)
            case Returned():
                self._take_back_terminal(child)
                self._catch_up(child)
            case Halted():
                child.halted = True
            case Continued():
                child.halted = False
                self._catch_up(child)
            case Go() | Stop() | Lent():
                raise AssertionError(f"{message} is for a worker")

    def _catch_up(self, child: Child) -> None:
        """Load what was saved while a debugger held `child` up."""
        if self._is_debugged:
            return
        paths, self._postponed = list(self._postponed), {}
        if paths and child is self._worker:
            self.reload("the code changed meanwhile", paths)

    def _take_back_terminal(self, child: Child) -> None:
        if self._keys is not None:
            self._keys.take_back(child)

    @staticmethod
    def _import(modules: Sequence[str]) -> None:
        for name in modules:
            importlib.import_module(name)

    def _on_child_ended(self) -> None:
        for child in list(self._children):
            code = child.reap()
            if code is None:
                continue
            if child.channel in self._loop:  # what it said before it ended
                for message in child.channel.read() or ():
                    self._on(child, message)
                self._hang_up(child)
            self._loop.cancel(child)
            self._children.remove(child)
            self._take_back_terminal(child)
            if child is self._successor:
                self._successor = None  # another one is forked when it is needed: this one may have died by itself
            elif child is self._worker:
                self._worker = None
                if self._signal_count:
                    self._code = 0 if self._code is None else self._code
                elif self._is_reloading:
                    self._take_over()
                else:
                    self._died(child, code)

    def _died(self, child: Child, code: int) -> None:
        """A worker ended without having been asked to."""
        if self._code is not None:
            return
        why = f"The worker process {cause(code)}."
        if not self._has_served and not child.loaded:
            self._terminal.error(f"{why} It died before it served.")
            self._code = 1
            return
        self._deaths = self._deaths + 1 if child.uptime < YOUNG_S else 1
        self._postponed = {}  # the next one reads it anyway
        self._go = Go(reason="the worker process had ended", since=time.perf_counter(), deaths=self._deaths)
        if self._deaths >= MOST_DEATHS and not child.loaded:
            text = f"{why} That was the {self._deaths}th time in a row: it is started again when a file changes."
            self._terminal.error(text)
            self._go = replace(self._go, failure=text)
            self._start()
            return
        self._terminal.error(f"{why} It is started again; nothing that was stored is lost.")
        delay = 0.0 if self._deaths == 1 else min(FIRST_DELAY_S * 2 ** (self._deaths - 2), LONGEST_DELAY_S)
        self._loop.after(delay, "restart", self._start)

    # What happens outside

    def _on_signals(self) -> None:
        for number in self._signals.read():
            if number == signal.SIGCHLD:
                self._on_child_ended()
            elif number == signal.SIGCONT:
                self._on_continued()
            else:
                self.stop(number)

    def _on_continued(self) -> None:
        """Most likely all the processes were suspended: time has passed in which no worker could answer."""
        for child in self._children:
            self._loop.postpone(DEAF_S, child)
        if self._keys is not None:
            self._keys.continued()
