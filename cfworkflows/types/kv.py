"""A KV namespace, its options and its results."""

from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypedDict, overload

from cfworkflows.http import ReadableStream
from cfworkflows.values import ClosedJsDict

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Value = TypeVar("Value", default=Any)
    Metadata = TypeVar("Metadata", default=Any)
else:
    from typing import TypeVar

    Value = TypeVar("Value")
    Metadata = TypeVar("Metadata")

KVValue = str | bytes | bytearray | memoryview | ReadableStream | float | bool | None
"""What can be stored. A number, a bool and None are stored as their text in JSON."""

Keys = list[str] | tuple[str, ...]
"""Up to 100 keys. A str is one key."""


class KVGetOptions(TypedDict, total=False):
    """The options of `get`, without the type. `cacheTtl` is in seconds, at least 30."""

    cacheTtl: int
    cache_ttl: int


class KVTextOptions(KVGetOptions, total=False):
    """The options of `get` for a value as text."""

    type: Literal["text"]


class KVJsonOptions(KVGetOptions):
    """The options of `get` for a value that is JSON."""

    type: Literal["json"]


class KVBytesOptions(KVGetOptions):
    """The options of `get` for a value as bytes."""

    type: Literal["arrayBuffer"]


class KVStreamOptions(KVGetOptions):
    """The options of `get` for a value as a stream."""

    type: Literal["stream"]


class KVPutOptions(TypedDict, total=False):
    """The options of `put`: `expiration` in seconds since the epoch, or `expirationTtl` in seconds, and metadata, which
    is JSON of up to 1,024 bytes.
    """

    expiration: int | None
    expirationTtl: int | None
    expiration_ttl: int | None
    metadata: Any


class KVListOptions(TypedDict, total=False):
    """The options of `list`."""

    prefix: str | None
    limit: int | None
    cursor: str | None


class KVValueWithMetadata(ClosedJsDict, Generic[Value, Metadata]):
    """One of many values, with its metadata."""

    value: Value
    metadata: Metadata | None


class KVGetWithMetadataResult(ClosedJsDict, Generic[Value, Metadata]):
    """A value with its metadata; all is None for a key that is not there. `cacheStatus` is None here."""

    value: Value | None
    metadata: Metadata | None
    cacheStatus: str | None  # noqa: N815 - the platform's name


class KVListKey(ClosedJsDict, Generic[Metadata]):
    """A key: `expiration`, in seconds since the epoch, and `metadata` are there if the entry has them."""

    name: str
    expiration: int
    metadata: Metadata


class KVListResult(ClosedJsDict, Generic[Metadata]):
    """A page of keys: `result.keys` or `result["keys"]`. There is a `cursor` unless it is `list_complete`."""

    list_complete: bool
    cursor: str
    cacheStatus: str | None  # noqa: N815 - the platform's name

    @property
    def keys(self) -> list[KVListKey[Metadata]]:  # type: ignore[override]  # the platform's name, which dict has too
        """The keys of this page, rather than those of the dict."""
        listed: list[KVListKey[Metadata]] = self["keys"]
        return listed


class KVGetWithMetadata(Protocol):
    """The method `get_with_metadata`, by both of its names."""

    @overload
    async def __call__(
        self, key: str, options: Literal["text"] | KVTextOptions | None = None, /,
        *, type: Literal["text"] | None = None, cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> KVGetWithMetadataResult[str, Any]: ...  # fmt: skip

    @overload
    async def __call__(
        self, key: str, options: Literal["json"] | KVJsonOptions, /
    ) -> KVGetWithMetadataResult[Any, Any]: ...

    @overload
    async def __call__(
        self, key: str, options: KVGetOptions | None = None, /,
        *, type: Literal["json"], cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> KVGetWithMetadataResult[Any, Any]: ...  # fmt: skip

    @overload
    async def __call__(
        self, key: str, options: Literal["arrayBuffer"] | KVBytesOptions, /
    ) -> KVGetWithMetadataResult[bytes, Any]: ...

    @overload
    async def __call__(
        self, key: str, options: KVGetOptions | None = None, /,
        *, type: Literal["arrayBuffer"], cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> KVGetWithMetadataResult[bytes, Any]: ...  # fmt: skip

    @overload
    async def __call__(
        self, key: str, options: Literal["stream"] | KVStreamOptions, /
    ) -> KVGetWithMetadataResult[ReadableStream, Any]: ...

    @overload
    async def __call__(
        self, key: str, options: KVGetOptions | None = None, /,
        *, type: Literal["stream"], cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> KVGetWithMetadataResult[ReadableStream, Any]: ...  # fmt: skip

    @overload
    async def __call__(
        self, keys: Keys, options: Literal["text"] | KVTextOptions | None = None, /,
        *, type: Literal["text"] | None = None, cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> dict[str, KVValueWithMetadata[str, Any] | None]: ...  # fmt: skip

    @overload
    async def __call__(
        self, keys: Keys, options: Literal["json"] | KVJsonOptions, /
    ) -> dict[str, KVValueWithMetadata[Any, Any] | None]: ...

    @overload
    async def __call__(
        self, keys: Keys, options: KVGetOptions | None = None, /,
        *, type: Literal["json"], cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> dict[str, KVValueWithMetadata[Any, Any] | None]: ...  # fmt: skip


class KVNamespace(Protocol):
    """A KV namespace: `env.MY_KV`."""

    @overload
    async def get(
        self, key: str, options: Literal["text"] | KVTextOptions | None = None, /,
        *, type: Literal["text"] | None = None, cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> str | None: ...  # fmt: skip

    @overload
    async def get(self, key: str, options: Literal["json"] | KVJsonOptions, /) -> Any: ...

    @overload
    async def get(
        self, key: str, options: KVGetOptions | None = None, /,
        *, type: Literal["json"], cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> Any: ...  # fmt: skip

    @overload
    async def get(self, key: str, options: Literal["arrayBuffer"] | KVBytesOptions, /) -> bytes | None: ...

    @overload
    async def get(
        self, key: str, options: KVGetOptions | None = None, /,
        *, type: Literal["arrayBuffer"], cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> bytes | None: ...  # fmt: skip

    @overload
    async def get(self, key: str, options: Literal["stream"] | KVStreamOptions, /) -> ReadableStream | None: ...

    @overload
    async def get(
        self, key: str, options: KVGetOptions | None = None, /,
        *, type: Literal["stream"], cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> ReadableStream | None: ...  # fmt: skip

    @overload
    async def get(
        self, keys: Keys, options: Literal["text"] | KVTextOptions | None = None, /,
        *, type: Literal["text"] | None = None, cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> dict[str, str | None]: ...  # fmt: skip

    @overload
    async def get(self, keys: Keys, options: Literal["json"] | KVJsonOptions, /) -> dict[str, Any]: ...

    @overload
    async def get(
        self, keys: Keys, options: KVGetOptions | None = None, /,
        *, type: Literal["json"], cache_ttl: int = ..., cacheTtl: int = ...,  # noqa: N803
    ) -> dict[str, Any]: ...  # fmt: skip

    @property
    def get_with_metadata(self) -> KVGetWithMetadata: ...

    @property
    def getWithMetadata(self) -> KVGetWithMetadata: ...  # noqa: N802 - the platform's name

    async def put(
        self,
        key: str,
        value: KVValue,
        options: KVPutOptions | None = None,
        /,
        *,
        expiration: int | None = ...,
        expiration_ttl: int | None = ...,
        expirationTtl: int | None = ...,  # noqa: N803 - the platform's name
        metadata: Any = ...,
    ) -> None: ...

    async def delete(self, key: str, /) -> None: ...

    async def list(
        self,
        options: KVListOptions | None = None,
        /,
        *,
        prefix: str | None = ...,
        limit: int | None = ...,
        cursor: str | None = ...,
    ) -> KVListResult[Any]: ...
