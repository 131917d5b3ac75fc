"""A file of data that is opened when it is first needed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.storage.connection import Durability, Migration

if TYPE_CHECKING:
    from cfworkflows_emulator.storage.datafile import DataFile

CopyFile = Callable[[Path], None]
"""Writes a copy of a database that is open to a path."""


class LateFile:
    """A DataFile that is opened, and its library imported, at the first `open()`: a session starts as fast with many
    bindings as with none. `what` is what it is called in the error of a use after `close`.

    A file that cannot be opened is tried again at the next use.
    """

    def __init__(
        self, path: Path | None, migrations: Sequence[Migration[Any]], durability: Durability, what: str
    ) -> None:
        self.path = path
        self.durability = durability
        self._migrations = migrations
        self._what = what
        self._file: DataFile | None = None
        self._closed = False

    def open(self) -> "DataFile":
        """The file. Raises what DataFile raises, and CfworkflowsError once it is closed."""
        if self._file is None:
            if self._closed:
                raise CfworkflowsError(f"{self._what} is closed: the session that it belongs to has ended.")
            from cfworkflows_emulator.storage.datafile import DataFile

            self._file = DataFile(self.path, self._migrations, self.durability)
        return self._file

    @property
    def copier(self) -> CopyFile | None:
        """What copies the file while it is open; None if it is not."""
        return None if self._file is None else self._file.copy_to

    def close(self) -> None:
        """Close the file, if it is open. It cannot be opened again."""
        self._closed = True
        file, self._file = self._file, None
        if file is not None:
            file.close()
