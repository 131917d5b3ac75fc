"""A file that is read, with a line on the terminal that says how far."""

import io
import sys
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.clock import monotonic

_EVERY_S = 0.2


class Watched(io.RawIOBase):
    """The file at `path`, to be read once. Raises CfworkflowsError if it cannot be opened."""

    def __init__(self, path: Path) -> None:
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise CfworkflowsError(f'Unable to read SQL text file "{path}": {error.strerror}.') from None
        self._size = path.stat().st_size
        self._read = 0
        self._start = self._told = monotonic()
        self._shows = sys.stderr.isatty()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._read += len(data)
        if self._shows and (now := monotonic()) - self._told > _EVERY_S:
            self._told = now
            left = (now - self._start) * (self._size - self._read) / max(self._read, 1)
            sys.stderr.write(f"\r{self._read / 1e6:,.1f} of {self._size / 1e6:,.1f} MB, {left:.0f} s left \x1b[K")
        return data

    def close(self) -> None:
        if not self.closed and self._shows:
            sys.stderr.write("\r\x1b[K")
        self._file.close()
        super().close()

    def __enter__(self) -> "Watched":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def binary(watched: Watched) -> BinaryIO:
    """The same, for what wants to know its type."""
    return cast("BinaryIO", watched)
