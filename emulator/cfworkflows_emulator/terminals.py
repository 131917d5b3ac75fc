"""What a terminal can show: colours or not, how many columns, and how many of them a text takes."""

import os
import shutil
from typing import TextIO

_DUMB = ("dumb", "unknown")
_NO_CELL = ("Mn", "Me", "Cf")
_TWO_CELLS = ("W", "F")


def is_coloured(stream: TextIO) -> bool:
    """Whether what is written to `stream` may have colours: on a terminal that can, unless NO_COLOR is set.

    FORCE_COLOR asks for them anywhere. NO_COLOR beats it, as in Python itself.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") not in _DUMB


def can_clear(stream: TextIO) -> bool:
    """Whether `stream` obeys what moves the cursor."""
    return stream.isatty() and os.environ.get("TERM") not in _DUMB


def columns(stream: TextIO) -> int | None:
    """How wide the terminal is that `stream` writes to; None if it is none, and a line may be as long as it is."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def cells(text: str) -> int:
    """How many columns `text` takes: letters of East Asia and emoji take two, what joins or marks others none."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width  # which few need

    return sum(0 if category(each) in _NO_CELL else 2 if east_asian_width(each) in _TWO_CELLS else 1 for each in text)


def padded(text: str, width: int) -> str:
    """`text` with as many spaces behind it as `width` columns need."""
    return text + " " * (width - cells(text))
