"""Signals as something to read, between other things."""

import os
import signal
from types import FrameType


class Signals:
    """SIGINT, SIGTERM, SIGCHLD and SIGCONT: `fileno` is readable when one has come. In the main thread."""

    NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGCONT)

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        self._before = [(number, signal.signal(number, ignore)) for number in self.NUMBERS]
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def fileno(self) -> int:
        return self._reader

    def read(self) -> list[int]:
        try:
            return list(os.read(self._reader, 1024))
        except BlockingIOError:
            return []

    def let_go(self) -> None:
        """After a fork: signals that a terminal sends to all its processes do nothing, the others their default.

        They are handled rather than ignored, because a program that is started later would ignore them too.
        """
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        os.close(self._reader)
        os.close(self._writer)

    def close(self) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)


def ignore(number: int, frame: FrameType | None) -> None:
    """A handler that does nothing."""
