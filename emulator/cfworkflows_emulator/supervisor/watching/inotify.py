"""On Linux the kernel notifies the supervisor itself: no process, and no thread that a fork would leave behind."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from inotify_simple import Event, INotify, flags

from cfworkflows_emulator.supervisor.watching.watcher import BATCH_MS, QUIET_MS, WRITING_S

_CHANGES = (
    flags.CREATE
    | flags.MODIFY
    | flags.CLOSE_WRITE
    | flags.ATTRIB
    | flags.DELETE
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.MOVE_SELF
)


class InotifyWatcher:
    """See `Watcher`. It watches from when it was made."""

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = list(folders)
        self._paths: dict[int, list[str]] = {}  # several, when links lead to one folder: it is watched once
        self._written: dict[str, float] = {}  # the paths that are not closed yet, and when they were last written to
        self._inotify = INotify()
        try:
            for folder in folders:
                try:
                    number = self._inotify.add_watch(folder, _CHANGES | flags.ONLYDIR)
                    self._paths.setdefault(number, []).append(folder)
                except PermissionError:
                    continue  # nothing in it can be read either
                except (FileNotFoundError, NotADirectoryError):
                    self.folders.remove(folder)
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        return int(self._inotify.fileno())

    def read(self) -> list[list[str] | None]:
        return [self._taken_in(self._events())]

    def catch_up(self) -> bool:
        paths = self._taken_in(self._inotify.read(timeout=0))
        return paths is None or bool(paths)

    def _taken_in(self, events: Iterable[Event]) -> list[str] | None:
        """The paths that changed; None if that may be any."""
        paths: set[str] = set()
        some_were_lost = False
        for event in events:
            some_were_lost |= bool(event.mask & flags.Q_OVERFLOW)
            folders = self._paths.get(event.wd, [])
            named = [os.path.join(each, event.name) if event.name else each for each in folders]  # noqa: PTH118
            paths.update(named)
            if event.mask & flags.MODIFY:
                self._written.update(dict.fromkeys(named, time.monotonic()))
            elif event.mask & (flags.CLOSE_WRITE | flags.DELETE | flags.MOVED_FROM | flags.MOVED_TO):
                for path in named:
                    self._written.pop(path, None)
            if event.mask & flags.MOVE_SELF:  # what happens there from now on happens elsewhere
                with suppress(OSError):  # it was removed since
                    self._inotify.rm_watch(event.wd)
            elif event.mask & flags.IGNORED:  # it is not there, or not watched, any more
                self._paths.pop(event.wd, None)
                self.folders = [each for each in self.folders if each not in folders]
        return None if some_were_lost else sorted(paths)

    def unfinished(self) -> list[str]:
        long_ago = time.monotonic() - WRITING_S
        self._written = {path: when for path, when in self._written.items() if when > long_ago}
        return list(self._written)

    def _events(self) -> Iterator[Event]:
        """The events of one save: until nothing more comes for a while."""
        end = time.monotonic() + BATCH_MS / 1000
        while events := self._inotify.read(timeout=QUIET_MS):
            yield from events
            if time.monotonic() > end:
                return

    def let_go(self) -> None:
        self._inotify.close()

    def close(self) -> None:
        self._inotify.close()
