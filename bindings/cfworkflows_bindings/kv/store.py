"""What a KV binding needs of a store: the Protocol that the emulator's store implements."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Entry(NamedTuple):
    """A value, with its `expiration` in seconds since the epoch, and its metadata as JSON."""

    value: bytes
    expiration: int | None = None
    metadata: str | None = None


class Listed(NamedTuple):
    """An entry without its value."""

    name: str
    expiration: int | None
    metadata: str | None


class Page(NamedTuple):
    """Entries in the order of their names as UTF-8, and whether they are the last ones."""

    entries: Sequence[Listed]
    complete: bool


class KVStore(Protocol):
    """The data of a namespace. An entry that has expired is not there. What is written is durable on return."""

    def now(self) -> int:
        """The time in ms since the epoch, which decides what has expired."""
        ...

    async def get(self, key: str) -> Entry | None: ...

    async def get_many(self, keys: Sequence[str]) -> dict[str, Entry]:
        """Those of the entries that are there, as of one moment."""
        ...

    async def put(self, key: str, entry: Entry) -> None: ...

    async def delete(self, key: str) -> None: ...

    async def list(self, prefix: str, after: str | None, limit: int) -> Page:
        """The first `limit` entries whose names begin with `prefix`, and come after `after`."""
        ...
