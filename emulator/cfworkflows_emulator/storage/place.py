"""Where the file of a database is: a file that was removed takes data all the same, and loses it when it is closed."""

import time
from pathlib import Path

LOOK_EVERY_S = 0.02
BURST_S = 0.002
"""How long one look holds, in seconds, for commits that follow each other within BURST_S: it takes as long as a
fiftieth of a small one. After a pause each commit looks.
"""


class Place:
    """The file at `path` as it is now. Windows lets nobody remove a file that is open, and other systems do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._look()
        self._looked = self._asked = time.monotonic()

    def is_lost(self) -> bool:
        """Whether there is no file any more, or another one."""
        now, before = time.monotonic(), self._asked
        self._asked = now
        if now - before < BURST_S and now - self._looked < LOOK_EVERY_S:
            return False
        self._looked = now
        return self._look() != self._file

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino
