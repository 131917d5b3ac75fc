"""Multipart uploads: parts of one object, which become it when all are there."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from cfworkflows import types
from cfworkflows_bindings.forms import Form
from cfworkflows_bindings.r2.codes import (
    BAD_UPLOAD,
    INTERNAL,
    INVALID_PART,
    LARGEST_OBJECT,
    LARGEST_PUT,
    MOST_PARTS,
    NO_SUCH_UPLOAD,
    SMALLEST_PART,
    TOO_LARGE,
    TOO_SMALL,
    refusal,
)
from cfworkflows_bindings.r2.content import source_of
from cfworkflows_bindings.r2.metadata import ssec_md5
from cfworkflows_bindings.r2.objects import R2Object
from cfworkflows_bindings.r2.store import Part, R2Store, Upload

UPLOAD_PART, COMPLETE, ABORT = "uploadPart", "completeMultipartUpload", "abortMultipartUpload"

_OPTIONS = Form("ssecKey")


class R2MultipartUpload:
    """An upload in parts. Another request, or a later run, goes on with it: `resume_multipart_upload(key, upload_id)`.

    All parts but the last are of one size, 5 MiB or more.
    """

    def __init__(self, store: R2Store, key: str, upload_id: str) -> None:
        self._store = store
        self._key = key
        self._id = upload_id

    @property
    def key(self) -> str:
        return self._key

    @property
    def upload_id(self) -> str:
        return self._id

    async def upload_part(
        self, part_number: int, value: Any, options: Mapping[str, Any] | None = None, /, *more: object, **keywords: Any
    ) -> types.R2UploadedPart:
        """Upload a part, 1 to 10,000. One of a number that is there replaces it.

        Raises R2Error (10024) if the upload is unknown, complete or aborted, and for a key of SSE-C that is not the
        upload's.
        """
        number = _part_number(part_number)
        given = _OPTIONS.read("uploadPart()", options, keywords, *more)
        source = source_of(value, "uploadPart", "R2MultipartUpload")
        upload = self._open(UPLOAD_PART)
        if ssec_md5(given.get("ssec_key")) != upload.fields["ssec_md5"]:
            raise TypeError("uploadPart() takes the ssecKey that the upload was created with.")
        if source.length > LARGEST_PUT:
            raise refusal(UPLOAD_PART, TOO_LARGE)
        written = await self._store.write(source.content, ("md5",))
        try:
            self._open(UPLOAD_PART)  # it may have ended meanwhile
            part = self._store.add_part(self._id, number, written)
        except BaseException:
            self._store.discard(written)
            raise
        return types.R2UploadedPart(partNumber=number, etag=part.etag)

    async def complete(self, uploaded_parts: Iterable[Any], /) -> R2Object:
        """Make the object of these parts, `{partNumber, etag}` as `upload_part` returned them.

        Raises R2Error for a part that is not there or too small; the upload can be gone on with.
        """
        if isinstance(uploaded_parts, (str, bytes, Mapping)) or not isinstance(uploaded_parts, Iterable):
            raise TypeError("Failed to execute 'complete' on 'R2MultipartUpload': parameter 1 is not of type 'Array'.")
        asked = [_asked(part) for part in uploaded_parts]
        upload = self._found(COMPLETE)
        if upload.state != "open":
            raise refusal(COMPLETE, NO_SUCH_UPLOAD)
        numbers = [number for number, _ in asked]
        if len(set(numbers)) < len(numbers):
            raise refusal(COMPLETE, INTERNAL, "A part is there twice.")
        there = self._store.parts(self._id)
        parts = []
        for number, etag in asked:
            part = there.get(number)
            if part is None or part.etag != etag:
                raise refusal(COMPLETE, INVALID_PART, f"It is part {number}.")
            parts.append(part)
        _check_sizes(parts)
        parts.sort(key=lambda part: part.number)
        whole = hashlib.md5(b"".join(bytes.fromhex(part.md5) for part in parts), usedforsecurity=False)
        return R2Object(self._store.finish(upload, sorted(numbers), f"{whole.hexdigest()}-{len(parts)}"))

    async def abort(self) -> None:
        """Drop the upload and its parts. Raises R2Error (10001) if there never was such an upload."""
        if self._found(ABORT).state == "open":
            self._store.abort(self._id)

    def __getitem__(self, name: str) -> Any:
        if name not in ("key", "uploadId", "upload_id"):
            raise KeyError(name)
        return getattr(self, name)

    def __repr__(self) -> str:
        return f"<R2MultipartUpload of {self._key!r}>"

    def _found(self, action: str) -> Upload:
        upload = self._store.upload(self._id)
        if upload is None or upload.key != self._key:
            raise refusal(action, INTERNAL, f"There is no upload of that id for the key {self._key!r}.")
        return upload

    def _open(self, action: str) -> Upload:
        upload = self._store.upload(self._id)
        if upload is None or upload.key != self._key or upload.state != "open":
            raise refusal(action, NO_SUCH_UPLOAD)
        return upload

    uploadId = upload_id  # noqa: N815 - the platform's name
    uploadPart = upload_part  # noqa: N815 - the platform's name


def _check_sizes(parts: list[Part]) -> None:
    """Raises R2Error. That a part is too small goes by the order in which they were given, as on the platform."""
    if any(part.size < SMALLEST_PART for part in parts[:-1]):
        raise refusal(COMPLETE, TOO_SMALL, f"All parts but the last have {SMALLEST_PART} bytes or more.")
    ordered = sorted(parts, key=lambda part: part.number)
    if len({part.size for part in ordered[:-1]}) > 1 or (len(ordered) > 1 and ordered[-1].size > ordered[0].size):
        raise refusal(COMPLETE, BAD_UPLOAD, "All parts but the last are of one size, and the last is not larger.")
    if sum(part.size for part in ordered) > LARGEST_OBJECT:
        raise refusal(COMPLETE, TOO_LARGE)


def _asked(part: Any) -> tuple[int, str]:
    if not isinstance(part, Mapping):
        raise TypeError(f"A part is an object with partNumber and etag, not {part!r}.")
    number = _part_number(part.get("partNumber", part.get("part_number", 0)))
    return number, str(part.get("etag", ""))


def _part_number(value: Any) -> int:
    """As the platform takes it: a text may be a number, and what is behind the point is dropped."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0
    whole = int(number) if math.isfinite(number) else 0
    if not 1 <= whole <= MOST_PARTS:
        raise TypeError(f"Part number must be between 1 and {MOST_PARTS} (inclusive). Actual value was: {whole}")
    return whole
