"""R2 buckets over HTTP: as S3 clients, as pages of any site, and as the Local Explorer see them."""

import asyncio
import hashlib
import io
import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from buckets import KEY, LARGE, PARTS, PUBLIC, S3, Files, files
from shop import BASE

__all__ = ["files"]


async def test_boto3_stores_and_reads(files: Files) -> None:
    """Objects with their metadata, ranges, copies, lists and deletions."""
    stored = await files.s3("put_object", Key=KEY, Body=b"hello", Metadata={"by": "me"}, ContentType="text/x")
    assert f'"{hashlib.md5(b"hello").hexdigest()}"' == stored["ETag"]
    await files.s3("copy_object", Key="copy", CopySource={"Bucket": "files", "Key": KEY})
    for key in (KEY, "copy"):
        got = await files.s3("get_object", Key=key)
        assert (b"hello", "text/x", {"by": "me"}) == (got["Body"].read(), got["ContentType"], got["Metadata"])
        assert 5 == (await files.s3("head_object", Key=key))["ContentLength"]
    part = await files.s3("get_object", Key=KEY, Range="bytes=1-2")
    assert (b"el", "bytes 1-2/5") == (part["Body"].read(), part["ContentRange"])
    assert "hello" == await (await files.bucket.get(KEY)).text()
    listed = await files.s3("list_objects_v2", Delimiter="/")
    assert (["copy"], ["a b/"]) == (
        [each["Key"] for each in listed["Contents"]],
        [each["Prefix"] for each in listed["CommonPrefixes"]],
    )
    first = await files.s3("list_objects_v2", MaxKeys=1)
    second = await files.s3("list_objects_v2", MaxKeys=1, ContinuationToken=first["NextContinuationToken"])
    assert [KEY, "copy"] == [each["Contents"][0]["Key"] for each in (first, second)]
    await files.s3("delete_objects", Delete={"Objects": [{"Key": KEY}, {"Key": "nope"}]})
    await files.s3("delete_object", Key="copy")
    assert 0 == (await files.s3("list_objects_v2"))["KeyCount"]


async def test_boto3_uploads_in_parts(files: Files) -> None:
    """And downloads what it uploaded."""
    await asyncio.to_thread(files.client().upload_fileobj, io.BytesIO(LARGE), "files", "large", Config=PARTS)
    assert (await files.bucket.head("large")).etag.endswith("-2")
    got = io.BytesIO()
    await asyncio.to_thread(files.client().download_fileobj, "files", "large", got)
    assert LARGE == got.getvalue()
    begun = await files.s3("create_multipart_upload", Key="b")
    upload = {"Key": "b", "UploadId": begun["UploadId"]}
    await files.s3("upload_part", PartNumber=1, Body=b"x", **upload)
    assert [1] == [each["Size"] for each in (await files.s3("list_parts", **upload))["Parts"]]
    assert ["b"] == [each["Key"] for each in (await files.s3("list_multipart_uploads"))["Uploads"]]
    await files.s3("abort_multipart_upload", **upload)
    with pytest.raises(ClientError, match="NoSuchUpload"):
        await files.s3("upload_part", PartNumber=1, Body=b"x", **upload)


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("get_object", {"Key": "nope"}, "NoSuchKey"),
        ("get_object", {"Key": "a", "Range": "bytes=9-"}, "InvalidRange"),
        ("get_object", {"Key": "a", "IfMatch": '"x"'}, "PreconditionFailed"),
        ("put_object", {"Key": "a", "Body": b"", "IfNoneMatch": "*"}, "PreconditionFailed"),
        ("put_object", {"Key": "k" * 1025, "Body": b""}, "KeyTooLongError"),
        ("put_object", {"Key": "b", "Body": b"x", "ContentMD5": b64encode(bytes(16)).decode()}, "BadDigest"),
        ("put_object", {"Key": "b", "Body": b"x", "StorageClass": "GLACIER"}, "InvalidStorageClass"),
        ("get_bucket_cors", {}, "NoSuchCORSConfiguration"),
        ("get_bucket_policy", {}, "NotImplemented"),
    ],
)
async def test_refusals_of_s3(files: Files, method: str, arguments: dict[str, Any], code: str) -> None:
    """Each has the code of S3, and changes nothing."""
    await files.bucket.put("a", "12345")
    with pytest.raises(ClientError) as caught:
        await files.s3(method, **arguments)
    assert code == caught.value.response["Error"]["Code"]
    assert ["a"] == [each.key for each in (await files.bucket.list()).objects]


@pytest.mark.parametrize(
    ("credentials", "code"), [(("other", "secret"), "InvalidAccessKeyId"), (("local", "x"), "SignatureDoesNotMatch")]
)
async def test_other_credentials_are_refused(files: Files, credentials: tuple[str, str], code: str) -> None:
    """The answer says which there are, or what was signed here."""
    with pytest.raises(ClientError) as caught:
        await asyncio.to_thread(files.client(*credentials).list_objects_v2, Bucket="files")
    error = caught.value.response["Error"]
    assert code == error["Code"]
    assert "local" in error["Message"] or error["CanonicalRequest"].startswith(f"GET\n{S3}/files\n")
    status, _, body = await files.ask("GET", f"{S3}/files")
    assert (403, True) == (status, b"<Code>AccessDenied</Code>" in body)


async def test_presigned_urls_expire_by_the_clock_of_the_project(files: Files) -> None:
    """For a PUT as for a GET."""
    for method in ("put_object", "get_object"):
        parameters = {"Params": {"Bucket": "files", "Key": KEY}, "ExpiresIn": 60}
        url = files.client().generate_presigned_url(method, **parameters)
        sent = {"data": b"signed"} if method == "put_object" else {}
        name = method[:3].upper()
        status, _, body = await files.ask(name, url, **sent)
        assert (200, b"signed" if name == "GET" else b"") == (status, body)
        assert 403 == (await files.ask("DELETE", url))[0]
        files.clock.skipped += 62_000
        status, _, body = await files.ask(name, url, **sent)
        assert (403, True) == (status, b"Request has expired" in body)
        files.clock.skipped = 0
    assert "signed" == await (await files.bucket.get(KEY)).text()


def chunked(files: Files, change: Callable[[bytes], bytes], trailer: str = "") -> tuple[dict[str, str], bytes]:
    """The headers and the body of a PUT in signed chunks, as AWS describes it."""
    request = AWSRequest("PUT", f"{files.url}{S3}/files/chunks")
    request.context["timestamp"] = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    kind = "STREAMING-UNSIGNED-PAYLOAD-TRAILER" if trailer else "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    request.headers["x-amz-content-sha256"] = kind
    request.headers["x-amz-decoded-content-length"] = "70000"
    request.headers["content-encoding"] = "aws-chunked"
    if trailer:
        request.headers["x-amz-trailer"] = "x-amz-checksum-crc32"
    auth = S3SigV4Auth(Credentials("local", "secret"), "s3", "auto")
    auth.payload = lambda request: kind
    auth.add_auth(request)
    signature = request.headers["Authorization"].rpartition("=")[2]
    body = b""
    for data in (b"a" * 65_536, b"b" * 4464, b""):
        if trailer:
            body += b"%x\r\n" % len(data) + change(data) + (b"\r\n" if data else b"")
            continue
        scope = f"{request.context['timestamp'][:8]}/auto/s3/aws4_request"
        empty, made = hashlib.sha256(b"").hexdigest(), hashlib.sha256(data).hexdigest()
        date = request.headers["X-Amz-Date"]
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{scope}\n{signature}\n{empty}\n{made}"
        signature = auth.signature(text, request)
        body += b"%x;chunk-signature=%s\r\n" % (len(data), signature.encode()) + change(data) + b"\r\n"
    return dict(request.headers.items()), body + (
        f"x-amz-checksum-crc32:{trailer}\r\n\r\n".encode() if trailer else b""
    )


WHOLE = b"a" * 65_536 + b"b" * 4464
CRC32 = b64encode(zlib.crc32(WHOLE).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("trailer", ["", CRC32], ids=["signed", "trailer"])
async def test_chunks_are_verified(files: Files, trailer: str) -> None:
    """By the signature of each, or by the checksum behind them."""
    headers, body = chunked(files, lambda data: data, trailer)
    status, _, answer = await files.ask("PUT", f"{S3}/files/chunks", headers=headers, data=body)
    assert (200, b"") == (status, answer)
    found = await files.bucket.get("chunks")
    assert (False, WHOLE) == ("contentEncoding" in found.http_metadata, await found.bytes())
    headers, body = chunked(files, lambda data: data.replace(b"b", b"c"), trailer)
    status, _, answer = await files.ask("PUT", f"{S3}/files/chunks", headers=headers, data=body)
    assert (400 if trailer else 403) == status
    assert WHOLE == await (await files.bucket.get("chunks")).bytes()


async def test_everybody_reads_a_public_bucket(files: Files) -> None:
    """GET and HEAD, with ranges and conditions; nothing is written."""
    stored = await files.bucket.put(KEY, "0123456789", http_metadata={"contentType": "text/x", "cacheControl": "x"})
    path = f"{PUBLIC}/a%20b/%C3%BC+%25.txt"
    status, headers, body = await files.ask("GET", path)
    assert (200, b"0123456789", stored.http_etag, "text/x", "x") == (
        status,
        body,
        *(headers[name] for name in ("etag", "content-type", "cache-control")),
    )
    for given, wanted in (
        ({"Range": "bytes=2-4"}, (206, b"234", "bytes 2-4/10")),
        ({"Range": "bytes=-2"}, (206, b"89", "bytes 8-9/10")),
        ({"Range": "bytes=10-"}, (416, b"", "bytes */10")),
        ({"Range": "lines=1-2"}, (200, b"0123456789", None)),
        ({"If-None-Match": stored.http_etag}, (304, b"", None)),
        ({"If-None-Match": f"W/{stored.http_etag}"}, (304, b"", None)),
        ({"If-Modified-Since": headers["last-modified"]}, (304, b"", None)),
        ({"If-Match": '"x"'}, (412, b"", None)),
        ({"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, (412, b"", None)),
        ({"If-Match": "x"}, (400, b"Invalid ETag in if-match header\n", None)),
    ):
        status, answered, body = await files.ask("GET", path, headers=given)
        assert wanted == (status, body, answered.get("content-range")), given
    status, headers, body = await files.ask("HEAD", path)
    assert (200, "10", b"") == (status, headers["content-length"], body)
    assert [404, 404, 401] == [
        (await files.ask(method, where))[0]
        for method, where in (("GET", f"{PUBLIC}/nope"), ("GET", f"{PUBLIC}x/a"), ("PUT", path))
    ]


async def test_pages_are_let_in_by_the_rules_of_the_bucket(files: Files) -> None:
    """Without a rule a page reads nothing; `Host` has to be this machine's in any case."""
    await files.bucket.put("a", "x")
    page = {"Origin": "https://a.example", "Sec-Fetch-Site": "cross-site"}
    assert "access-control-allow-origin" not in (await files.ask("GET", f"{PUBLIC}/a", headers=page))[1]
    preflight = {**page, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    assert 403 == (await files.ask("OPTIONS", f"{S3}/files/a", headers=preflight))[0]
    rule = {"AllowedOrigins": ["https://*.example"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"]}
    await files.s3("put_bucket_cors", CORSConfiguration={"CORSRules": [rule]})
    assert [rule] == (await files.s3("get_bucket_cors"))["CORSRules"]
    for path in (f"{PUBLIC}/a", f"{S3}/files/a"):
        assert page["Origin"] == (await files.ask("GET", path, headers=page))[1]["access-control-allow-origin"]
        status, headers, _ = await files.ask("OPTIONS", path, headers=preflight)
        assert (204, "GET, PUT") == (status, headers["access-control-allow-methods"])
        assert 403 == (await files.ask("GET", path, headers={"Host": "evil.example"}))[0]
    other = {"Origin": "https://b.test"}
    assert "access-control-allow-origin" not in (await files.ask("GET", f"{PUBLIC}/a", headers=other))[1]


async def test_the_explorer_has_buckets_and_objects(files: Files) -> None:
    """They are listed, stored, read and deleted."""
    objects = f"{BASE}/r2/buckets/files/objects"

    async def result(method: str, path: str, **options: Any) -> Any:
        status, _, body = await files.ask(method, path, **options)
        envelope = json.loads(body)
        return envelope["result"] if status == 200 else (status, envelope["errors"][0]["code"])

    assert {"buckets": [{"name": "files"}]} == await result("GET", f"{BASE}/r2/buckets")
    given = {"Content-Type": "text/x", "cf-r2-custom-metadata": '{"by": "me"}'}
    stored = await result("PUT", f"{objects}/a%2Fb", headers=given, data=io.BytesIO(LARGE))
    assert len(LARGE) == stored["size"]
    status, headers, body = await files.ask("GET", f"{objects}/a%2Fb")
    assert (200, "text/x", f'"{stored["etag"]}"', LARGE) == (status, headers["content-type"], headers["etag"], body)
    head = await result("GET", f"{objects}/a%2Fb", headers={"cf-metadata-only": "true"})
    assert [head] == await result("GET", objects)
    assert ({"contentType": "text/x"}, {"by": "me"}) == (head["http_metadata"], head["custom_metadata"])
    assert (404, 10007) == await result("GET", f"{objects}/nope")
    assert (400, 10022) == await result("GET", f"{objects}?per_page=0")
    assert (404, 10006) == await result("GET", f"{BASE}/r2/buckets/nope/objects")
    assert [{"key": "a/b"}, {"key": "c"}] == await result("DELETE", objects, json=["a/b", "c"])
    assert (400, 10001) == await result("DELETE", objects, json={})
    assert {"key": "c"} == await result("DELETE", f"{objects}/c")
    assert [] == await result("GET", objects)
