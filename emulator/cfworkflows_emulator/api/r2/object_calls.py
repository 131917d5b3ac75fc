"""What an S3 client does with objects, and with uploads in parts."""

import re
from typing import Any

from cfworkflows.http import Headers, Response
from cfworkflows_bindings import R2MultipartUpload, R2Object, R2ObjectBody
from cfworkflows_bindings.r2.codes import MESSAGES, NO_SUCH_KEY
from cfworkflows_bindings.r2.metadata import header_pairs
from cfworkflows_emulator.api.r2 import xml
from cfworkflows_emulator.api.r2.calls import S3Call
from cfworkflows_emulator.api.r2.payload import Payload, content_md5
from cfworkflows_emulator.api.r2.refusals import S3Error
from cfworkflows_emulator.api.r2.serving import served

# The headers of an answer that a request may name, as `response-…`.
_RESPONSE = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_IF = {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since"}


async def get(call: S3Call) -> Response:
    """GetObject and HeadObject."""
    answer = await served(call.bucket, call.key, call.request)
    if answer is None:
        raise S3Error(404, "NoSuchKey", MESSAGES[NO_SUCH_KEY])
    if answer.status == 412:
        raise S3Error(412, "PreconditionFailed", "At least one of the preconditions you specified did not hold.")
    if answer.status == 416:
        raise S3Error(416, "InvalidRange", "The requested range is not satisfiable")
    found = await call.bucket.head(call.key)
    if found is not None:
        for name, value in found.stored.custom.items():
            if value.isascii() and value.isprintable() and _NAME.fullmatch(name):
                answer.headers.set(f"x-amz-meta-{name}", value)
    for name in _RESPONSE:
        if f"response-{name}" in call.query:
            answer.headers.set(name, call.query[f"response-{name}"])
    return answer


async def put(call: S3Call) -> Response:
    """PutObject and CopyObject."""
    source = await call.source()
    if source is not None:
        return await _copy(call, *source)
    options = call.metadata()
    condition = Headers({name: call.headers[name] for name in _IF if name in call.headers})
    if len(condition):
        options["onlyIf"] = condition
    if (md5 := content_md5(call.request)) is not None:
        options["md5"] = md5
    stored = await call.bucket.put(call.key, Payload(call.request, call.signed).stream(), options)
    if stored is None:
        raise S3Error(412, "PreconditionFailed", "At least one of the preconditions you specified did not hold.")
    return Response(None, {"headers": {"etag": stored.http_etag}})


async def _copy(call: S3Call, bucket: Any, key: str) -> Response:
    directive = call.headers.get("x-amz-metadata-directive") or "COPY"
    if directive not in ("COPY", "REPLACE"):
        raise S3Error(400, "InvalidArgument", f"x-amz-metadata-directive is COPY or REPLACE, not {directive[:40]!r}.")
    found = await _source(call, bucket, key, {})
    options = call.metadata()
    if directive == "COPY":
        options |= {"httpMetadata": Headers(header_pairs(found.stored.http)), "customMetadata": found.stored.custom}
        options.setdefault("storageClass", found.storage_class)
    stored: R2Object = await call.bucket.put(call.key, found.body, options)
    about = {"ETag": stored.http_etag, "LastModified": xml.moment(stored.stored.uploaded)}
    return xml.answer("CopyObjectResult", about)


async def _source(call: S3Call, bucket: Any, key: str, options: dict[str, Any]) -> R2ObjectBody:
    """The object that is to be copied. Raises S3Error if there is none, or a condition for it does not hold."""
    prefix = "x-amz-copy-source-"
    condition = Headers({name: value for name in _IF if (value := call.headers.get(prefix + name)) is not None})
    found = await bucket.get(key, {**options, "onlyIf": condition})
    if found is None:
        raise S3Error(404, "NoSuchKey", f"There is no {key!r} to copy.")
    if not isinstance(found, R2ObjectBody):
        raise S3Error(412, "PreconditionFailed", "At least one of the preconditions you specified did not hold.")
    return found


async def delete(call: S3Call) -> Response:
    """DeleteObject."""
    await call.bucket.delete(call.key)
    return Response(None, {"status": 204})


async def create_upload(call: S3Call) -> Response:
    """CreateMultipartUpload."""
    upload = await call.bucket.create_multipart_upload(call.key, call.metadata())
    about = {"Bucket": call.name, "Key": call.key, "UploadId": upload.upload_id}
    return xml.answer("InitiateMultipartUploadResult", about)


def _upload(call: S3Call) -> R2MultipartUpload:
    return call.bucket.resume_multipart_upload(call.key, call.query["uploadId"])


async def upload_part(call: S3Call) -> Response:
    """UploadPart and UploadPartCopy."""
    source = await call.source()
    number: Any = call.query["partNumber"]
    if source is not None:
        bucket, key = source
        wanted = call.headers.get("x-amz-copy-source-range")
        found = await _source(call, bucket, key, {"range": Headers({"range": wanted})} if wanted else {})
        part = await _upload(call).upload_part(number, found.body)
        about = {"ETag": f'"{part["etag"]}"', "LastModified": xml.moment(call.buckets.clock.now())}
        return xml.answer("CopyPartResult", about)
    part = await _upload(call).upload_part(number, Payload(call.request, call.signed).stream())
    return Response(None, {"headers": {"etag": f'"{part["etag"]}"'}})


async def complete(call: S3Call) -> Response:
    """CompleteMultipartUpload."""
    root = await xml.read(call.request, call.signed)
    parts = [
        {"partNumber": part.findtext("PartNumber", ""), "etag": part.findtext("ETag", "").strip().strip('"')}
        for part in root.findall("Part")
    ]
    if not parts:
        raise S3Error(400, "MalformedXML", "An upload is completed with one part or more.")
    numbers = [part["partNumber"] for part in parts]
    if len(set(numbers)) < len(numbers):
        raise S3Error(400, "InvalidPartOrder", "A part is there twice.")
    stored = await _upload(call).complete(parts)
    about = {"Bucket": call.name, "Key": call.key, "ETag": stored.http_etag}
    return xml.answer("CompleteMultipartUploadResult", about)


async def abort(call: S3Call) -> Response:
    """AbortMultipartUpload."""
    await _upload(call).abort()
    return Response(None, {"status": 204})


async def list_parts(call: S3Call) -> Response:
    """ListParts."""
    upload = call.bucket.store.upload(call.query["uploadId"])
    if upload is None or upload.key != call.key or upload.state != "open":
        raise S3Error(404, "NoSuchUpload", "The specified multipart upload does not exist.")
    parts = [
        {
            "PartNumber": part.number,
            "LastModified": xml.moment(part.uploaded),
            "ETag": f'"{part.etag}"',
            "Size": part.size,
        }
        for part in call.bucket.store.parts(upload.id).values()
    ]
    about = {"Bucket": call.name, "Key": call.key, "UploadId": upload.id, "IsTruncated": False, "Part": parts}
    return xml.answer("ListPartsResult", about)


OBJECT_CALLS = (
    ("GET", ("uploadId",), list_parts),
    ("PUT", ("partNumber", "uploadId"), upload_part),
    ("POST", ("uploads",), create_upload),
    ("POST", ("uploadId",), complete),
    ("DELETE", ("uploadId",), abort),
    ("GET", (), get),
    ("HEAD", (), get),
    ("PUT", (), put),
    ("DELETE", (), delete),
)
"""Method, parameters that are there, and what answers: the first one that fits."""
