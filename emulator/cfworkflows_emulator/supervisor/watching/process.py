"""Where there is no inotify: a process of its own watches, so that the process that forks has no watcher's thread."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

_PIECE = 64 * 1024


class WatcherProcess:
    """See `Watcher`. It watches a moment after it was made, and reports then that anything may have changed."""

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = list(folders)
        self._process = subprocess.Popen(  # noqa: S603 - a module of this package
            [sys.executable, "-P", "-m", "cfworkflows_emulator.supervisor.watching", *folders],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._text = b""

    def fileno(self) -> int:
        return self._stdout.fileno()

    def read(self) -> "list[list[str] | None] | None":
        text = os.read(self._stdout.fileno(), _PIECE)
        if not text:
            return None
        *lines, self._text = (self._text + text).split(b"\n")
        return [json.loads(line) for line in lines]

    def catch_up(self) -> bool:
        return False

    def unfinished(self) -> list[str]:
        return []

    def let_go(self) -> None:
        os.close(self._stdin.fileno())
        os.close(self._stdout.fileno())

    def close(self) -> None:
        self._stdin.close()
        self._stdout.close()
        self._process.kill()
        self._process.wait()
