"""An R2 bucket, its objects, and its multipart uploads."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol, Required, TypedDict, Unpack, overload

from cfworkflows.http import Blob, Headers, ReadableStream
from cfworkflows.values import ClosedJsDict

R2Value = str | bytes | bytearray | memoryview | Blob | ReadableStream | None
"""What can be stored. A stream has a known length: the body of a request or response, or of a FixedLengthStream."""

R2StorageClass = Literal["Standard", "InfrequentAccess"]


class R2Range(TypedDict, total=False):
    """Which bytes are read: from `offset` on, `length` of them, or the last `suffix`."""

    offset: int
    length: int
    suffix: int


class R2Conditional(TypedDict, total=False):
    """What has to be true of the object as it is. An ETag is written without quotes, `*` is any."""

    etagMatches: str
    etagDoesNotMatch: str
    uploadedBefore: datetime
    uploadedAfter: datetime
    secondsGranularity: bool
    etag_matches: str
    etag_does_not_match: str
    uploaded_before: datetime
    uploaded_after: datetime
    seconds_granularity: bool


class R2HTTPMetadata(TypedDict, total=False):
    """The headers that an object is served with."""

    contentType: str
    contentLanguage: str
    contentDisposition: str
    contentEncoding: str
    cacheControl: str
    cacheExpiry: datetime
    content_type: str
    content_language: str
    content_disposition: str
    content_encoding: str
    cache_control: str
    cache_expiry: datetime


class R2GetOptions(TypedDict, total=False):
    """The options of `get`, without a condition."""

    range: R2Range | Headers
    ssecKey: str | bytes
    ssec_key: str | bytes


class R2ConditionalGetOptions(R2GetOptions):
    """The options of `get` with a condition: if it does not hold, the result is an R2Object without a body."""

    onlyIf: Required[R2Conditional | Headers]


class R2ConditionalGetKeywords(R2GetOptions):
    """The same as keywords."""

    only_if: Required[R2Conditional | Headers]


class R2MultipartOptions(TypedDict, total=False):
    """The options of `create_multipart_upload`."""

    httpMetadata: R2HTTPMetadata | Headers
    customMetadata: Mapping[str, str]
    storageClass: R2StorageClass
    ssecKey: str | bytes
    http_metadata: R2HTTPMetadata | Headers
    custom_metadata: Mapping[str, str]
    storage_class: R2StorageClass
    ssec_key: str | bytes


class R2PutOptions(R2MultipartOptions, total=False):
    """The options of `put`, without a condition. A checksum is hexadecimal or bytes, and there is one at most."""

    md5: str | bytes
    sha1: str | bytes
    sha256: str | bytes
    sha384: str | bytes
    sha512: str | bytes


class R2ConditionalPutOptions(R2PutOptions):
    """The options of `put` with a condition: if it does not hold, nothing is stored and the result is None."""

    onlyIf: Required[R2Conditional | Headers]


class R2ConditionalPutKeywords(R2PutOptions):
    """The same as keywords."""

    only_if: Required[R2Conditional | Headers]


class R2ListOptions(TypedDict, total=False):
    """The options of `list`."""

    limit: int
    prefix: str
    cursor: str
    delimiter: str
    startAfter: str
    start_after: str
    include: Iterable[Literal["httpMetadata", "customMetadata"]]


class R2UploadPartOptions(TypedDict, total=False):
    """The options of `upload_part`."""

    ssecKey: str | bytes
    ssec_key: str | bytes


class R2UploadedPart(ClosedJsDict):
    """A part that was uploaded: `complete` takes a list of them."""

    partNumber: int  # noqa: N815 - the platform's name
    etag: str


class R2Checksums(Protocol):
    """The checksums of an object as bytes, None for those that are not known."""

    @property
    def md5(self) -> bytes | None: ...

    @property
    def sha1(self) -> bytes | None: ...

    @property
    def sha256(self) -> bytes | None: ...

    @property
    def sha384(self) -> bytes | None: ...

    @property
    def sha512(self) -> bytes | None: ...

    def to_json(self) -> dict[str, str]: ...

    def toJSON(self) -> dict[str, str]: ...  # noqa: N802 - the platform's name


class R2Object(Protocol):
    """What is known of an object. Every name is an attribute and a key: `found.etag`, `found["etag"]`."""

    @property
    def key(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str: ...

    @property
    def http_etag(self) -> str: ...

    @property
    def httpEtag(self) -> str: ...  # noqa: N802 - the platform's name

    @property
    def checksums(self) -> R2Checksums: ...

    @property
    def uploaded(self) -> datetime: ...

    @property
    def http_metadata(self) -> Any: ...

    @property
    def httpMetadata(self) -> Any: ...  # noqa: N802 - the platform's name

    @property
    def custom_metadata(self) -> dict[str, str]: ...

    @property
    def customMetadata(self) -> dict[str, str]: ...  # noqa: N802 - the platform's name

    @property
    def range(self) -> Any: ...

    @property
    def body(self) -> ReadableStream | None: ...

    @property
    def storage_class(self) -> str: ...

    @property
    def storageClass(self) -> str: ...  # noqa: N802 - the platform's name

    @property
    def ssec_key_md5(self) -> str | None: ...

    @property
    def ssecKeyMd5(self) -> str | None: ...  # noqa: N802 - the platform's name

    def write_http_metadata(self, headers: Headers, /) -> None: ...

    def writeHttpMetadata(self, headers: Headers, /) -> None: ...  # noqa: N802 - the platform's name

    def __getitem__(self, name: str, /) -> Any: ...

    def __contains__(self, name: object, /) -> bool: ...


class R2ObjectBody(R2Object, Protocol):
    """An object with its content, which is read once."""

    @property
    def body(self) -> ReadableStream: ...

    @property
    def body_used(self) -> bool: ...

    @property
    def bodyUsed(self) -> bool: ...  # noqa: N802 - the platform's name

    async def array_buffer(self) -> bytes: ...

    async def arrayBuffer(self) -> bytes: ...  # noqa: N802 - the platform's name

    async def bytes(self) -> bytes: ...

    async def text(self) -> str: ...

    async def json(self) -> Any: ...

    async def blob(self) -> Blob: ...


class R2Objects(ClosedJsDict):
    """A page of a list. `cursor` leads to the next one, and is there if it is `truncated`."""

    objects: list[R2Object]
    truncated: bool
    cursor: str | None
    delimitedPrefixes: "list[str]"  # noqa: N815 - the platform's name


class R2MultipartUpload(Protocol):
    """An upload in parts, which others can go on with by its id."""

    @property
    def key(self) -> str: ...

    @property
    def upload_id(self) -> str: ...

    @property
    def uploadId(self) -> str: ...  # noqa: N802 - the platform's name

    async def upload_part(
        self,
        part_number: int,
        value: R2Value,
        options: R2UploadPartOptions | None = None,
        /,
        **keywords: Unpack[R2UploadPartOptions],
    ) -> R2UploadedPart: ...

    async def uploadPart(  # noqa: N802 - the platform's name
        self,
        part_number: int,
        value: R2Value,
        options: R2UploadPartOptions | None = None,
        /,
        **keywords: Unpack[R2UploadPartOptions],
    ) -> R2UploadedPart: ...

    async def abort(self) -> None: ...

    async def complete(self, uploaded_parts: "Iterable[R2UploadedPart | Mapping[str, Any]]", /) -> R2Object: ...


class R2Bucket(Protocol):
    """`env.FILES`: an R2 bucket."""

    async def head(self, key: str, /) -> R2Object | None: ...

    @overload
    async def get(  # type: ignore[overload-overlap]  # a condition is one option more, and makes one result more
        self, key: str, options: R2ConditionalGetOptions, /
    ) -> R2ObjectBody | R2Object | None: ...

    @overload
    async def get(
        self, key: str, /, **keywords: Unpack[R2ConditionalGetKeywords]
    ) -> R2ObjectBody | R2Object | None: ...

    @overload
    async def get(
        self, key: str, options: R2GetOptions | None = None, /, **keywords: Unpack[R2GetOptions]
    ) -> R2ObjectBody | None: ...

    @overload
    async def put(  # type: ignore[overload-overlap]  # as above
        self, key: str, value: R2Value, options: R2ConditionalPutOptions, /
    ) -> R2Object | None: ...

    @overload
    async def put(
        self, key: str, value: R2Value, /, **keywords: Unpack[R2ConditionalPutKeywords]
    ) -> R2Object | None: ...

    @overload
    async def put(
        self, key: str, value: R2Value, options: R2PutOptions | None = None, /, **keywords: Unpack[R2PutOptions]
    ) -> R2Object: ...

    async def delete(self, keys: str | Iterable[str], /) -> None: ...

    async def list(self, options: R2ListOptions | None = None, /, **keywords: Unpack[R2ListOptions]) -> R2Objects: ...

    async def create_multipart_upload(
        self, key: str, options: R2MultipartOptions | None = None, /, **keywords: Unpack[R2MultipartOptions]
    ) -> R2MultipartUpload: ...

    async def createMultipartUpload(  # noqa: N802 - the platform's name
        self, key: str, options: R2MultipartOptions | None = None, /, **keywords: Unpack[R2MultipartOptions]
    ) -> R2MultipartUpload: ...

    def resume_multipart_upload(self, key: str, upload_id: str, /) -> R2MultipartUpload: ...

    def resumeMultipartUpload(self, key: str, upload_id: str, /) -> R2MultipartUpload: ...  # noqa: N802 - as above
