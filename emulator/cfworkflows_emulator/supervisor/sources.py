"""The files that a worker was made from, and whether their content has changed."""

import hashlib
import importlib.util
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

ABSENT = ""
UNSURE = "?"  # it was written while it was read, so what was read is not known

_CLOCK_TICK_NS = 10_000_000  # file systems stamp with a clock that is up to this much behind
_COARSE = 5  # CLOCK_REALTIME_COARSE
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__"})


class Sources:
    """Digests of files by their paths, and `roots`, the folders below which every Python file counts."""

    def __init__(self, digests: Mapping[str, str], roots: Iterable[str]) -> None:
        self.roots = list(roots)
        self._digests = dict(digests)

    @property
    def folders(self) -> list[str]:
        """The folders to watch, each for itself."""
        return sorted(folder for folder in _parents(self._digests) | set(_folders(self.roots)) if Path(folder).is_dir())

    def changed(self, paths: Iterable[str] | None = None) -> list[str]:
        """Those of `paths`, or else of all that count, whose content has changed. Each change is reported once."""
        found = []
        for path in {*self._digests, *python_files(self.roots)} if paths is None else paths:
            if not self.counts(path):
                continue
            now = digest(path)
            if self._digests.get(path, ABSENT) != now:
                found.append(path)
                self._digests[path] = now
        return found

    def counts(self, path: str) -> bool:
        """Whether the content of the file matters."""
        return path in self._digests or (path.endswith(".py") and self._is_below_a_root(path))

    def misses(self, paths: Iterable[str]) -> bool:
        """Whether one of `paths` that counts, or that has files which count, is gone."""
        known = self._digests.keys() | _parents(self._digests)
        return any(path in known and not Path(path).exists() for path in paths)

    def merge(self, newer: "Sources") -> None:
        """Add what a worker reports that could not load, and so may not know all the files that count."""
        self.roots = newer.roots
        self._digests |= newer._digests

    def _is_below_a_root(self, path: str) -> bool:
        return any(
            path.startswith(root + os.sep)
            and not any(_is_skipped(part) for part in path[len(root) + 1 :].split(os.sep)[:-1])  # noqa: PTH206
            for root in self.roots
        )


def digests(paths: Iterable[str], roots: Iterable[str], began_ns: int) -> dict[str, str]:
    """What is in `paths` and the Python files below `roots`, which were read from `began_ns` on (since the epoch)."""
    found = {path: digest(path) for path in {*paths, *python_files(roots)}}
    surely_before_ns = began_ns - _CLOCK_TICK_NS
    moved = {folder for folder in _parents(found) if _moved_ns(folder) > surely_before_ns}
    for path in found:  # afterwards: what is saved from here on, the watcher reports
        if _saved_ns(path) > surely_before_ns or os.path.dirname(path) in moved:  # noqa: PTH120 - thousands
            found[path] = UNSURE
    return found


def now_in_files() -> int:
    """The time that a file is stamped with if it is saved now, in ns since the epoch."""
    return time.clock_gettime_ns(_COARSE) if sys.platform == "linux" else time.time_ns()


def saved_since(paths: Iterable[str], time_ns: int) -> list[str]:
    """Those of `paths` that were written to since `time_ns`, a time by `now_in_files`."""
    return [path for path in paths if _saved_ns(path) >= time_ns]


def forget_bytecode(paths: Iterable[str]) -> None:
    """Remove what Python compiled from `paths`: Python treats two versions of one size and one second as the same."""
    for path in paths:
        if path.endswith(".py"):
            Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)


def digest(path: str) -> str:
    """Of the content; ABSENT if there is none to be read."""
    try:
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return ABSENT


def _saved_ns(path: str) -> int:
    """When it was written to, or moved to where it is; 0 if there is none."""
    try:
        status = Path(path).stat()
    except OSError:
        return 0
    return max(status.st_mtime_ns, status.st_ctime_ns)


def _moved_ns(folder: str) -> int:
    """When a folder with older files was moved to where it is; 0 if something in it was made or removed since."""
    try:
        status = Path(folder).stat()
    except OSError:
        return 0
    return status.st_ctime_ns if status.st_ctime_ns != status.st_mtime_ns else 0


def _parents(paths: Iterable[str]) -> set[str]:
    return {os.path.dirname(path) for path in paths}  # noqa: PTH120 - thousands, at every reload


def python_files(roots: Iterable[str]) -> Iterator[str]:
    """All the Python files below `roots` that count."""
    for folder in _folders(roots):
        # It may be gone by now.
        with suppress(OSError), os.scandir(folder) as entries:
            yield from (entry.path for entry in entries if entry.name.endswith(".py"))


def _folders(roots: Iterable[str]) -> Iterator[str]:
    for root in roots:
        for folder, below, files in os.walk(root):
            below[:] = [name for name in below if not _is_skipped(name)]
            if folder != root and "pyvenv.cfg" in files:
                below.clear()
            else:
                yield folder


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name in _SKIPPED
