"""What a watcher is."""

from typing import Protocol

BATCH_MS = 50
"""Changes that come within so many milliseconds are one save."""

QUIET_MS = 10
"""As soon as nothing more came for so many milliseconds, a batch is whole."""


WRITING_S = 0.5
"""A file that was written to, and is not closed, counts as whole after so many seconds."""


class Watcher(Protocol):
    """Watches `folders`, without those below them. `fileno` is readable when there is something to `read`."""

    folders: list[str]
    """The folders that it watches. A folder that was removed or moved away may be missing."""

    def fileno(self) -> int: ...

    def read(self) -> "list[list[str] | None] | None":
        """The batches of changed paths that came. None among them says that anything may have changed.

        None instead of the list if it watches no more.
        """

    def catch_up(self) -> bool:
        """Take in what has come, without waiting. Returns whether there was anything; `read` will not report it."""

    def unfinished(self) -> list[str]:
        """The paths that are just being written, and are not closed; none where the system does not report that."""

    def let_go(self) -> None:
        """Close what is open, after a fork, and leave the parent's watcher as it is."""

    def close(self) -> None: ...
