"""R2 buckets: what the recordings do not have, in memory and on disk."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cfworkflows import FixedLengthStream, Headers, R2Error, ReadableStream, Request, Response
from cfworkflows_bindings import R2Binding, R2Object, R2ObjectBody
from cfworkflows_bindings.r2 import codes
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.stores.r2 import R2Store, file_of

SMALL, LARGE = b"small", bytes(range(256)) * 4096


@pytest.fixture(params=["memory", "disk"])
async def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[R2Binding]:
    path = file_of(tmp_path, "files") if request.param == "disk" else None
    async with R2Store(path, "files", VirtualClock()).open() as store:
        yield R2Binding(store, "files")


async def content(bucket: R2Binding, key: str, **options: Any) -> bytes | None:
    found = await bucket.get(key, **options)
    return None if found is None else await found.bytes()


async def chunks(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("data", [b"", SMALL, LARGE], ids=len)
async def test_what_is_put_is_got(bucket: R2Binding, data: bytes) -> None:
    """As a whole, as a stream and as a response, with its checksum."""
    stored = await bucket.put("a", data, custom_metadata={"by": "me"})
    assert (len(data), hashlib.md5(data).hexdigest()) == (stored.size, stored.etag)
    assert data == await content(bucket, "a")
    found = await bucket.get("a")
    assert data == b"".join([chunk async for chunk in found.body])
    assert found.bodyUsed
    assert data == await Response((await bucket.get("a")).body).bytes()


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=len)
async def test_a_stream_of_known_length_is_stored(bucket: R2Binding, data: bytes) -> None:
    """That of a request, of another object, of each branch of a tee, and of a FixedLengthStream."""
    request = Request("https://a", {"method": "PUT", "body": data})
    await bucket.put("request", request.body)
    await bucket.put("copy", (await bucket.get("request")).body)
    one, other = (await bucket.get("copy")).body.tee()
    await asyncio.gather(bucket.put("one", one), bucket.put("other", other))
    fixed = FixedLengthStream(len(data))
    await asyncio.gather(ReadableStream(chunks(data)).pipe_to(fixed.writable), bucket.put("fixed", fixed.readable))
    for key in ("request", "copy", "one", "other", "fixed"):
        assert data == await content(bucket, key)


@pytest.mark.parametrize("length", [len(LARGE) - 1, len(LARGE) + 1])
async def test_a_stream_of_another_length_stores_nothing(bucket: R2Binding, length: int) -> None:
    """The object that was there stays."""
    await bucket.put("a", "old")
    fixed = FixedLengthStream(length)
    feeding = asyncio.ensure_future(ReadableStream(chunks(LARGE)).pipe_to(fixed.writable))
    with pytest.raises(TypeError, match="bytes"):
        await bucket.put("a", fixed.readable)
    await asyncio.wait([feeding])
    assert isinstance(feeding.exception(), TypeError)
    assert b"old" == await content(bucket, "a")


async def test_a_range_is_read_from_wherever_the_bytes_are(bucket: R2Binding) -> None:
    """From a row, from a file, and across the parts of an upload."""
    part = bytes(range(256)) * (codes.SMALLEST_PART // 256)
    upload = await bucket.create_multipart_upload("parts")
    parts = [await upload.upload_part(1, part), await upload.upload_part(2, part), await upload.upload_part(3, b"end")]
    await upload.complete(parts)
    whole = part + part + b"end"
    assert len(whole) == (await bucket.head("parts")).size
    for start, length in ((0, 10), (len(part) - 5, 10), (len(part) - 5, len(part) + 7), (len(whole) - 3, 3)):
        wanted = {"offset": start, "length": length}
        assert whole[start : start + length] == await content(bucket, "parts", range=wanted)
    assert whole == await content(bucket, "parts")
    await bucket.put("large", LARGE)
    assert LARGE[70_000:200_000] == await content(bucket, "large", range={"offset": 70_000, "length": 130_000})
    assert LARGE[-9:] == await content(bucket, "large", range=Headers({"range": "bytes=-9"}))
    assert LARGE == await content(bucket, "large", range=Headers({"range": "bytes=0-1,5-6"}))


async def test_conditions_guard_a_put(bucket: R2Binding) -> None:
    """Nothing is stored, and None returned, unless they hold when the body is there."""
    assert await bucket.put("a", "new", only_if={"etagDoesNotMatch": "*"}) is not None
    assert await bucket.put("a", "x", {"onlyIf": {"etagDoesNotMatch": "*"}}) is None
    assert await bucket.put("a", "x", only_if=Headers({"if-match": '"nope"'})) is None
    assert b"new" == await content(bucket, "a")
    etag = (await bucket.head("a")).etag
    results = await asyncio.gather(
        *(bucket.put("a", LARGE + bytes([n]), only_if={"etagMatches": etag}) for n in (1, 2))
    )
    assert 1 == sum(each is not None for each in results)


async def test_dates_of_conditions(bucket: R2Binding) -> None:
    """A naive one is UTC; by seconds, both sides are cut to seconds."""
    uploaded = (await bucket.put("a", "x")).uploaded
    assert UTC is uploaded.tzinfo

    async def body(**only_if: Any) -> bool:
        return isinstance(await bucket.get("a", only_if=only_if), R2ObjectBody)

    assert await body(uploaded_before=uploaded + timedelta(seconds=1))
    assert not await body(uploadedBefore=uploaded)
    assert await body(uploaded_after=uploaded.replace(tzinfo=None) - timedelta(milliseconds=1))
    assert await body(uploaded_before=uploaded + timedelta(milliseconds=1))
    assert not await body(uploaded_before=uploaded + timedelta(milliseconds=1), seconds_granularity=True)
    found = await bucket.get("a", only_if={"uploadedAfter": datetime(2099, 1, 1, tzinfo=UTC)})
    assert (R2Object, None, False) == (type(found), found.body, "body" in found)


async def test_limits(bucket: R2Binding) -> None:
    """Each has the platform's code, and a note for people."""
    for call, code in (
        (bucket.put("k" * 1025, "x"), codes.INVALID_NAME),
        (bucket.get("\ud800"), codes.INVALID_NAME),
        (bucket.put("k", "x", custom_metadata={"a": "b" * 8192}), codes.METADATA_TOO_LARGE),
        (bucket.put("k", "x", custom_metadata={"a": "ü€" * 2048}), codes.METADATA_TOO_LARGE),
        (bucket.put("k", FixedLengthStream(codes.LARGEST_PUT + 1).readable), codes.TOO_LARGE),
        (bucket.list(limit=0), codes.INVALID_MAX_KEYS),
        (bucket.list(cursor="é"), codes.INTERNAL),
    ):
        with pytest.raises(R2Error) as caught:
            await call
        assert code == caught.value.code
        assert str(caught.value).endswith(f"{codes.MESSAGES[code]} ({code})")
        assert "Error" == caught.value.name
    assert await bucket.put("k", "x", custom_metadata={"a": "b" * 8191}) is not None


@pytest.mark.parametrize("key", ["ff" * 32, bytes(32)], ids=["text", "bytes"])
async def test_a_key_of_ones_own_is_needed_to_read(bucket: R2Binding, key: str | bytes) -> None:
    """What was stored with an ssecKey is read with the same one alone."""
    stored = await bucket.put("a", "secret", ssec_key=key)
    assert stored.ssecKeyMd5 is not None
    assert b"secret" == await content(bucket, "a", ssec_key=key)
    for other in (None, "00" * 31 + "01"):
        with pytest.raises(R2Error, match="SSE-C"):
            await bucket.get("a", ssec_key=other)
    for wrong in ("zz", "ff", bytes(31)):
        with pytest.raises(TypeError, match="SSE-C Key"):
            await bucket.put("b", "x", {"ssecKey": wrong})


async def test_a_list_skips_what_a_delimiter_puts_together(bucket: R2Binding) -> None:
    """Page by page it gives what one page gives, in the order of UTF-8."""
    keys = ["a", "b/1", "b/2", "b/c/3", "b0", "ü/1", "\ue000", "\U00010000/x", "\U0010ffff", "\U0010ffff/y"]
    for key in keys:
        await bucket.put(key, "x")
    whole = await bucket.list(delimiter="/")
    assert (["a", "b0", "\ue000", "\U0010ffff"], False) == ([each.key for each in whole.objects], whole.truncated)
    assert ["b/", "ü/", "\U00010000/", "\U0010ffff/"] == whole.delimitedPrefixes
    for limit in (1, 2, 3):
        found, cursor = [], None
        while True:
            page = await bucket.list({"delimiter": "/", "limit": limit, "cursor": cursor})
            found += [each.key for each in page.objects] + page.delimitedPrefixes
            assert limit >= len(page.objects) + len(page.delimitedPrefixes)
            cursor = page.cursor
            if not page.truncated:
                break
        assert sorted([each.key for each in whole.objects] + whole.delimitedPrefixes) == sorted(found)
    assert ["b/2", "b/c/3"] == [each.key for each in (await bucket.list(prefix="b/", start_after="b/1")).objects]


async def test_metadata_of_a_list_that_did_not_ask_for_it(bucket: R2Binding) -> None:
    """It is empty, and to write it as headers is refused, as on the platform."""
    await bucket.put("a", "x", {"httpMetadata": {"content_type": "text/x"}})
    [plain] = (await bucket.list()).objects
    assert {} == plain.http_metadata
    with pytest.raises(TypeError, match="Did you forget to add 'httpMetadata' to `include`"):
        plain.write_http_metadata(Headers())
    [full] = (await bucket.list(include=["httpMetadata"])).objects
    full.writeHttpMetadata(headers := Headers())
    assert "text/x" == headers["content-type"]


async def test_fields_are_attributes_and_keys(bucket: R2Binding) -> None:
    """In both spellings."""
    stored = await bucket.put("a", "x", storage_class="InfrequentAccess")
    assert stored["httpEtag"] == stored.http_etag == stored["http_etag"] == f'"{stored.etag}"'
    assert "InfrequentAccess" == stored["storageClass"]
    assert 16 == len(stored.checksums["md5"])
    assert ("size" in stored, "ssecKeyMd5" in stored, "nope" in stored) == (True, False, False)
    with pytest.raises(KeyError):
        stored["_range"]


async def test_a_part_that_replaces_another_drops_its_file(bucket: R2Binding, tmp_path: Path) -> None:
    """And so do parts that are not completed, and an upload that is aborted."""
    upload = await bucket.create_multipart_upload("a")
    for _ in range(2):
        part = await upload.upload_part(1, LARGE)
    await upload.upload_part(2, LARGE)
    await upload.complete([part])
    other = await bucket.create_multipart_upload("b")
    await other.upload_part(1, LARGE)
    await other.abort()
    folder = tmp_path / "r2" / "files" / "blobs"
    assert (1 if folder.exists() else 0) == len(list(folder.glob("*")))
    assert LARGE == await content(bucket, "a")
    await bucket.delete("a")
    assert [] == list(folder.glob("*"))
