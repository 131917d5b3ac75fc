"""Notices that something was saved: by inotify on Linux, and by a process of watchfiles everywhere else."""

import os
import sys
from collections.abc import Sequence

from cfworkflows_emulator.supervisor.watching.watcher import Watcher

__all__ = ["Watcher", "watch"]


def watch(folders: Sequence[str]) -> Watcher:
    """A watcher of `folders`. Raises OSError when the system grants no more of them.

    Where the kernel does not report changes, as on a folder that a container shares with another system, the variable
    WATCHFILES_FORCE_POLLING=1 has watchfiles poll the files instead.
    """
    if sys.platform == "linux" and not _polls():
        from cfworkflows_emulator.supervisor.watching.inotify import InotifyWatcher

        return InotifyWatcher(folders)
    from cfworkflows_emulator.supervisor.watching.process import WatcherProcess

    return WatcherProcess(folders)


def _polls() -> bool:
    """By watchfiles' own rule: as the variable says, and otherwise under WSL, whose Windows drives report nothing."""
    wanted = os.environ.get("WATCHFILES_FORCE_POLLING")
    if wanted:
        return wanted.lower() not in {"false", "disable", "disabled"}
    return "microsoft-standard" in os.uname().release.lower()
