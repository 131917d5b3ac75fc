"""The supervisor: one worker serves; when the code changes, or it dies, another takes its place."""

import importlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from cfworkflows_emulator.supervisor.channel import FILES_PER_MESSAGE, Channel, Message
from cfworkflows_emulator.supervisor.child import Child, Work, cause
from cfworkflows_emulator.supervisor.signals import Signals
from cfworkflows_emulator.supervisor.sources import Sources
from cfworkflows_emulator.supervisor.watching import Watcher, watch

GRACE_S = 5.0
"""What requests and callbacks that run get to end, in seconds."""

STUCK_S = 3.0
"""Longer than this after the grace, in seconds, and the worker is ended: code of the user blocks it."""

RELOAD_CALLBACKS_S = 0.5
"""What callbacks of steps get to end when the code was saved, in seconds: the new code goes on with them."""

DEAF_S = 2.0
"""A worker that does not answer a reload for so many seconds is ended: code of the user blocks its event loop."""

STUCK = "Stopped the hard way: code of the Worker blocks the event loop."

YOUNG_S = 5.0  # a worker that dies younger than this may well die again
MOST_DEATHS = 5  # of young workers in a row, and then only a change helps
FIRST_DELAY_S = 0.25  # before the third worker; it doubles from one to the next
SETTLE_S = 0.05  # a file that is gone may come back, as with editors that save under another name


class Terminal(Protocol):
    """What the supervisor says."""

    def info(self, text: str = "") -> None: ...

    def warn(self, text: str) -> None: ...

    def error(self, text: str) -> None: ...


class Keys(Protocol):
    """Keys that somebody presses."""

    def fileno(self) -> int: ...

    def read(self) -> str | None: ...

    def listen(self) -> None: ...

    def close(self) -> None: ...


class Supervisor:
    """Keeps a worker serving until it is told to stop. `work` is what a worker does, in a fork of this process.

    A worker is told `go` (`reason`, None for the first one; `since`, when it was, by `time.perf_counter`; `paths` that
    changed; `failure`, a text to serve in place of the code), `connections` to adopt (`unread`: what came on each), and
    `stop` (`grace` and `callbacks` in seconds; `hand_over`; `cause`, in words).

    It tells `serving` (`failed`), `sources` (`digests` and `roots` of what it was made from), `stopping`, `connections`
    for the next one, `released` when that may open the state, `renew` (`reason`) when another one is to take its place,
    and `hopeless` when it has said why it cannot start. With `sources` and `released` it names the modules that it
    `needed`: they are imported here, and those that are forked from now on have them.
    """

    def __init__(self, work: Work, terminal: Terminal, *, watch: bool = True, keys: Keys | None = None) -> None:
        self._work = work
        self._terminal = terminal
        self._watches = watch
        self._keys = keys
        self._pressed: Callable[[str], None] = lambda key: None
        self._selector = selectors.DefaultSelector()
        self._open: set[object] = set()  # what the selector watches
        self._signals = Signals()
        self._worker: Child | None = None
        self._successor: Child | None = None  # forked, and told to go when the worker has released the state
        self._children: list[Child] = []
        self._connections: list[tuple[int, str]] = []
        self._sources: Sources | None = None
        self._watcher: Watcher | None = None
        self._go: dict[str, Any] = {}
        self._timers: dict[str, tuple[float, Callable[[], None]]] = {}
        self._forked = 0
        self._deaths = 0
        self._failed = False
        self._has_served = False
        self._signal_count = 0
        self._code: int | None = None

    def run(self, pressed: Callable[[str], None] | None = None) -> int:
        """Serve until a signal comes, or `stop`. Gives the exit code. `pressed` is told each key."""
        self._pressed = pressed or self._pressed
        with closing(self._signals), self._selector:
            self._register(self._signals, self._on_signals)
            if self._keys is not None:
                self._register(self._keys, self._on_keys)
            try:
                self._start()
                while self._code is None:
                    for key, _ in self._selector.select(self._timeout()):
                        if key.fileobj in self._open:  # not closed by what came before it
                            key.data()
                    self._on_time()
            finally:
                for child in self._children:
                    child.kill()
                if self._watcher is not None:
                    self._watcher.close()
                if self._keys is not None:
                    self._keys.close()
        return self._code

    # What can be asked of it

    def reload(self, reason: str, paths: Sequence[str] = ()) -> None:
        """Put a new worker in the place of the one that serves, because `paths` have changed, if it is for that.

        Nothing happens if that is just being done.
        """
        if self._successor is not None or self._code is not None or self._signal_count:
            return
        self._deaths = 0
        self._timers.pop("restart", None)
        self._go = {"reason": reason, "since": time.perf_counter(), "paths": list(paths)}
        old = self._worker
        self._successor = self._fork()
        if old is None:
            self._take_over()
            return
        old.channel.send("stop", grace=GRACE_S, callbacks=RELOAD_CALLBACKS_S, hand_over=True, cause="by the reload")
        old.deadline = time.monotonic() + DEAF_S
        old.overdue = f"The worker did not answer for {DEAF_S:g} seconds: code of the Worker blocks the event loop."

    def stop(self, number: int = signal.SIGINT) -> None:
        """End in order; the second time at once."""
        self._signal_count += 1
        if self._signal_count > 1:
            self._code = 128 + number
            return
        self._terminal.info("Shutting down local server...")
        self._timers.clear()
        if self._successor is not None:
            self._successor.kill()
            self._successor = None
        if self._worker is None:
            self._code = 0
            return
        cause = f"after {GRACE_S:g} seconds"
        self._worker.channel.send("stop", grace=GRACE_S, callbacks=GRACE_S, hand_over=False, cause=cause)
        self._worker.deadline = time.monotonic() + GRACE_S
        self._worker.overdue = STUCK

    # Workers

    def _fork(self) -> Child:
        child = Child.fork(self._work, self._forked, self._let_go)
        self._forked += 1
        self._children.append(child)
        self._register(child.channel, lambda: self._on_message(child))
        return child

    def _let_go(self) -> None:
        """In a worker: close what is the supervisor's, so that all of it ends with the supervisor."""
        self._selector.close()
        self._signals.let_go()
        for child in self._children:
            child.channel.close()
        for descriptor, _ in self._connections:
            os.close(descriptor)
        if self._watcher is not None:
            self._watcher.let_go()
        if self._keys is not None:
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.close(null)

    def _send_go(self, child: Child) -> None:
        self._send_connections(child)
        child.channel.send("go", **{"reason": None, "since": None, "failure": None, "paths": [], **self._go})
        self._go = {}

    def _send_connections(self, child: Child) -> None:
        while self._connections:
            given, self._connections = (
                self._connections[:FILES_PER_MESSAGE],
                self._connections[FILES_PER_MESSAGE:],
            )
            child.channel.send("connections", [each for each, _ in given], unread=[text for _, text in given])
            for descriptor, _ in given:
                os.close(descriptor)

    def _take_over(self) -> None:
        """The successor becomes the worker."""
        assert self._successor is not None
        self._worker, self._successor = self._successor, None
        self._send_go(self._worker)

    def _on_message(self, child: Child) -> None:
        messages = child.channel.read()
        if messages is None:
            self._unregister(child.channel)
            child.channel.close()
            return
        for message in messages:
            self._on(child, message)

    def _on(self, child: Child, message: Message) -> None:
        match message.kind:
            case "serving":
                child.serves_since = time.monotonic()
                self._has_served = True
                self._failed = message.data["failed"]
            case "sources":
                if child is self._worker:
                    self._on_sources(message.data)
                self._import(message.data["needed"])
            case "stopping":
                child.deadline = time.monotonic() + GRACE_S + STUCK_S
                child.overdue = STUCK
            case "connections":
                self._connections += zip(message.files, message.data["unread"], strict=True)
                if child is not self._worker and self._worker is not None:  # the next one has started without them
                    self._send_connections(self._worker)
            case "released":
                if child is self._worker and self._successor is not None:
                    self._take_over()
                self._import(message.data["needed"])
            case "renew":
                if child is self._worker:
                    self.reload(message.data["reason"])
            case "hopeless":
                if not self._has_served:
                    self._code = 1

    @staticmethod
    def _import(modules: Sequence[str]) -> None:
        for name in modules:
            importlib.import_module(name)

    def _on_sources(self, data: dict[str, Any]) -> None:
        if not self._watches:
            return
        newer = Sources(data["digests"], data["roots"])
        if self._failed and self._sources is not None:
            self._sources.merge(newer)
        else:
            self._sources = newer
        self._look(None)

    def _on_child_ended(self) -> None:
        for child in list(self._children):
            code = child.reap()
            if code is None:
                continue
            while child.channel in self._open:  # what it said before it ended
                self._on_message(child)
            self._children.remove(child)
            if child is self._successor:  # it runs nothing of the user's yet, so somebody killed it
                self._successor = self._fork()
            elif child is self._worker:
                self._worker = None
                if self._signal_count:
                    self._code = 0 if self._code is None else self._code
                elif self._successor is not None:
                    self._take_over()
                else:
                    self._died(child, code)

    def _died(self, child: Child, code: int) -> None:
        """A worker ended that nobody had told to."""
        if self._code is not None:
            return
        why = f"The worker process {cause(code)}."
        if not self._has_served:
            self._terminal.error(f"{why} It died before it served.")
            self._code = 1
            return
        self._deaths = self._deaths + 1 if child.uptime < YOUNG_S else 1
        self._go = {"reason": "the worker process had ended", "since": time.perf_counter()}
        if self._deaths >= MOST_DEATHS:
            text = f"{why} That was the {self._deaths}th time in a row: it is started again when a file changes."
            self._terminal.error(text)
            self._go["failure"] = text
            self._start()
            return
        self._terminal.error(f"{why} It is started again; nothing that was stored is lost.")
        delay = 0.0 if self._deaths == 1 else FIRST_DELAY_S * 2 ** (self._deaths - 2)
        self._timers["restart"] = (time.monotonic() + delay, self._start)

    def _start(self) -> None:
        self._worker = self._fork()
        self._send_go(self._worker)

    # What happens outside

    def _on_signals(self) -> None:
        for number in self._signals.read():
            if number == signal.SIGCHLD:
                self._on_child_ended()
            elif number == signal.SIGCONT:
                if self._keys is not None:
                    self._keys.listen()
            else:
                self.stop(number)

    def _on_keys(self) -> None:
        assert self._keys is not None
        pressed = self._keys.read()
        if pressed is None:
            self._unregister(self._keys)
            return
        for key in pressed:
            self._pressed(key)

    def _watch(self, folders: Sequence[str]) -> None:
        if self._watcher is not None:
            self._leave_watcher(self._watcher)
        try:
            self._watcher = watch(folders)
        except OSError as error:
            self._terminal.warn(
                f"Saved files are not noticed: the system watches no more of them for this user ({error.strerror}). "
                "Allow more (sysctl fs.inotify.max_user_instances and fs.inotify.max_user_watches), "
                "set WATCHFILES_FORCE_POLLING=1, or press r to reload."
            )
            return
        self._register(self._watcher, self._on_changes)

    def _leave_watcher(self, watcher: Watcher) -> None:
        self._unregister(watcher)
        watcher.close()
        self._watcher = None

    def _on_changes(self) -> None:
        assert self._watcher is not None
        batches = self._watcher.read()
        if batches is None:
            self._leave_watcher(self._watcher)
            self._terminal.warn(
                "The process that watches the files has ended. Press r, or restart cfwf dev, to reload."
            )
            return
        for batch in batches:
            self._look(batch)

    def _look(self, paths: list[str] | None) -> None:
        """Reload if what is in `paths`, or in any of the sources, has changed."""
        sources = self._sources
        if sources is None or self._successor is not None:
            return  # the next worker tells its sources, and is looked at then
        if paths is not None and sources.misses(paths):
            self._timers["gone"] = (time.monotonic() + SETTLE_S, lambda: self._look(None))
            return
        if paths is None or any(Path(path).is_dir() for path in paths):
            folders = sources.folders
            if self._watcher is None or self._watcher.folders != folders:
                self._watch(folders)
                paths = None  # what came into a new folder before it was watched
        self._reload_for(sources.changed(paths))

    def _reload_for(self, changed: list[str]) -> None:
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            self.reload(f"{_shown(changed[0])}{more} changed", changed)

    # Time

    def _timeout(self) -> float | None:
        times = [when for when, _ in self._timers.values()]
        times += [child.deadline for child in self._children if child.deadline is not None]
        return max(min(times) - time.monotonic(), 0) if times else None

    def _on_time(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.deadline is not None and child.deadline <= now:
                (self._terminal.info if self._signal_count else self._terminal.warn)(child.overdue)
                child.kill()
        for name, (when, call) in list(self._timers.items()):
            if when <= now:
                del self._timers[name]
                call()

    def _register(self, source: "Channel | Watcher | Signals | Keys", call: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, call)
        self._open.add(source)

    def _unregister(self, source: "Channel | Watcher | Signals | Keys") -> None:
        self._selector.unregister(source)
        self._open.discard(source)


def _shown(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
