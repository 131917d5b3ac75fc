"""Noticing that something was saved: by inotify on Linux, and by a process of watchfiles everywhere else."""

import os
import sys
from collections.abc import Sequence
from typing import Protocol

BATCH_MS = 50
"""Changes that come within so many milliseconds are one save."""

QUIET_MS = 10
"""As soon as nothing more came for so many milliseconds, a batch is whole."""


class Watcher(Protocol):
    """Watches `folders`, without those below them. `fileno` is readable when there is something to `read`."""

    folders: list[str]
    """Those that it watches. One that was removed, or moved away, may not be among them any more."""

    def fileno(self) -> int: ...

    def read(self) -> "list[list[str] | None] | None":
        """The batches of changed paths that came. None among them says that anything may have changed.

        None instead of the list if it watches no more.
        """

    def let_go(self) -> None:
        """Close what is open, after a fork, and leave the parent's watcher as it is."""

    def close(self) -> None: ...


def watch(folders: Sequence[str]) -> Watcher:
    """A watcher of `folders`. Raises OSError when the system grants no more of them.

    Where the kernel does not tell of changes, as on a folder that a container shares with another system, the variable
    WATCHFILES_FORCE_POLLING=1 has watchfiles look at the files again and again instead.
    """
    if sys.platform == "linux" and not _polls():
        from cfworkflows_emulator.supervisor.watching.inotify import InotifyWatcher

        return InotifyWatcher(folders)
    from cfworkflows_emulator.supervisor.watching.process import WatcherProcess

    return WatcherProcess(folders)


def _polls() -> bool:
    """By watchfiles' own rule: as the variable says, and otherwise under WSL, whose Windows drives tell nothing."""
    wanted = os.environ.get("WATCHFILES_FORCE_POLLING")
    if wanted:
        return wanted.lower() not in {"false", "disable", "disabled"}
    return "microsoft-standard" in os.uname().release.lower()
