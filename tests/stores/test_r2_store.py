"""The store of R2 buckets on disk: files are whole or not there, and are read to their end."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cfworkflows import CfworkflowsError, FixedLengthStream, ReadableStream
from cfworkflows_bindings import R2Binding
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.storage import DiskError, StateError
from cfworkflows_emulator.storage.blobs import BLOCK, INLINE
from cfworkflows_emulator.stores.r2 import R2Store, file_of

LARGE = bytes(3 * BLOCK + 5)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Callable[[], R2Binding]]:
    """Opens the bucket, again and again."""
    stores: list[R2Store] = []

    def opened() -> R2Binding:
        for store in stores:
            store.close()
        stores.append(R2Store(file_of(tmp_path, "files"), "files", VirtualClock()))
        return R2Binding(stores[-1], "files")

    yield opened
    stores[-1].close()


@pytest.fixture
def blobs(tmp_path: Path) -> Callable[[], int]:
    """How many files there are."""
    return lambda: len(list((tmp_path / "r2" / "files" / "blobs").glob("*")))


@pytest.mark.parametrize(("size", "files"), [(INLINE, 0), (INLINE + 1, 1)])
async def test_small_bodies_stand_in_the_row(
    opened: Callable[[], R2Binding], blobs: Callable[[], int], size: int, files: int
) -> None:
    """Larger ones are files; both are there when the bucket is opened again."""
    await opened().put("a", bytes(size))
    assert files == blobs()
    assert size == len(await (await opened().get("a")).bytes())


@pytest.mark.parametrize("change", ["put", "delete"])
async def test_a_reader_reads_the_old_body_to_its_end(
    opened: Callable[[], R2Binding], blobs: Callable[[], int], change: str
) -> None:
    """Whether it has begun or not; then the file goes."""
    bucket = opened()
    await bucket.put("a", LARGE)
    begun, waiting = await bucket.get("a"), await bucket.get("a")
    reader = begun.body.get_reader()
    first = (await reader.read()).value
    await (bucket.put("a", "new") if change == "put" else bucket.delete("a"))
    assert 1 == blobs()
    read = [first]
    while not (result := await reader.read()).done:
        read.append(result.value)
    assert LARGE == b"".join(read) == await waiting.bytes()
    assert 0 == blobs()


async def test_a_reader_that_is_forgotten_holds_no_file(
    opened: Callable[[], R2Binding], blobs: Callable[[], int]
) -> None:
    """Its file goes with it."""
    bucket = opened()
    await bucket.put("a", LARGE)
    found = await bucket.get("a")
    await bucket.delete("a")
    assert 1 == blobs()
    del found
    assert 0 == blobs()


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_put_that_fails_leaves_nothing(
    opened: Callable[[], R2Binding], blobs: Callable[[], int], is_cancelled: bool
) -> None:
    """Its body raises, or the caller is cancelled, in the middle: the object that was there stays."""
    bucket = opened()
    await bucket.put("a", LARGE)
    fixed = FixedLengthStream(10 * BLOCK)
    putting = asyncio.ensure_future(bucket.put("a", fixed.readable))
    writer = fixed.writable.get_writer()
    for _ in range(4):
        await writer.write(bytes(BLOCK))
    if is_cancelled:
        putting.cancel()
    else:
        await writer.abort(ValueError("no more"))
    await asyncio.wait([putting])
    assert is_cancelled == (putting.cancelled() or putting.exception() is None)
    async with asyncio.timeout(30):  # a thread may still be at work on it
        while blobs() != 1:  # noqa: ASYNC110 - the thread says nothing
            await asyncio.sleep(0.01)
    assert LARGE == await (await opened().get("a")).bytes()


async def test_orphans_are_collected(opened: Callable[[], R2Binding], tmp_path: Path) -> None:
    """Files that a process which died has left go when the bucket is next used."""
    bucket = opened()
    await bucket.put("a", LARGE)
    upload = await bucket.create_multipart_upload("b")
    await upload.upload_part(1, LARGE)
    folder = tmp_path / "r2" / "files" / "blobs"
    kept = sorted(folder.iterdir())
    for name in ("0123", "4567.part"):
        (folder / name).write_bytes(b"left")
    await opened().head("a")
    assert kept == sorted(folder.iterdir())


async def test_a_closed_bucket_refuses(opened: Callable[[], R2Binding]) -> None:
    """Also a put that is under way when it is closed."""
    bucket = opened()
    fixed = FixedLengthStream(10)
    putting = asyncio.ensure_future(bucket.put("a", fixed.readable))
    writer = fixed.writable.get_writer()
    await writer.write(b"01234")
    opened()
    await writer.write(b"56789")
    await writer.close()
    for call in (putting, bucket.head("a"), bucket.list()):
        with pytest.raises(CfworkflowsError, match="The R2 bucket files is closed"):
            await call


async def test_a_missing_or_damaged_file_is_named(opened: Callable[[], R2Binding], tmp_path: Path) -> None:
    """It harms its object alone."""
    bucket = opened()
    await bucket.put("a", LARGE)
    await bucket.put("b", "fine")
    [file] = (tmp_path / "r2" / "files" / "blobs").iterdir()
    file.write_bytes(LARGE[:-1])
    with pytest.raises(StateError, match=f"{file.name} is 1 bytes too short"):
        await (await bucket.get("a")).bytes()
    file.unlink()
    with pytest.raises(DiskError, match=f"{file.name}: No such file"):
        await (await bucket.get("a")).bytes()
    assert "fine" == await (await bucket.get("b")).text()


async def test_a_damaged_database_is_named(opened: Callable[[], R2Binding], tmp_path: Path) -> None:
    """With what to do."""
    path = tmp_path / "r2" / "files.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StateError, match=r"files\.sqlite: .*Move it away"):
        await opened().head("a")


async def test_a_folder_that_cannot_be_written_is_named(opened: Callable[[], R2Binding], tmp_path: Path) -> None:
    """A large put fails, and small ones go on."""
    (tmp_path / "r2" / "files").mkdir(parents=True)
    (tmp_path / "r2" / "files" / "blobs").write_text("in the way")
    bucket = opened()
    with pytest.raises(DiskError, match="blobs cannot be written"):
        await bucket.put("a", LARGE)
    assert await bucket.put("b", "small") is not None


async def test_any_sqlite_tool_reads_it(opened: Callable[[], R2Binding], tmp_path: Path) -> None:
    """Metadata is JSON."""
    await opened().put("a", "x", {"customMetadata": {"by": "ü"}})
    with sqlite3.connect(tmp_path / "r2" / "files.sqlite") as database:
        assert [("a", '{"by":"ü"}')] == database.execute("SELECT key, custom FROM objects").fetchall()
    database.close()


async def test_an_unknown_length_is_refused_before_anything_is_read(opened: Callable[[], R2Binding]) -> None:
    """The stream is left as it is."""
    stream = ReadableStream(iter([b"x"]))
    with pytest.raises(TypeError, match="must have a known length"):
        await opened().put("a", stream)
    assert not stream.disturbed
