import asyncio

import pytest

from cfworkflows import ReadableStream, Response, TransformStream, WritableStream


async def test_what_is_written_is_read():
    """The TypeScript idiom: a writer in a task of its own, the readable end as the body of a response."""
    stream = TransformStream()

    async def write():
        writer = stream.writable.getWriter()
        await writer.ready
        await writer.write("a")
        await writer.write(b"b")
        await writer.close()

    task = asyncio.ensure_future(write())
    assert "ab" == await Response(stream.readable).text()
    await task


async def test_a_write_waits_for_the_reader():
    """So memory holds one chunk."""
    stream = TransformStream()
    writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
    first = asyncio.ensure_future(writer.write(b"1"))
    second = asyncio.ensure_future(writer.write(b"2"))
    await asyncio.sleep(0)
    assert not first.done()
    assert b"1" == (await reader.read()).value
    await first
    assert b"2" == (await reader.read()).value
    await second
    await writer.close()
    assert (await reader.read()).done


async def test_a_transformer_changes_the_chunks():
    """As the functions of a dict, or the methods of an object, async or not."""

    class Doubled:
        async def transform(self, chunk, controller):
            controller.enqueue(chunk * 2)

        def flush(self, controller):
            controller.enqueue("end")

    assert b"aabbend" == await read(ReadableStream([b"a", b"b"]).pipe_through(TransformStream(Doubled())))
    upper = TransformStream({"start": lambda c: c.enqueue("<"), "transform": lambda chunk, c: c.enqueue(chunk.upper())})
    assert b"<AB" == await read(ReadableStream(["a", "b"]).pipeThrough(upper))


async def test_an_error_of_the_transformer_is_met_at_both_ends():
    """The reader and the writer raise it."""
    stream = TransformStream({"transform": lambda chunk, controller: 1 / 0})
    writer = stream.writable.get_writer()
    with pytest.raises(ZeroDivisionError):
        await writer.write(b"x")
    with pytest.raises(ZeroDivisionError):
        await writer.write(b"y")
    with pytest.raises(ZeroDivisionError):
        await read(stream.readable)


async def test_an_error_of_the_source_is_met_at_the_other_end():
    """Through a pipe."""

    async def source():
        yield b"a"
        raise KeyError("source")

    with pytest.raises(KeyError, match="source"):
        await read(ReadableStream(source()).pipe_through(TransformStream()))


async def test_the_writer_learns_that_the_reader_gave_up():
    """A write that waits, and those after it."""
    stream = TransformStream()
    writer = stream.writable.get_writer()
    write = asyncio.ensure_future(writer.write(b"x"))
    await asyncio.sleep(0)
    await stream.readable.cancel()
    for late in (write, writer.write(b"y")):
        with pytest.raises(TypeError, match="readable end of the stream was cancelled"):
            await late


async def test_terminate_ends_the_reading():
    """A later chunk is refused."""
    stream = TransformStream({"transform": lambda chunk, controller: controller.terminate()})
    writer = stream.writable.get_writer()
    await writer.write(b"x")
    assert b"" == await read(stream.readable)


async def test_aborting_the_writer_is_an_error_for_the_reader():
    """The reason, or what says it."""
    for reason, kind in [(KeyError("why"), KeyError), ("why", TypeError)]:
        stream = TransformStream()
        await stream.writable.get_writer().abort(reason)
        with pytest.raises(kind, match="why"):
            await read(stream.readable)


async def test_a_sink_takes_the_chunks_in_order():
    """Each write is over when the sink has taken it, and a closed stream takes no more."""
    taken = []
    stream = WritableStream({"write": taken.append, "close": lambda: taken.append("closed")})
    await ReadableStream([b"a", b"b"]).pipe_to(stream)
    assert [b"a", b"b", "closed"] == taken
    assert not stream.locked
    with pytest.raises(TypeError, match="has been closed"):
        await stream.get_writer().write(b"c")


async def test_a_sink_that_failed_is_asked_no_more():
    """Every later write raises the same error."""
    taken = []

    def fail_once(chunk):
        taken.append(chunk)
        raise KeyError("sink")

    writer = WritableStream({"write": fail_once}).get_writer()
    for chunk in (b"a", b"b"):
        with pytest.raises(KeyError, match="sink"):
            await writer.write(chunk)
    assert [b"a"] == taken


async def test_pipe_to_leaves_alone_what_it_is_told_to():
    """An error of the sink cancels the source, unless preventCancel; the end closes the sink, unless preventClose."""
    closed = []

    class Source:
        def __aiter__(self):
            return self

        async def __anext__(self):
            return b"x"

        async def aclose(self):
            closed.append("source")

    def fail(chunk):
        raise KeyError("sink")

    with pytest.raises(KeyError, match="sink"):
        await ReadableStream(Source()).pipe_to(WritableStream({"write": fail}), {"preventCancel": True})
    assert [] == closed
    with pytest.raises(KeyError, match="sink"):
        await ReadableStream(Source()).pipe_to(WritableStream({"write": fail}))
    assert ["source"] == closed
    await ReadableStream(b"x").pipe_to(WritableStream({"close": lambda: closed.append("sink")}), {"preventClose": True})
    assert ["source"] == closed


async def test_a_released_writer_writes_no_more():
    """Another one can."""
    stream = WritableStream()
    writer = stream.get_writer()
    for refused in (stream.close, stream.abort):
        with pytest.raises(TypeError, match="locked to a writer"):
            await refused()
    with pytest.raises(TypeError, match="locked to a writer"):
        stream.get_writer()
    writer.releaseLock()
    with pytest.raises(TypeError, match="has been released"):
        await writer.write(b"x")
    await stream.get_writer().write(b"x")


async def read(stream):
    return await Response(stream).bytes()
