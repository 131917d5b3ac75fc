"""What the commands need of buckets, wherever they are."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple, Protocol

CHUNK = 1024 * 1024


class Listed(NamedTuple):
    """An object of a list."""

    key: str
    size: int
    etag: str


class Buckets(Protocol):
    """`where` is what the commands print of it."""

    where: str

    def names(self) -> list[str]: ...

    def put(self, bucket: str, key: str, file: BinaryIO, size: int, headers: Mapping[str, str]) -> None:
        """Store what is in `file`, with `headers` as its metadata."""
        ...

    def get(self, bucket: str, key: str) -> Iterator[bytes] | None:
        """The content, chunk by chunk; None if there is no such object."""
        ...

    def delete(self, bucket: str, key: str) -> None: ...

    def list(self, bucket: str, prefix: str) -> Iterator[Listed]: ...
