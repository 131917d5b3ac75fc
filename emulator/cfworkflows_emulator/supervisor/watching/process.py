"""Where there is no inotify: a process of its own watches, so that no thread of a watcher is in what forks."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

_PIECE = 64 * 1024


class WatcherProcess:
    """See `Watcher`. It watches a moment after it was made, and says so then: anything may have changed meanwhile."""

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = list(folders)
        self._process = subprocess.Popen(  # noqa: S603 - our own module
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
