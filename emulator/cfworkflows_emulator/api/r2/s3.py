"""The API that S3 clients speak: `/cdn-cgi/local/r2/s3`, with the bucket as the first part of the path."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, unquote, urlsplit

from cfworkflows.errors import R2Error
from cfworkflows.http import Request, Response
from cfworkflows_bindings import R2Binding
from cfworkflows_emulator.api.r2 import xml
from cfworkflows_emulator.api.r2.bucket_calls import BUCKET_CALLS
from cfworkflows_emulator.api.r2.buckets import R2Buckets
from cfworkflows_emulator.api.r2.calls import S3Call
from cfworkflows_emulator.api.r2.cors import preflight, shared
from cfworkflows_emulator.api.r2.object_calls import OBJECT_CALLS
from cfworkflows_emulator.api.r2.refusals import S3Error
from cfworkflows_emulator.api.r2.signature import verified

PREFIX = "/cdn-cgi/local/r2/s3"

# What S3 has besides, each asked for by a parameter of that name.
NOT_SUPPORTED = frozenset(
    [
        "accelerate",
        "acl",
        "analytics",
        "attributes",
        "encryption",
        "intelligent-tiering",
        "inventory",
        "legal-hold",
        "lifecycle",
        "logging",
        "metrics",
        "notification",
        "object-lock",
        "ownershipControls",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "replication",
        "requestPayment",
        "restore",
        "retention",
        "select",
        "tagging",
        "torrent",
        "versionId",
        "versioning",
        "versions",
        "website",
    ]
)

Handler = Callable[[S3Call], Awaitable[Response]]


class R2S3:
    """Answers what is signed with the credentials of this machine."""

    def __init__(self, buckets: R2Buckets) -> None:
        self._buckets = buckets

    @staticmethod
    def owns(path: str) -> bool:
        return path == PREFIX or path.startswith(f"{PREFIX}/")

    async def fetch(self, request: Request) -> Response:
        path = urlsplit(request.url).path
        name, _, key = path.removeprefix(PREFIX).lstrip("/").partition("/")
        bucket = await self._buckets.find(unquote(name)) if name else None
        rules = self._buckets.rules(bucket) if bucket is not None else []
        if request.method == "OPTIONS":
            return preflight(request, rules)
        try:
            answer = await self._answer(request, unquote(name), bucket, unquote(key))
        except S3Error as error:
            answer = error.answer(path)
        except R2Error as error:
            answer = S3Error.of(error, "uploadId=" in request.url).answer(path)
        except (TypeError, ValueError) as error:
            answer = S3Error(400, "InvalidArgument", str(error)).answer(path)
        return shared(request, answer, rules)

    async def _answer(self, request: Request, name: str, bucket: R2Binding | None, key: str) -> Response:
        signed = verified(request, self._buckets.credentials(name), self._buckets.clock.now())
        query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
        if not name:
            names = [{"Name": each, "CreationDate": xml.moment(0)} for each in self._buckets.names]
            owner = {"ID": "local", "DisplayName": "local"}
            return xml.answer("ListAllMyBucketsResult", {"Owner": owner, "Buckets": {"Bucket": names}})
        if bucket is None:
            known = ", ".join(self._buckets.names) or "none"
            raise S3Error(404, "NoSuchBucket", f"The specified bucket does not exist. There are: {known}.")
        call = S3Call(request, self._buckets, bucket, name, key, query, signed)
        unknown = sorted(query.keys() & NOT_SUPPORTED)
        if unknown:
            raise S3Error(501, "NotImplemented", f"{', '.join(unknown)} of a bucket or an object is not supported.")
        for method, wanted, handler in OBJECT_CALLS if key else BUCKET_CALLS:
            if request.method == method and all(each in query for each in wanted):
                return await handler(call)
        shown = f"{request.method} {'of an object' if key else 'of a bucket'}"
        raise S3Error(501, "NotImplemented", f"{shown} with {', '.join(query) or 'no parameters'} is not supported.")
