"""What is saved while a worker serves, and whether that requires another worker."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cfworkflows_emulator.supervisor.loop import Loop
from cfworkflows_emulator.supervisor.sources import Sources, now_in_files
from cfworkflows_emulator.supervisor.terminal import Terminal
from cfworkflows_emulator.supervisor.watching import Watcher, watch

SETTLE_S = 0.05  # a file that is gone may come back, as with editors that save under another name


class Changes:
    """Watches the files that the worker was made from, and calls `reload` when their content has changed.

    While `is_reloading` it looks at nothing: the next worker reports its sources, and they are looked at then. While it
    `is_loading`, a save waits as well: else nothing would ever be served while files are saved again and again.
    """

    def __init__(
        self,
        loop: Loop,
        terminal: Terminal,
        reload: Callable[[str, Sequence[str], int], None],
        is_reloading: Callable[[], bool],
        is_loading: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._terminal = terminal
        self._reload = reload
        self._is_reloading = is_reloading
        self._is_loading = is_loading
        self._sources: Sources | None = None
        self._watcher: Watcher | None = None

    def follow(self, newer: Sources, *, failed: bool) -> None:
        """Watch the sources of a worker that serves now; one that has `failed` may not know all of them."""
        if failed and self._sources is not None:
            self._sources.merge(newer)
        else:
            self._sources = newer
        self._look(None)

    def let_go(self) -> None:
        """In a worker, after a fork."""
        if self._watcher is not None:
            self._watcher.let_go()

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()

    def _look(self, paths: list[str] | None) -> None:
        """Reload if the content of `paths`, or of any of the sources, has changed."""
        sources = self._sources
        if sources is None or self._is_reloading():
            return
        looked_ns = now_in_files()
        if self._watcher is not None and self._watcher.catch_up():
            paths = None
        missing = paths is not None and sources.misses(paths)
        if self._is_loading() or missing or self._is_unfinished():
            self._loop.after(SETTLE_S, self, lambda: self._look(None))
            return
        if paths is None or any(Path(path).is_dir() for path in paths):
            folders = sources.folders
            if self._watcher is None or self._watcher.folders != folders:
                self._watch(folders)
                paths = None  # what came into a new folder before it was watched
        changed = sources.changed(paths)
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            self._reload(f"{_shown(changed[0])}{more} changed", changed, looked_ns)

    @property
    def are_saved(self) -> bool:
        """Whether no file that counts is just being written, as far as the system reports it."""
        if self._watcher is not None:
            self._watcher.catch_up()  # what has changed is found when the next worker reports its sources
        return not self._is_unfinished()

    def _is_unfinished(self) -> bool:
        watcher, sources = self._watcher, self._sources
        return (
            watcher is not None and sources is not None and any(sources.counts(path) for path in watcher.unfinished())
        )

    def _watch(self, folders: Sequence[str]) -> None:
        if self._watcher is not None:
            self._leave(self._watcher)
        try:
            self._watcher = watch(folders)
        except OSError as error:
            self._terminal.warn(
                f"Saved files are not noticed: the system watches no more of them for this user ({error.strerror}). "
                "Allow more (sysctl fs.inotify.max_user_instances and fs.inotify.max_user_watches), "
                "set WATCHFILES_FORCE_POLLING=1, or press r to reload."
            )
            return
        self._loop.add(self._watcher, self._on_watcher)

    def _leave(self, watcher: Watcher) -> None:
        self._loop.remove(watcher)
        watcher.close()
        self._watcher = None

    def _on_watcher(self) -> None:
        assert self._watcher is not None
        batches = self._watcher.read()
        if batches is None:
            self._leave(self._watcher)
            self._terminal.warn(
                "The process that watches the files has ended. Press r, or restart cfwf dev, to reload."
            )
            return
        for batch in batches:
            self._look(batch)


def _shown(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
