"""A request of an S3 client, with its signature verified."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from cfworkflows.http import Headers, Request
from cfworkflows_bindings import R2Binding
from cfworkflows_bindings.r2.metadata import HTTP_FIELDS
from cfworkflows_emulator.api.r2.buckets import R2Buckets
from cfworkflows_emulator.api.r2.refusals import S3Error
from cfworkflows_emulator.api.r2.signature import Signed

_METADATA = "x-amz-meta-"
_STORAGE_CLASSES = {"STANDARD": "Standard", "STANDARD_IA": "InfrequentAccess"}


@dataclass(frozen=True, slots=True)
class S3Call:
    """`key` is empty for a call about the bucket."""

    request: Request
    buckets: R2Buckets
    bucket: R2Binding
    name: str
    key: str
    query: dict[str, str]
    signed: Signed

    @property
    def headers(self) -> Headers:
        return self.request.headers

    def metadata(self) -> dict[str, Any]:
        """The options of `put` that the headers state."""
        headers = self.headers
        http: dict[str, Any] = {name: headers[header] for name, header in HTTP_FIELDS.items() if header in headers}
        encoding = ",".join(
            part.strip() for part in http.get("contentEncoding", "").split(",") if part.strip() != "aws-chunked"
        )
        if encoding:
            http["contentEncoding"] = encoding
        else:
            http.pop("contentEncoding", None)
        given = Headers({header: http[name] for name, header in HTTP_FIELDS.items() if name in http})
        if "expires" in headers:
            given.set("expires", headers["expires"])
        custom = {name.removeprefix(_METADATA): value for name, value in headers.items() if name.startswith(_METADATA)}
        found: dict[str, Any] = {"httpMetadata": given, "customMetadata": custom}
        storage_class = headers.get("x-amz-storage-class")
        if storage_class is not None:
            if storage_class not in _STORAGE_CLASSES:
                raise S3Error(400, "InvalidStorageClass", "The storage class you specified is not valid.")
            found["storageClass"] = _STORAGE_CLASSES[storage_class]
        return found

    async def source(self) -> tuple[R2Binding, str] | None:
        """The bucket and the key that are to be copied; None if the request has a body of its own."""
        header = self.headers.get("x-amz-copy-source")
        if header is None:
            return None
        name, _, key = unquote(header.partition("?")[0]).lstrip("/").partition("/")
        bucket = await self.buckets.find(name)
        if bucket is None:
            raise S3Error(404, "NoSuchBucket", f"The bucket {name!r} to copy from does not exist.")
        return bucket, key
