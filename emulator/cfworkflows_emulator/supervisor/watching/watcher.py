"""What a watcher is."""

from typing import Protocol

BATCH_MS = 50
"""Changes that come within so many milliseconds are one save."""

QUIET_MS = 10
"""As soon as nothing more came for so many milliseconds, a batch is whole."""


WRITING_S = 0.5
"""What somebody has written to, and does not close, is taken for whole after so many seconds."""


class Watcher(Protocol):
    """Watches `folders`, without those below them. `fileno` is readable when there is something to `read`."""

    folders: list[str]
    """Those that it watches. One that was removed, or moved away, may not be among them any more."""

    def fileno(self) -> int: ...

    def read(self) -> "list[list[str] | None] | None":
        """The batches of changed paths that came. None among them says that anything may have changed.

        None instead of the list if it watches no more.
        """

    def catch_up(self) -> bool:
        """Take in what has come, without waiting. Gives whether it was something, which `read` will not tell then."""

    def unfinished(self) -> list[str]:
        """The paths that somebody writes to just now, and has not closed; none where the system does not tell."""

    def let_go(self) -> None:
        """Close what is open, after a fork, and leave the parent's watcher as it is."""

    def close(self) -> None: ...
