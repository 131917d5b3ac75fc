"""What `head`, `get`, `put` and `list` give: an R2Object, with its content where that was asked for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cfworkflows.http import Blob, Headers, ReadableStream, Response
from cfworkflows.values import JsDict
from cfworkflows_bindings.r2.content import ALGORITHMS
from cfworkflows_bindings.r2.metadata import header_pairs, shown_metadata
from cfworkflows_bindings.r2.store import Content, StoredObject

Bytes = bytes  # inside the class, `bytes` is the method

USED = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice."


class R2Checksums:
    """The checksums of an object as bytes, None for those that are not known. `to_json()` has them in hexadecimal."""

    __slots__ = ("_known",)

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    @property
    def md5(self) -> bytes | None:
        return self._bytes("md5")

    @property
    def sha1(self) -> bytes | None:
        return self._bytes("sha1")

    @property
    def sha256(self) -> bytes | None:
        return self._bytes("sha256")

    @property
    def sha384(self) -> bytes | None:
        return self._bytes("sha384")

    @property
    def sha512(self) -> bytes | None:
        return self._bytes("sha512")

    def __getitem__(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise KeyError(name)
        return getattr(self, name)

    def _bytes(self, name: str) -> bytes | None:
        return Bytes.fromhex(self._known[name]) if name in self._known else None

    def to_json(self) -> dict[str, str]:
        """Those that are known, in hexadecimal."""
        return JsDict(self._known)

    def __repr__(self) -> str:
        return f"R2Checksums({dict(self._known)!r})"

    toJSON = to_json  # noqa: N815 - the platform's name


class R2Object:
    """What is known of an object. Every name is an attribute and a key: `found.etag`, `found["etag"]`.

    Of a list that did not `include` them, objects have empty metadata.
    """

    def __init__(
        self, stored: StoredObject, part: tuple[int, int] | None = None, without: tuple[str, ...] = ()
    ) -> None:
        self.stored = stored
        self._range = part
        self._without = without

    @property
    def key(self) -> str:
        return self.stored.key

    @property
    def version(self) -> str:
        """Another one whenever the key is written."""
        return self.stored.version

    @property
    def size(self) -> int:
        """Of the whole object, in bytes."""
        return self.stored.size

    @property
    def etag(self) -> str:
        return self.stored.etag

    @property
    def http_etag(self) -> str:
        """The ETag as a header has it, in quotes."""
        return f'"{self.stored.etag}"'

    @property
    def checksums(self) -> R2Checksums:
        return R2Checksums(self.stored.checksums)

    @property
    def uploaded(self) -> datetime:
        return datetime.fromtimestamp(self.stored.uploaded / 1000, UTC)

    @property
    def http_metadata(self) -> JsDict:
        return JsDict() if "httpMetadata" in self._without else shown_metadata(self.stored.http)

    @property
    def custom_metadata(self) -> JsDict:
        return JsDict() if "customMetadata" in self._without else JsDict(self.stored.custom)

    @property
    def range(self) -> JsDict | None:
        """The part that was read, `{offset, length}`; None for what was not read."""
        return None if self._range is None else JsDict(offset=self._range[0], length=self._range[1])

    @property
    def storage_class(self) -> str:
        return self.stored.storage_class

    @property
    def ssec_key_md5(self) -> str | None:
        return self.stored.ssec_md5

    @property
    def body(self) -> ReadableStream | None:
        """None: only what `get` gives has a body, and that only if its condition holds."""
        return None

    def write_http_metadata(self, headers: Any, /) -> None:
        """Set the headers that the object is to be served with."""
        if not isinstance(headers, Headers):
            kind = type(self).__name__.replace("R2Object", "HeadResult", 1).replace("HeadResultBody", "GetResult")
            raise TypeError(f"Failed to execute 'writeHttpMetadata' on '{kind}': parameter 1 is not of type 'Headers'.")
        if "httpMetadata" in self._without:
            raise TypeError(
                f"HTTP metadata unknown for key `{self.key}`. Did you forget to add 'httpMetadata' to `include` when "
                "listing?"
            )
        for name, value in header_pairs(self.stored.http):
            headers.set(name, value)

    def __getitem__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(type(self), name):
            raise KeyError(name)
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a field: `"body" in found`."""
        return isinstance(name, str) and not name.startswith("_") and getattr(self, name, None) is not None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key!r} {self.size} bytes>"

    httpEtag = http_etag  # noqa: N815 - the platform's name
    httpMetadata = http_metadata  # noqa: N815 - the platform's name
    customMetadata = custom_metadata  # noqa: N815 - the platform's name
    storageClass = storage_class  # noqa: N815 - the platform's name
    ssecKeyMd5 = ssec_key_md5  # noqa: N815 - the platform's name
    writeHttpMetadata = write_http_metadata  # noqa: N815 - the platform's name


class R2ObjectBody(R2Object):
    """An object with its content, or a range of it, which is read once."""

    def __init__(self, stored: StoredObject, part: tuple[int, int], content: Content) -> None:
        super().__init__(stored, part)
        self._content: Content | None = content
        self._body: ReadableStream | None = None
        self._used = False

    @property
    def body(self) -> ReadableStream:
        """The content as a stream of known length: `Response(found.body)`, `put("copy", found.body)`."""
        if self._body is None:
            content, self._content = self._content, None
            self._body = ReadableStream(content if content is not None else b"")
            if self._used:
                self._body._take_whole()
        return self._body

    @property
    def body_used(self) -> bool:
        return self._used if self._body is None else self._body.disturbed

    async def array_buffer(self) -> Bytes:
        """The same as `bytes()`: Python's form of an ArrayBuffer."""
        return await self._read()

    async def bytes(self) -> Bytes:
        return await self._read()

    async def text(self) -> str:
        """The content as text: UTF-8 without its byte order mark, with U+FFFD where it is not UTF-8."""
        return (await self._read()).decode("utf-8", "replace").removeprefix("\ufeff")

    async def json(self) -> Any:
        """The content parsed as JSON, its objects as JsDict. JSONDecodeError for what is none."""
        return await Response(await self._read()).json()

    async def blob(self) -> Blob:
        """The content as a Blob of the type that the metadata says."""
        return Blob(await self._read(), type=self.stored.http.get("contentType"))

    async def _read(self) -> Bytes:
        if self._body is not None:
            return await Response(self._body).bytes()
        if self._used:
            raise TypeError(USED)
        self._used = True
        content, self._content = self._content, None
        assert content is not None
        return await content.read_all()

    bodyUsed = body_used  # noqa: N815 - the platform's name
    arrayBuffer = array_buffer  # noqa: N815 - the platform's name
