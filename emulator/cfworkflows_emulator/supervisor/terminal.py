"""Where a supervisor says what happens."""

from typing import Protocol


class Terminal(Protocol):
    """By how much it matters."""

    def info(self, text: str = "") -> None: ...

    def warn(self, text: str) -> None: ...

    def error(self, text: str) -> None: ...
