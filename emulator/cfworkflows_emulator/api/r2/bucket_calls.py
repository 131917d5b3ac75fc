"""What an S3 client does with a bucket: lists, deletions of many objects, and its CORS rules."""

import base64
from typing import Any
from urllib.parse import quote

from cfworkflows.errors import R2Error
from cfworkflows.http import Response
from cfworkflows_bindings import R2Object
from cfworkflows_emulator.api.r2 import xml
from cfworkflows_emulator.api.r2.calls import S3Call
from cfworkflows_emulator.api.r2.cors import Rule
from cfworkflows_emulator.api.r2.refusals import S3Error

_STORAGE_CLASSES = {"Standard": "STANDARD", "InfrequentAccess": "STANDARD_IA"}
MOST_DELETED = 1000
METHODS = {"GET", "PUT", "HEAD", "POST", "DELETE"}


async def head(call: S3Call) -> Response:
    """HeadBucket."""
    return Response(None, {"headers": {"x-amz-bucket-region": "auto"}})


async def location(call: S3Call) -> Response:
    """GetBucketLocation."""
    return xml.answer("LocationConstraint", {})


async def list_objects(call: S3Call) -> Response:
    """ListObjectsV2, and ListObjects for clients of old."""
    query = call.query
    is_second = query.get("list-type") == "2"
    limit = _limit(query)
    given: dict[str, Any] = {"prefix": query.get("prefix", ""), "delimiter": query.get("delimiter", "")}
    if is_second:
        given |= {"cursor": query.get("continuation-token"), "startAfter": query.get("start-after")}
    else:
        given["startAfter"] = query.get("marker")
        if given["delimiter"] and (marker := query.get("marker", "")).endswith(given["delimiter"]):
            given["cursor"] = base64.urlsafe_b64encode(f"p{marker}".encode()).decode()
    page = await call.bucket.list({**given, "limit": limit or 1})
    objects = page["objects"] if limit else []
    encode = quote if query.get("encoding-type") == "url" else str
    content: dict[str, Any] = {
        "Name": call.name,
        "Prefix": encode(given["prefix"]),
        "MaxKeys": limit,
        "IsTruncated": page["truncated"] and limit > 0,
        "Delimiter": encode(given["delimiter"]) if given["delimiter"] else None,
        "EncodingType": query.get("encoding-type"),
        "Contents": [_described(each, encode) for each in objects],
        "CommonPrefixes": [{"Prefix": encode(each)} for each in page["delimitedPrefixes"]] if limit else [],
    }
    if is_second:
        content["KeyCount"] = len(content["Contents"]) + len(content["CommonPrefixes"])
        content["ContinuationToken"] = query.get("continuation-token")
        content["NextContinuationToken"] = page["cursor"]
        content["StartAfter"] = encode(query["start-after"]) if "start-after" in query else None
    else:
        content["Marker"] = encode(query.get("marker", ""))
        if page["truncated"]:
            last = [each.key for each in objects[-1:]] + page["delimitedPrefixes"][-1:]
            content["NextMarker"] = encode(max(last))
    return xml.answer("ListBucketResult", content)


def _limit(query: dict[str, str]) -> int:
    try:
        limit = int(query.get("max-keys", "1000"))
    except ValueError:
        limit = -1
    if limit < 0:
        raise S3Error(400, "InvalidArgument", "max-keys is a number, 0 or more.")
    return min(limit, 1000)


def _described(found: R2Object, encode: Any) -> dict[str, Any]:
    stored = found.stored
    return {
        "Key": encode(stored.key),
        "LastModified": xml.moment(stored.uploaded),
        "ETag": f'"{stored.etag}"',
        "Size": stored.size,
        "StorageClass": _STORAGE_CLASSES[stored.storage_class],
    }


async def list_uploads(call: S3Call) -> Response:
    """ListMultipartUploads."""
    uploads = [
        {"Key": each.key, "UploadId": each.id, "Initiated": xml.moment(each.created)}
        for each in call.bucket.store.uploads(call.query.get("prefix", ""))
    ]
    return xml.answer("ListMultipartUploadsResult", {"Bucket": call.name, "IsTruncated": False, "Upload": uploads})


async def delete_objects(call: S3Call) -> Response:
    """DeleteObjects."""
    root = await xml.read(call.request, call.signed)
    keys = [each.findtext("Key", "") for each in root.findall("Object")]
    if not 0 < len(keys) <= MOST_DELETED:
        raise S3Error(400, "MalformedXML", f"Between 1 and {MOST_DELETED} objects can be deleted at once.")
    deleted, errors = [], []
    for key in keys:
        try:
            await call.bucket.delete(key)
            deleted.append({"Key": key})
        except R2Error as error:
            refused = S3Error.of(error)
            errors.append({"Key": key, "Code": refused.code, "Message": str(refused)})
    if root.findtext("Quiet", "").lower() == "true":
        deleted = []
    return xml.answer("DeleteResult", {"Deleted": deleted, "Error": errors})


async def get_cors(call: S3Call) -> Response:
    """GetBucketCors."""
    rules = call.buckets.rules(call.bucket)
    if not rules:
        raise S3Error(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
    described = [
        {
            "AllowedOrigin": rule.origins,
            "AllowedMethod": rule.methods,
            "AllowedHeader": rule.headers,
            "ExposeHeader": rule.exposed,
            "MaxAgeSeconds": rule.max_age_s,
        }
        for rule in rules
    ]
    return xml.answer("CORSConfiguration", {"CORSRule": described})


async def put_cors(call: S3Call) -> Response:
    """PutBucketCors."""
    root = await xml.read(call.request, call.signed)

    def texts(element: Any, name: str) -> tuple[str, ...]:
        return tuple(each.text or "" for each in element.findall(name))

    rules = []
    for element in root.findall("CORSRule"):
        age = element.findtext("MaxAgeSeconds")
        rule = Rule(
            texts(element, "AllowedOrigin"),
            texts(element, "AllowedMethod"),
            texts(element, "AllowedHeader"),
            texts(element, "ExposeHeader"),
            _age(age) if age else None,
        )
        if not rule.origins or not rule.methods:
            raise S3Error(400, "MalformedXML", "A rule has an AllowedOrigin and an AllowedMethod.")
        if unknown := sorted(set(rule.methods) - METHODS):
            raise S3Error(400, "InvalidRequest", f"Found unsupported HTTP method in CORS config: {unknown[0]}")
        rules.append(rule)
    call.buckets.set_rules(call.bucket, rules)
    return Response(None)


def _age(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise S3Error(400, "MalformedXML", f"MaxAgeSeconds is a number of seconds, not {text[:40]!r}.")
    return int(text)


async def delete_cors(call: S3Call) -> Response:
    """DeleteBucketCors."""
    call.buckets.set_rules(call.bucket, [])
    return Response(None, {"status": 204})


BUCKET_CALLS = (
    ("HEAD", (), head),
    ("GET", ("location",), location),
    ("GET", ("uploads",), list_uploads),
    ("GET", ("cors",), get_cors),
    ("PUT", ("cors",), put_cors),
    ("DELETE", ("cors",), delete_cors),
    ("GET", (), list_objects),
    ("POST", ("delete",), delete_objects),
)
"""Method, parameters that are there, and what answers: the first one that fits."""
