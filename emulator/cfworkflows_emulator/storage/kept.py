"""What a kind of binding with data answers, so that the whole state can be saved, loaded, compared and branched.

A kind has a folder of databases in the state folder, and says what is in one; a store of it that is open can be frozen.
Copying is the same for all of them: see `copies`.
"""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol, runtime_checkable

from cfworkflows_emulator.storage.latefile import LateFile


class KeptFolder(NamedTuple):
    """What this version knows of a folder of databases: `place` is its name in the state folder, or that of the only
    file, `version` how many migrations there are. `described` gives the items of a database, such as its keys, each
    with a text that differs when the item does; it reads any version that there was.
    """

    place: str
    version: int
    described: Callable[[sqlite3.Connection], Mapping[str, str]]


@runtime_checkable
class Kept(Protocol):
    """A store over one file. Files in a folder `blobs` beside it never change once they have their name."""

    @property
    def file(self) -> LateFile: ...

    def frozen(self) -> AbstractAsyncContextManager[None]:
        """Within the block no thread writes, but for new `blobs`; nor does the event loop, as long as it is held up."""
        ...
