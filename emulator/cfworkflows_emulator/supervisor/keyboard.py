"""Single keys from the terminal, without Enter."""

import os
import sys
import termios
from contextlib import suppress


class Keyboard:
    """The terminal at standard input, read key by key until `close`. Ctrl+C stays a signal."""

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._descriptor)
        self.listen()

    @staticmethod
    def is_there() -> bool:
        """Whether there is a terminal, and this process may read it: it is not in the background."""
        try:
            return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
        except (OSError, ValueError, AttributeError):  # closed, or not the terminal of this session
            return False

    def listen(self) -> None:
        """Take keys at once and without echo; again after the process was suspended, or another one has read them."""
        with suppress(termios.error):  # the terminal is gone, as `read` reports
            mode = [*self._before]
            mode[3] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, mode)

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> str | None:
        """The keys that were pressed, in lower case; None if the terminal is gone."""
        try:
            keys = os.read(self._descriptor, 64)
        except OSError:
            return None
        return keys.decode(errors="replace").lower() or None

    def close(self) -> None:
        try:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
        except termios.error:  # the terminal is gone
            return
