"""What an R2 binding needs of a store: the Protocols that the emulator's store implements.

All that does not stream is done at once, in place: between two calls without an `await`, nobody else changes anything.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Protocol


class Content(Protocol):
    """The bytes of a stored object, or a range of them. The object may be overwritten or deleted meanwhile."""

    @property
    def known_length(self) -> int: ...

    async def read_all(self) -> bytes: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class StoredObject(Protocol):
    """What is kept of an object. Times are in ms since the epoch, checksums hexadecimal.

    `http` has the platform's names, and `cacheExpiry` as a time.
    """

    @property
    def key(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str: ...

    @property
    def uploaded(self) -> int: ...

    @property
    def checksums(self) -> Mapping[str, str]: ...

    @property
    def http(self) -> Mapping[str, Any]: ...

    @property
    def custom(self) -> Mapping[str, str]: ...

    @property
    def storage_class(self) -> str: ...

    @property
    def ssec_md5(self) -> str | None: ...


class Written(Protocol):
    """Bytes that were written, and belong to no object yet. `digests` are by the names of algorithms, hexadecimal."""

    @property
    def size(self) -> int: ...

    @property
    def digests(self) -> Mapping[str, str]: ...


class Upload(Protocol):
    """A multipart upload: `state` is open, complete or aborted. `fields` are those of the object that it is for."""

    @property
    def id(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def created(self) -> int: ...

    @property
    def fields(self) -> Mapping[str, Any]: ...


class Part(Protocol):
    """A part that was uploaded: `etag` is what `complete` is given, `md5` hexadecimal."""

    @property
    def number(self) -> int: ...

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str: ...

    @property
    def md5(self) -> str: ...

    @property
    def uploaded(self) -> int: ...


class Rows(Protocol):
    """A piece of a list: objects and delimited prefixes in the order of their keys, `after` where the next one begins,
    None at the end.
    """

    @property
    def objects(self) -> Sequence[StoredObject]: ...

    @property
    def prefixes(self) -> Sequence[str]: ...

    @property
    def after(self) -> str | None: ...


class R2Store(Protocol):
    """The objects and the uploads of a bucket."""

    def setting(self, name: str) -> str | None: ...

    def set_setting(self, name: str, value: str | None) -> None: ...

    def head(self, key: str) -> StoredObject | None: ...

    def get(self, key: str) -> tuple[StoredObject, Any] | None:
        """An object, and what `content` reads it by."""
        ...

    def content(self, place: Any, offset: int, length: int) -> Content: ...

    async def write(self, content: Any, algorithms: Collection[str]) -> Written:
        """Write bytes, or what an async iterable gives: to memory or to a file that no object has yet."""
        ...

    def hold(self, data: bytes, algorithms: Collection[str]) -> Written:
        """The same at once, for what is small."""
        ...

    def discard(self, written: Any, /) -> None: ...

    def insert(
        self, key: str, written: Any, etag: str, checksums: Mapping[str, str], /, **fields: Any
    ) -> StoredObject: ...

    def delete(self, keys: Sequence[str]) -> None: ...

    def rows(self, prefix: str, delimiter: str, after: str | None, start_after: str | None, limit: int) -> Rows:
        """At most `limit` objects and prefixes."""
        ...

    def create_upload(self, key: str, /, **fields: Any) -> Upload: ...

    def upload(self, id: str) -> Upload | None: ...

    def uploads(self, prefix: str) -> Sequence[Upload]:
        """Those that are open, in the order of their keys."""
        ...

    def parts(self, id: str) -> Mapping[int, Part]: ...

    def add_part(self, id: str, number: int, written: Any, /) -> Part: ...

    def finish(self, upload: Any, numbers: Sequence[int], etag: str) -> StoredObject:
        """Make the object of the parts in `numbers`; the others are dropped."""
        ...

    def abort(self, id: str) -> None: ...
