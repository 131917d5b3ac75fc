import asyncio
import gc
import io

import pytest

from cfworkflows.http import ReadableStream


async def chunks(*parts, closed=None):
    try:
        for part in parts:
            yield part
    finally:
        if closed is not None:
            closed.append(True)


async def failing():
    yield b"one"
    raise OSError("the disk is gone")


@pytest.mark.parametrize(
    "source",
    [
        "aé",
        "aé".encode(),
        bytearray("aé".encode()),
        memoryview("aé".encode()),
        ["a", "é".encode()],
        iter([b"a", b"", "é"]),
        io.BytesIO("aé".encode()),
        io.StringIO("aé"),
    ],
)
async def test_every_source_gives_its_bytes(source):
    """Bytes, text, iterables and files all stream as bytes."""
    assert "aé".encode() == b"".join([chunk async for chunk in ReadableStream(source)])


async def test_empty_chunks_are_skipped():
    """A chunk is never empty, for that would look like the end."""
    assert [b"a", b"b"] == [chunk async for chunk in ReadableStream(chunks(b"", b"a", b"", b"b"))]
    assert [] == [chunk async for chunk in ReadableStream(b"")]


async def test_reader_gives_results_with_done_and_value():
    """read() answers as in JavaScript, by attribute and by key, and stays done at the end."""
    stream = ReadableStream(chunks(b"a"))
    reader = stream.getReader()
    first = await reader.read()
    assert (False, b"a") == (first.done, first.value) == (first["done"], first["value"])
    for _ in range(2):
        last = await reader.read()
        assert (True, None) == (last.done, last.value)
    assert "ReadResult(done=True, value=None)" == repr(last)
    with pytest.raises(KeyError):
        last["size"]


async def test_a_reader_holds_the_stream_until_it_is_released():
    """While one reader holds the stream nobody else reads it; then the rest is free."""
    stream = ReadableStream(chunks(b"a", b"b"))
    assert (False, False) == (stream.locked, stream.disturbed)
    reader = stream.get_reader()
    await reader.read()
    assert (True, True) == (stream.locked, stream.disturbed)
    for use in (stream.get_reader, stream.tee, lambda: aiter(stream)):
        with pytest.raises(TypeError, match="currently locked to a reader"):
            use()
    with pytest.raises(TypeError, match="currently locked to a reader"):
        await stream.cancel()
    reader.release_lock()
    reader.releaseLock()
    with pytest.raises(TypeError, match="reader has been released"):
        await reader.read()
    assert [b"b"] == [chunk async for chunk in stream]


async def test_leaving_a_loop_lets_the_next_one_go_on():
    """`break` gives the stream back with what was not read."""
    stream = ReadableStream(chunks(b"a", b"b", b"c"))
    async for chunk in stream:
        assert b"a" == chunk
        break
    assert [b"b", b"c"] == [chunk async for chunk in stream]


async def test_closing_an_iteration_cancels_the_stream():
    """aclose() on the iterator gives up the rest, and a second call changes nothing."""
    closed = []
    stream = ReadableStream(chunks(b"a", b"b", closed=closed))
    iteration = aiter(stream)
    assert b"a" == await anext(iteration)
    await iteration.aclose()
    await iteration.aclose()
    assert [True] == closed
    assert [] == [chunk async for chunk in iteration]


@pytest.mark.parametrize("by_reader", [True, False])
async def test_cancel_closes_the_source(by_reader):
    """A cancelled stream is at its end, and its source is closed."""
    closed = []
    stream = ReadableStream(chunks(b"a", b"b", closed=closed))
    reader = stream.get_reader()
    await reader.read()
    if by_reader:
        await reader.cancel("enough")
        reader.release_lock()
    else:
        reader.release_lock()
        await stream.cancel()
    assert [True] == closed
    assert [] == [chunk async for chunk in stream]


async def test_cancel_closes_a_plain_generator():
    """The clean-up of a sync generator runs too."""
    closed = []

    def source():
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    stream = ReadableStream(source())
    async for _ in stream:
        break
    await stream.cancel()
    assert [True] == closed
    await ReadableStream([b"a"]).cancel()


async def test_an_error_of_the_source_is_raised_by_every_later_read():
    """A broken source never looks like the end of the stream."""
    reader = ReadableStream(failing()).get_reader()
    assert b"one" == (await reader.read()).value
    for _ in range(2):
        with pytest.raises(OSError, match="the disk is gone"):
            await reader.read()


async def test_a_chunk_that_is_not_bytes_is_refused():
    """Numbers and dicts are no bytes."""
    with pytest.raises(TypeError, match="must give bytes or str, not int"):
        await ReadableStream([1]).get_reader().read()


async def test_cancelling_a_read_of_a_generator_is_not_the_end_of_the_stream():
    """The generator is lost with the cancelled read, and the next read says so."""
    waiting = asyncio.Event()

    async def source():
        waiting.set()
        await asyncio.Event().wait()
        yield b"never"

    reader = ReadableStream(source()).get_reader()
    read = asyncio.ensure_future(reader.read())
    await waiting.wait()
    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read
    with pytest.raises(RuntimeError, match="was cancelled, and the rest of it was lost"):
        await reader.read()


async def test_cancelling_a_read_of_another_iterator_loses_nothing():
    """What can be asked again is asked again."""
    asked = asyncio.Queue()
    ready = asyncio.Event()

    class Source:
        def __aiter__(self):
            return self

        async def __anext__(self):
            ready.set()
            return await asked.get()

    reader = ReadableStream(Source()).get_reader()
    read = asyncio.ensure_future(reader.read())
    await ready.wait()
    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read
    asked.put_nowait(b"a")
    assert b"a" == (await reader.read()).value


async def test_concurrent_reads_are_served_in_turn():
    """Two reads at once get two chunks, as in JavaScript."""
    reader = ReadableStream(chunks(b"a", b"b")).get_reader()
    results = await asyncio.gather(*[reader.read() for _ in range(4)])
    assert [b"a", b"b", None, None] == [result.value for result in results]


@pytest.mark.parametrize("source", [b"abc", [b"a", b"b", b"c"]])
async def test_tee_gives_both_branches_everything(source):
    """Each branch has the whole content, and the stream itself is held."""
    stream = ReadableStream(source)
    left, right = stream.tee()
    assert stream.locked
    assert b"abc" == b"".join([chunk async for chunk in left])
    assert b"abc" == b"".join([chunk async for chunk in right])


async def test_tee_branches_read_at_once_lose_nothing():
    """Both branches may wait for the same chunk."""
    left, right = ReadableStream(chunks(b"a", b"b", b"c")).tee()

    async def read(stream):
        return [chunk async for chunk in stream]

    assert [[b"a", b"b", b"c"]] * 2 == await asyncio.gather(read(left), read(right))


async def test_tee_pulls_only_what_is_asked_for():
    """The source is read as far as the faster branch, no further."""
    pulled = []

    async def source():
        for number in range(5):
            pulled.append(number)
            yield b"x"

    left, right = ReadableStream(source()).tee()
    fast, slow = left.get_reader(), right.get_reader()
    await fast.read()
    await fast.read()
    await slow.read()
    assert [0, 1] == pulled


async def test_a_branch_that_is_dropped_stops_being_filled():
    """Nothing is kept for a branch that nobody can read any more."""
    left, right = ReadableStream(chunks(*[b"x"] * 100)).tee()
    tee = left._source._tee
    del right
    gc.collect()
    assert 100 == len([chunk async for chunk in left])
    assert tee.waiting[1] is None


async def test_the_source_is_closed_when_both_branches_are_cancelled():
    """One branch may go on while the other gave up; when both did, the source is closed."""
    closed = []
    left, right = ReadableStream(chunks(b"a", b"b", b"c", closed=closed)).tee()
    await right.cancel()
    reader = left.get_reader()
    assert b"a" == (await reader.read()).value
    assert [] == closed
    await reader.cancel()
    assert [True] == closed


async def test_a_branch_may_be_cancelled_while_it_reads():
    """The read that waits ends, and the other branch loses nothing."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def source():
        asked.set()
        await go_on.wait()
        yield b"a"

    left, right = ReadableStream(source()).tee()
    reader = left.get_reader()
    read = asyncio.ensure_future(reader.read())
    await asked.wait()
    await reader.cancel()
    go_on.set()
    assert (await read).done
    assert (await reader.read()).done
    assert [b"a"] == [chunk async for chunk in right]


async def test_branches_that_wait_for_the_same_chunk_pull_once():
    """The second to ask finds what the first has pulled."""
    asked, go_on, pulled = asyncio.Event(), asyncio.Event(), []

    async def source():
        for number in range(2):
            asked.set()
            await go_on.wait()
            pulled.append(number)
            yield b"x"

    left, right = ReadableStream(source()).tee()
    reads = [asyncio.ensure_future(stream.get_reader().read()) for stream in (left, right)]
    await asked.wait()
    go_on.set()
    assert [b"x", b"x"] == [(await read).value for read in reads]
    assert [0] == pulled


async def test_an_error_reaches_both_branches():
    """Neither branch takes a broken source for a short one."""
    for branch in ReadableStream(failing()).tee():
        with pytest.raises(OSError, match="the disk is gone"):
            [chunk async for chunk in branch]


@pytest.mark.parametrize("source", [{"start": print}, 5, None])
def test_what_is_no_source_is_refused(source):
    """JavaScript's underlying sources have a Python form, and the error names it."""
    with pytest.raises(TypeError, match="async generator"):
        ReadableStream(source)


def test_byob_readers_are_refused_by_name():
    """The other mode of readers is not there, and the error says so."""
    with pytest.raises(NotImplementedError, match="mode 'byob'"):
        ReadableStream(b"").get_reader({"mode": "byob"})
