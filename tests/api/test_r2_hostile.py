"""S3 and public reads of R2 buckets, as clients that are broken or hostile ask for them."""

import asyncio
import base64
import hashlib
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
from botocore import auth
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from buckets import PUBLIC, S3, Files, files

CREDENTIALS = Credentials("local", "secret")


__all__ = ["files"]


async def signed(
    files: Files,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    sent: bytes | None = None,
) -> tuple[int, bytes]:
    """Sign a request with `body`, and send `sent` in its place if that is given."""
    hashed = {"x-amz-content-sha256": hashlib.sha256(body).hexdigest(), **(headers or {})}
    request = AWSRequest(method, f"{files.url}{S3}{path}", headers=hashed, data=body)
    signer = S3SigV4Auth(CREDENTIALS, "s3", "auto")
    signer.payload = lambda request: hashed["x-amz-content-sha256"]
    signer.add_auth(request)
    status, _, text = await files.ask(
        method, f"{S3}{path}", headers=dict(request.headers.items()), data=body if sent is None else sent
    )
    return status, text


KEYS = [
    "k" * 1024,
    "a/..b/.c",
    "/leading",
    "a//b",
    "trailing/",
    "%2F%25",
    "a b+c&d=e?f#g",
    "é",
    "e\u0301",
    "nul\x00",
    "new\nline\r",
    "<&>\"'",
    "😀",
]


@pytest.mark.parametrize("key", KEYS)
async def test_a_key_is_kept_as_it_is(files: Files, key: str) -> None:
    """Stored, read, listed and deleted by S3, and read by everybody."""
    path = f"/files/{quote(key)}"
    assert (200, b"") == await signed(files, "PUT", path, b"x")
    assert [key] == [each.key for each in (await files.bucket.list()).objects]
    assert (200, b"x") == await signed(files, "GET", path)
    assert (200, b"x") == (await files.ask("GET", f"{PUBLIC}/{quote(key, safe='')}"))[::2]
    if "\x00" not in key:
        assert [key] == [each["Key"] for each in (await files.s3("list_objects_v2"))["Contents"]]
    assert 204 == (await signed(files, "DELETE", path))[0]
    assert [] == (await files.bucket.list()).objects


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
async def test_a_document_type_is_refused(files: Files, encoding: str) -> None:
    """In any encoding: its entities could grow without end."""
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE d [<!ENTITY a "k">]>'
    text += "<Delete><Object><Key>&a;</Key></Object></Delete>"
    await files.bucket.put("k", "x")
    status, answer = await signed(files, "POST", "/files?delete=", text.encode(encoding))
    assert (400, True) == (status, b"MalformedXML" in answer)
    assert await files.bucket.head("k") is not None


async def test_a_body_that_was_not_signed_is_refused(files: Files) -> None:
    """Also where it is a document, and where the header that says its hash is left out."""
    await files.bucket.put("k", "x")
    body = b"<Delete><Object><Key>n</Key></Object></Delete>"
    status, answer = await signed(files, "POST", "/files?delete=", body, sent=body.replace(b">n<", b">k<"))
    assert (400, True) == (status, b"XAmzContentSHA256Mismatch" in answer)
    status, answer = await signed(files, "PUT", "/files/k", b"a", sent=b"b")
    assert (400, True) == (status, b"XAmzContentSHA256Mismatch" in answer)
    assert "x" == await (await files.bucket.get("k")).text()


async def test_a_document_is_verified_by_its_md5(files: Files) -> None:
    """Content-MD5 of DeleteObjects."""
    await files.bucket.put("k", "x")
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    wrong = base64.b64encode(bytes(16)).decode()
    status, answer = await signed(files, "POST", "/files?delete=", body, {"content-md5": wrong})
    assert (400, True) == (status, b"BadDigest" in answer)


@pytest.mark.parametrize(("minutes", "status"), [(-14, 200), (14, 200), (-16, 403), (16, 403)])
async def test_a_clock_that_is_wrong_is_named(
    files: Files, monkeypatch: pytest.MonkeyPatch, minutes: int, status: int
) -> None:
    """By more than 15 minutes; the clock of a project that is ahead refuses nobody."""
    monkeypatch.setattr(auth, "get_current_datetime", lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    files.clock.skipped = 86_400_000
    found, answer = await signed(files, "GET", "/files")
    assert (status, status == 403) == (found, b"RequestTimeTooSkewed" in answer)


async def presigned(
    files: Files, path: str, method: str = "GET", expires: int = 60, headers: dict[str, str] | None = None
) -> str:
    request = AWSRequest(method, f"{files.url}{S3}{path}", headers=headers or {})
    S3SigV4QueryAuth(CREDENTIALS, "s3", "auto", expires=expires).add_auth(request)
    return str(request.url)


async def test_a_presigned_url_is_for_what_it_says(files: Files) -> None:
    """Not for another method or key; the order of its parameters does not matter."""
    await files.bucket.put("k", "x")
    await files.bucket.put("other", "y")
    url = await presigned(files, "/files/k")
    assert 200 == (await files.ask("GET", url))[0]
    assert 403 == (await files.ask("DELETE", url))[0]
    assert 403 == (await files.ask("GET", url.replace("/k?", "/other?")))[0]
    parts = urlsplit(url)
    turned = urlunsplit(parts._replace(query="&".join(reversed(parts.query.split("&")))))
    assert 200 == (await files.ask("GET", turned))[0]
    assert 403 == (await files.ask("GET", url + "&response-content-type=text/html"))[0]


async def test_only_the_headers_of_s3_can_be_asked_for(files: Files) -> None:
    """`response-set-cookie` is not one of them, and a header is no two."""
    await files.bucket.put("k", "x")
    status, headers, _ = await files.ask(
        "GET", await presigned(files, "/files/k?response-set-cookie=a&response-cache-control=b")
    )
    assert (200, "b", False) == (status, headers["cache-control"], "set-cookie" in headers)
    status, headers, _ = await files.ask("GET", await presigned(files, "/files/k?response-content-type=a%0d%0ax:y"))
    assert (400, False) == (status, "x" in headers)


async def test_metadata_injects_no_header(files: Files) -> None:
    """What no header can have is refused where it is served."""
    await files.bucket.put(
        "k", "x", {"httpMetadata": {"contentType": "a\r\nx: y"}, "customMetadata": {"a b": "c\r\nd"}}
    )
    for status, headers, _ in (
        await files.ask("GET", f"{PUBLIC}/k"),
        await files.ask("GET", await presigned(files, "/files/k")),
    ):
        assert (400, False) == (status, "x" in headers)
    await files.bucket.put("k", "x", {"customMetadata": {"a b": "c\r\nd", "ok": "1"}})
    status, headers, _ = await files.ask("GET", await presigned(files, "/files/k"))
    assert (200, "1") == (status, headers["x-amz-meta-ok"])


@pytest.mark.parametrize(
    ("wanted", "status", "text"),
    [
        ("bytes=0-0", 206, b"h"),
        ("bytes=-2", 206, b"lo"),
        ("bytes=-99", 206, b"hello"),
        ("bytes=3-99", 206, b"lo"),
        ("bytes=-0", 416, None),
        ("bytes=5-", 416, None),
        ("bytes=3-1", 200, b"hello"),
        ("bytes=0-1,3-4", 200, b"hello"),
        ("lines=1-2", 200, b"hello"),
        ("bytes=99999999999999999999999-", 416, None),
        ("bytes=" + "9" * 5000 + "-", 200, b"hello"),
    ],
)
async def test_ranges(files: Files, wanted: str, status: int, text: bytes | None) -> None:
    """As HTTP has them; several, and what is none, are the whole object."""
    await files.bucket.put("k", "hello")
    found, _, body = await files.ask("GET", f"{PUBLIC}/k", headers={"range": wanted})
    assert status == found, body
    if text is not None:
        assert text == body
    assert (await files.ask("HEAD", f"{PUBLIC}/k", headers={"range": wanted}))[0] == status


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("if-match", '"ETAG"', 200),
        ("if-match", "ETAG", 400),
        ("if-match", 'W/"ETAG"', 412),
        ("if-match", "*", 200),
        ("if-none-match", 'W/"ETAG"', 304),
        ("if-none-match", "*", 304),
        ("if-none-match", '"a", "ETAG"', 304),
        ("if-modified-since", "nonsense", 200),
        ("if-modified-since", "Mon, 01 Jan 99999 00:00:00 GMT", 200),
        ("if-modified-since", "Mon, 01 Jan 0001 00:00:00 +2359", 200),
    ],
)
async def test_conditions(files: Files, header: str, value: str, status: int) -> None:
    """Of a public read."""
    etag = (await files.bucket.put("k", "hello")).etag
    assert status == (await files.ask("GET", f"{PUBLIC}/k", headers={header: value.replace("ETAG", etag)}))[0]


@pytest.mark.parametrize("size", ["-1", "0x3", "1_0", "+3", "", "zz"])
async def test_a_chunk_has_a_size(files: Files, size: str) -> None:
    """In hexadecimal digits alone."""
    body = f"{size}\r\nabc\r\n0\r\n\r\n".encode()
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": "3"}
    status, answer = await signed(files, "PUT", "/files/k", body, headers)
    assert (400, True) == (status, b"A chunk begins with its size" in answer), answer


@pytest.mark.parametrize(
    ("name", "value", "status", "code"),
    [
        ("crc32", base64.b64encode(zlib.crc32(b"abc").to_bytes(4, "big")).decode(), 200, b""),
        ("crc32", "AAAAAA==", 400, b"BadDigest"),
        ("crc32c", base64.b64encode((0x364B3FB7).to_bytes(4, "big")).decode(), 200, b""),
        ("crc32c", "AAAAAA==", 400, b"BadDigest"),
        ("crc64nvme", "AAAAAAAAAAA=", 400, b"BadDigest"),
        ("md7", "AAAA", 501, b"x-amz-checksum-md7"),
    ],
)
async def test_checksums_are_verified_or_refused(files: Files, name: str, value: str, status: int, code: bytes) -> None:
    """By their names."""
    got, answer = await signed(files, "PUT", "/files/k", b"abc", {f"x-amz-checksum-{name}": value})
    assert (status, True) == (got, code in answer), answer
    assert (status == 200) == (await files.bucket.head("k") is not None)


async def rules(files: Files, *origins: str) -> None:
    rule = {"AllowedOrigins": list(origins), "AllowedMethods": ["GET"], "AllowedHeaders": ["X-*"]}
    await files.s3("put_bucket_cors", CORSConfiguration={"CORSRules": [rule]})


@pytest.mark.parametrize(
    ("allowed", "origin", "status"),
    [
        ("http://[::1]:3000", "http://[::1]:3000", 204),
        ("http://?", "http://a", 403),
        ("https://*.example", "https://a.example", 204),
        ("https://*.example", "https://a.example.evil", 403),
        ("*", "null", 204),
    ],
)
async def test_origins_have_no_wildcard_but_one(files: Files, allowed: str, origin: str, status: int) -> None:
    """`*`, which is any text; what is beside it is that text."""
    await rules(files, allowed)
    headers = {"origin": origin, "access-control-request-method": "GET", "access-control-request-headers": "x-a"}
    assert status == (await files.ask("OPTIONS", f"{PUBLIC}/k", headers=headers))[0]
    assert (
        403
        == (await files.ask("OPTIONS", f"{PUBLIC}/k", headers={**headers, "access-control-request-headers": "y"}))[0]
    )


async def test_a_list_names_what_it_was_asked_with(files: Files) -> None:
    """Encoded where that was asked for."""
    for key in ("a%b", "a+b", "a b/1", "a b/2", "c"):
        await files.bucket.put(key, "")
    found = await files.s3("list_objects_v2", StartAfter="a%b", Delimiter="/")
    assert ("a%b", ["a+b", "c"]) == (found["StartAfter"], [each["Key"] for each in found["Contents"]])
    old = await files.s3("list_objects", Marker="a%b")
    assert ("a%b", ["a+b", "c"]) == (old["Marker"], [each["Key"] for each in old["Contents"]])


async def test_so_many_objects_are_deleted_at_once(files: Files) -> None:
    """1,000."""
    some = [{"Key": str(index)} for index in range(1001)]
    with pytest.raises(ClientError, match="MalformedXML"):
        await files.s3("delete_objects", Delete={"Objects": some})
    assert 1000 == len((await files.s3("delete_objects", Delete={"Objects": some[:1000]}))["Deleted"])


async def test_an_object_is_copied_onto_itself(files: Files) -> None:
    """With its metadata, or with other; a directive is one of two."""
    await files.s3("put_object", Key="k", Body=b"x" * 100_000, Metadata={"a": "1"})
    itself = {"Key": "k", "CopySource": {"Bucket": "files", "Key": "k"}}
    await files.s3("copy_object", **itself, MetadataDirective="REPLACE", Metadata={"b": "2"})
    got = await files.s3("get_object", Key="k")
    assert ({"b": "2"}, b"x" * 100_000) == (got["Metadata"], got["Body"].read())
    await files.s3("copy_object", **itself)
    got = await files.s3("get_object", Key="k")
    assert ({"b": "2"}, b"x" * 100_000) == (got["Metadata"], got["Body"].read())
    with pytest.raises(ClientError, match="InvalidArgument"):
        await files.s3("copy_object", **itself, MetadataDirective="SOME")


async def test_a_copy_keeps_the_conditions_of_its_source(files: Files) -> None:
    """`x-amz-copy-source-if-…`."""
    etag = (await files.bucket.put("k", "x")).etag
    source = {"Key": "c", "CopySource": {"Bucket": "files", "Key": "k"}}
    await files.s3("copy_object", **source, CopySourceIfMatch=f'"{etag}"')
    for condition in ({"CopySourceIfMatch": '"no"'}, {"CopySourceIfNoneMatch": f'"{etag}"'}):
        with pytest.raises(ClientError, match="PreconditionFailed"):
            await files.s3("copy_object", **source, **condition)


async def test_parts_that_are_wrong_are_named(files: Files) -> None:
    """Twice the same part, one of another tag, and none at all; the upload can be gone on with."""
    begun = await files.s3("create_multipart_upload", Key="b")
    upload = {"Key": "b", "UploadId": begun["UploadId"]}
    tag = (await files.s3("upload_part", PartNumber=1, Body=b"x", **upload))["ETag"]
    part = {"PartNumber": 1, "ETag": tag}
    for parts, code in (
        ([part, part], "InvalidPartOrder"),
        ([{"PartNumber": 1, "ETag": '"no"'}], "InvalidPart"),
        ([{"PartNumber": 2, "ETag": tag}], "InvalidPart"),
        ([], "MalformedXML"),
    ):
        with pytest.raises(ClientError, match=code):
            await files.s3("complete_multipart_upload", MultipartUpload={"Parts": parts}, **upload)
    with pytest.raises(ClientError, match="NoSuchUpload"):
        await files.s3("upload_part", Key="other", UploadId=begun["UploadId"], PartNumber=1, Body=b"x")
    await files.s3("complete_multipart_upload", MultipartUpload={"Parts": [part]}, **upload)


async def test_one_of_two_that_create_wins(files: Files) -> None:
    """`onlyIf` is looked at when the object is there to be written."""
    gate = asyncio.Event()

    async def slow(text: bytes) -> AsyncIterator[bytes]:
        await gate.wait()
        yield text

    class Sized:
        def __init__(self, text: bytes) -> None:
            self.known_length, self.text = len(text), text

        def __aiter__(self) -> AsyncIterator[bytes]:
            return slow(self.text)

    from cfworkflows.http import ReadableStream

    options = {"onlyIf": {"etagDoesNotMatch": "*"}}
    puts = [asyncio.create_task(files.bucket.put("k", ReadableStream(Sized(each)), options)) for each in (b"a", b"b")]
    await asyncio.sleep(0)
    gate.set()
    done = await asyncio.gather(*puts)
    assert [False, True] == sorted(each is None for each in done)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - files say nothing
            await asyncio.sleep(0.01)


async def test_a_client_that_goes_away_leaves_nothing(files: Files, tmp_path: Path) -> None:
    """In the middle of a put; and of a get, after which the object is there for others."""
    url = urlsplit(await presigned(files, "/files/k", "PUT"))
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(
        f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 9000000\r\n\r\n".encode()
    )
    writer.write(bytes(4_000_000))
    await writer.drain()
    blobs = tmp_path / "state" / "r2" / "files" / "blobs"
    await until(lambda: blobs.is_dir() and any(blobs.iterdir()))
    writer.close()
    await until(lambda: not any(blobs.iterdir()))
    assert await files.bucket.head("k") is None
    await files.bucket.put("k", bytes(9_000_000))
    url = urlsplit(await presigned(files, "/files/k"))
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
    await reader.readexactly(1000)
    await files.bucket.delete("k")
    writer.transport.abort()
    await until(lambda: not any(blobs.iterdir()))


@pytest.mark.parametrize("path", [f"{PUBLIC}/k", f"{S3}/files/k"])
async def test_another_host_is_refused(files: Files, path: str) -> None:
    """A name that was made to point to this machine."""
    await files.bucket.put("k", "x")
    assert (await files.ask("GET", path, headers={"host": "evil.example"}))[0] in (400, 403)
