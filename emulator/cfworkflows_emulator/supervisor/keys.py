"""The keys that are pressed, unless a debugger in a worker reads the terminal."""

import os
from collections.abc import Callable

from cfworkflows_emulator.supervisor.child import Child
from cfworkflows_emulator.supervisor.keyboard import Keyboard
from cfworkflows_emulator.supervisor.loop import Loop
from cfworkflows_emulator.supervisor.messages import Lent, Message


class Keys:
    """Calls `pressed` with each key. `borrower` is the worker that reads the terminal instead, None if none does."""

    def __init__(
        self, loop: Loop, keyboard: Keyboard, pressed: Callable[[str], None], send: Callable[[Child, Message], None]
    ) -> None:
        self._loop = loop
        self._send = send
        self._keyboard = keyboard
        self._pressed = pressed
        self.borrower: Child | None = None
        loop.add(keyboard, self._read)

    def lend(self, child: Child) -> None:
        """Let `child` read the terminal, as it was before keys were read one by one."""
        if self.borrower is None:
            self.borrower = child
            if self._keyboard in self._loop:
                self._loop.remove(self._keyboard)
            self._keyboard.close()
            self._send(child, Lent())

    def take_back(self, child: Child) -> None:
        """Read keys again, if `child` did."""
        if self.borrower is child:
            self.borrower = None
            self._keyboard.listen()
            self._loop.add(self._keyboard, self._read)

    def continued(self) -> None:
        """The process was suspended, and continues."""
        if self.borrower is None:
            self._keyboard.listen()

    def let_go(self) -> None:
        """In a worker, after a fork: what reads the standard input there takes no keys away."""
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, self._keyboard.fileno())
        os.close(null)

    def close(self) -> None:
        self._keyboard.close()

    def _read(self) -> None:
        pressed = self._keyboard.read()
        if pressed is None:
            self._loop.remove(self._keyboard)
            return
        for key in pressed:
            self._pressed(key)
