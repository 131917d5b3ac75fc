"""An R2 binding."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from cfworkflows import types
from cfworkflows.errors import R2Error
from cfworkflows_bindings.forms import Form
from cfworkflows_bindings.r2.codes import (
    INTERNAL,
    INVALID_MAX_KEYS,
    LARGEST_PUT,
    LONGEST_PAGE,
    LONGEST_PAGE_WITH_METADATA,
    TOO_LARGE,
    checked_key,
    refusal,
)
from cfworkflows_bindings.r2.conditions import NONE, conditions
from cfworkflows_bindings.r2.content import digest_of, source_of
from cfworkflows_bindings.r2.metadata import fields_of, ssec_md5
from cfworkflows_bindings.r2.multipart import R2MultipartUpload
from cfworkflows_bindings.r2.objects import R2Object, R2ObjectBody
from cfworkflows_bindings.r2.ranges import range_of
from cfworkflows_bindings.r2.store import R2Store, StoredObject

_OF_AN_OBJECT = ("httpMetadata", "customMetadata", "storageClass", "ssecKey")
_GET = Form("onlyIf", "range", "ssecKey")
_PUT = Form("onlyIf", *_OF_AN_OBJECT, "md5", "sha1", "sha256", "sha384", "sha512")
_UPLOAD = Form(*_OF_AN_OBJECT)
_LIST = Form("limit", "prefix", "cursor", "delimiter", "startAfter", "include")
INCLUDABLE = ("httpMetadata", "customMetadata")


class R2Binding:
    """`env.FILES`: the objects of a bucket."""

    def __init__(self, store: R2Store, bucket: str) -> None:
        self.store = store
        """For the emulator's other ways to the bucket."""
        self._bucket = bucket

    def __repr__(self) -> str:
        return f"<R2Bucket {self._bucket}>"

    async def head(self, key: str, /) -> R2Object | None:
        """What is known of an object; None if there is none."""
        found = self.store.head(checked_key("head", key))
        return None if found is None else R2Object(found, (0, found.size))

    async def get(
        self, key: str, options: Mapping[str, Any] | None = None, /, *more: object, **keywords: Any
    ) -> Any:  # as the overloads of the promise say
        """An object with its content, or a range of it; None if there is none.

            found = await env.FILES.get("report.pdf")
            tail = await env.FILES.get("log.txt", {"range": {"suffix": 1000}})
            found = await env.FILES.get(key, only_if=request.headers, range=request.headers)

        Without a body, an R2Object, if the condition `onlyIf` does not hold. What is overwritten or deleted while it is
        read is read to its end. Raises R2Error (10039) for a range that the object does not have.
        """
        key = checked_key("get", key)
        given = _GET.read("get()", options, keywords, *more)
        condition = conditions(given.get("only_if"))
        wanted = range_of(given.get("range"))
        key_md5 = ssec_md5(given.get("ssec_key"))
        found = self.store.get(key)
        if found is None:
            return None
        stored, place = found
        if not condition.hold(stored):
            return R2Object(stored, (0, stored.size))
        _check_encryption(stored, key_md5)
        offset, length = wanted.within(stored.size)
        return R2ObjectBody(stored, (offset, length), self.store.content(place, offset, length))

    async def put(
        self, key: str, value: Any, options: Mapping[str, Any] | None = None, /, *more: object, **keywords: Any
    ) -> Any:  # as the overloads of the promise say
        """Store an object, in place of the one of that key if there is one.

            await env.FILES.put("a.txt", "text", http_metadata={"contentType": "text/plain"})
            await env.FILES.put("upload", request.body, {"customMetadata": {"by": "me"}})

        Text, bytes, a Blob, None for an empty object, or a stream of known length. It is there as a whole or not at
        all. None if the condition `onlyIf` does not hold. Raises R2Error if a checksum is another one (10037), and for
        what is too large.
        """
        key = checked_key("put", key)
        source = source_of(value, "put", "R2Bucket")
        given = _PUT.read("put()", options, keywords, *more)
        condition = conditions(given.get("only_if"))
        digest = digest_of(given)
        fields = fields_of("put", given)
        if source.length > LARGEST_PUT:
            note = f"A put takes {LARGEST_PUT} bytes at most, and this are {source.length}: use a multipart upload."
            raise refusal("put", TOO_LARGE, note)
        if condition is not NONE and not condition.hold(self.store.head(key)):
            return None
        algorithms = {"md5"} if digest is None else {"md5", digest.algorithm}
        written = await self.store.write(source.content, algorithms)
        try:
            if digest is not None:
                digest.verify(written)
            # Another one may have been faster.
            if condition is not NONE and not condition.hold(self.store.head(key)):
                self.store.discard(written)
                return None
            stored = self.store.insert(key, written, written.digests["md5"], written.digests, **fields)
        except BaseException:
            self.store.discard(written)
            raise
        return R2Object(stored)

    def fill(self, key: str, data: bytes) -> None:
        """For tests: store an object at once."""
        written = self.store.hold(data, ("md5",))
        self.store.insert(
            checked_key("put", key), written, written.digests["md5"], written.digests, **fields_of("put", {})
        )

    async def delete(self, keys: str | Iterable[str], /) -> None:
        """Delete an object, or several in one transaction. One that is not there is no error."""
        if isinstance(keys, (str, int, float)):
            self.store.delete([checked_key("delete", keys)])
            return
        if isinstance(keys, (bytes, Mapping)) or not isinstance(keys, Iterable):
            raise TypeError("Failed to execute 'delete' on 'R2Bucket': parameter 1 is not of type 'string or Array'.")
        self.store.delete([checked_key("delete", key) for key in keys])

    async def list(
        self, options: Mapping[str, Any] | None = None, /, *more: object, **keywords: Any
    ) -> types.R2Objects:
        """A page of the objects in the order of their keys: `{objects, truncated, cursor, delimitedPrefixes}`.

            page = await env.FILES.list({"prefix": "images/", "delimiter": "/"})
            if page.truncated: page = await env.FILES.list(prefix="images/", delimiter="/", cursor=page.cursor)

        Up to 1000 objects and prefixes, 100 with `include`, which asks for `httpMetadata` and `customMetadata`.
        Raises R2Error (10022) for another `limit`.
        """
        given = _LIST.read("list()", options, keywords, *more)
        include = given.get("include") or ()
        if isinstance(include, (str, bytes)):
            raise TypeError("Incorrect type for the 'include' field on 'ListOptions': it is a list of texts.")
        include = tuple(include)
        for name in include:
            if name not in INCLUDABLE:
                raise ValueError(f"Unsupported include value {name}")
        limit = LONGEST_PAGE if given.get("limit") is None else given["limit"]
        if not isinstance(limit, (int, float)) or not 1 <= limit <= LONGEST_PAGE:
            raise refusal("list", INVALID_MAX_KEYS)
        limit = min(int(limit), LONGEST_PAGE_WITH_METADATA) if include else int(limit)
        rows = self.store.rows(
            str(given.get("prefix") or ""),
            str(given.get("delimiter") or ""),
            _place(given["cursor"]) if given.get("cursor") else None,
            given.get("start_after"),
            limit,
        )
        without = tuple(name for name in INCLUDABLE if name not in include)
        page: dict[str, Any] = {
            "objects": [R2Object(each, without=without) for each in rows.objects],
            "truncated": rows.after is not None,
            "cursor": _cursor(rows.after) if rows.after is not None else None,
            "delimitedPrefixes": [*rows.prefixes],
        }
        return types.R2Objects(page)

    async def create_multipart_upload(
        self, key: str, options: Mapping[str, Any] | None = None, /, *more: object, **keywords: Any
    ) -> R2MultipartUpload:
        """Begin an upload in parts, for what is too large for one request, or comes from several."""
        key = checked_key("createMultipartUpload", key)
        given = _UPLOAD.read("createMultipartUpload()", options, keywords, *more)
        upload = self.store.create_upload(key, **fields_of("createMultipartUpload", given))
        return R2MultipartUpload(self.store, key, upload.id)

    def resume_multipart_upload(self, key: str, upload_id: str, /) -> R2MultipartUpload:
        """Go on with an upload. Whether there is one shows in the first call."""
        for position, value in ((1, key), (2, upload_id)):
            if not isinstance(value, str):
                raise TypeError(
                    f"Failed to execute 'resumeMultipartUpload' on 'R2Bucket': parameter {position} is not of type "
                    "'string'."
                )
        return R2MultipartUpload(self.store, key, upload_id)

    createMultipartUpload = create_multipart_upload  # noqa: N815 - the platform's name
    resumeMultipartUpload = resume_multipart_upload  # noqa: N815 - the platform's name


def _check_encryption(stored: StoredObject, key_md5: str | None) -> None:
    if stored.ssec_md5 != key_md5:
        raise R2Error(
            "get: The object is encrypted with a key of its owner (SSE-C): pass the same ssecKey."
            if stored.ssec_md5 is not None
            else "get: The object is not encrypted with a key of its owner (SSE-C): leave out ssecKey."
        )


def _cursor(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).decode()


def _place(cursor: object) -> str:
    try:
        return base64.urlsafe_b64decode(str(cursor)).decode()
    except ValueError:
        raise refusal("list", INTERNAL, f"The cursor is none that list() gave: {cursor!r}.") from None
