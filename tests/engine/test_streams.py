"""Steps whose result is a stream: what comes out is what went in, and nothing is left of what failed."""

import asyncio
import io

import pytest
from programs import effects
from stream_sources import ONCE, Gate, counted, generator, left, whole

from cfworkflows import (
    NonRetryableError,
    ReadableStream,
    Response,
    SerializationError,
    WorkflowInternalError,
    WorkflowTimeoutError,
)
from cfworkflows_emulator.engine.journal import sizes
from cfworkflows_emulator.engine.run import streams
from cfworkflows_emulator.engine.run.streams import BLOCK_BYTES, MAX_CHUNK_BYTES


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_a_replay_reads_what_the_first_run_did(serve, evict_after_ms):
    """It is a ReadableStream both times, and the callback is called once."""
    chunks = [b"ab", bytearray(b"c"), memoryview(b"d"), b"", b"x" * BLOCK_BYTES * 2]
    seen = []

    async def run(step):
        stream = await step.do("export", lambda: counted(chunks))
        assert isinstance(stream, ReadableStream)
        seen.append(await whole(stream))
        await step.sleep("nap", "1 day")
        seen.append(await whole(await step.do("again", lambda: counted([b"2"]))))
        return len(seen)

    server = await serve(run, evict_after_ms=evict_after_ms)
    await server.run()
    expected = b"".join(map(bytes, chunks))
    assert [expected] * (1 if evict_after_ms is None else 2) + [b"2"] == seen
    assert 2 == effects["stream"]
    assert {("again-1", 1): [1], ("export-1", 1): [BLOCK_BYTES, BLOCK_BYTES, 4]} == await left(server)


async def coroutine():
    return ReadableStream([b"some", b"thing"])


def from_file(ctx):
    return ReadableStream(io.BytesIO(b"something"))


@pytest.mark.parametrize(
    "callback",
    [
        generator,
        coroutine,
        from_file,
        lambda: generator(),
        lambda: ReadableStream(b"something"),
        lambda: Response("something").body,
        lambda: ReadableStream(generator()).tee()[1],
    ],
    ids=["generator", "coroutine", "file", "lambda", "whole", "body", "tee"],
)
async def test_the_forms_of_a_stream(serve, callback):
    """An async generator function, and whatever gives an async iterator of bytes or a ReadableStream."""

    async def run(step):
        return await Response(await step.do("s", callback)).text()

    server = await serve(run)
    assert "something" == await server.run()


async def test_a_decorated_step_may_be_a_generator(serve):
    """And a step that depends on it is given the stream."""

    async def run(step):
        @step.do("rows")
        async def rows():
            yield b"1\n2\n"

        @step.do("count")
        async def count(rows):
            return (await Response(rows).text()).count("\n")

        return await count()

    server = await serve(run)
    assert 2 == await server.run()


async def test_a_stream_without_content_is_stored(serve):
    """There is a stream to read, and nothing in it."""

    async def run(step):
        return [chunk async for chunk in await step.do("s", lambda: counted([b""]))]

    server = await serve(run)
    assert [] == await server.run()
    assert {} == await left(server)


async def test_a_stream_that_fails_in_the_middle_leaves_nothing_and_is_tried_again(serve):
    """The attempt's error has the platform's text; the next attempt is stored alone."""

    async def flaky(ctx):
        yield b"a" * BLOCK_BYTES
        if ctx.attempt == 1:
            raise ValueError("gone")
        yield b"b"

    async def run(step):
        stream = await step.do("s", {"retries": {"limit": 1, "delay": "1 minute"}}, flaky)
        return len(await whole(stream))

    server = await serve(run)
    instance = await server.create()
    assert {} == await left(server)
    assert BLOCK_BYTES + 1 == (await server.finish(instance)).output
    assert {("s-1", 2): [BLOCK_BYTES, 1]} == await left(server)
    _, entries = await server.engine.history("run", instance.id)
    [error] = [entry.data["error"] for entry in entries if entry.type == "attempt_errored"]
    assert ("ValueError", "Failed to read from step ReadableStream output. gone") == (error["name"], error["message"])
    assert "raise ValueError" in error["traceback"]


async def test_a_stream_may_say_that_it_is_not_to_be_retried(serve):
    """NonRetryableError out of a generator is what it is out of any callback."""

    async def hopeless():
        effects["hopeless"] += 1
        yield b"a" * BLOCK_BYTES
        raise NonRetryableError("never")

    async def run(step):
        with pytest.raises(NonRetryableError, match=r"Failed to read from step ReadableStream output\. never"):
            await step.do("s", hopeless)

    server = await serve(run)
    await server.run()
    assert (1, {}) == (effects["hopeless"], await left(server))


async def test_the_timeout_covers_the_reading(serve):
    """The stream is cancelled, its chunks are gone, and the next attempt has a timeout of its own."""
    gates = [Gate(), Gate()]

    async def run(step):
        with pytest.raises(WorkflowTimeoutError, match="Execution timed out after 1000ms"):
            await step.do("s", {**ONCE, "timeout": "1 second"}, lambda ctx: gates[ctx.attempt - 1].stream())

    server = await serve(run)
    instance = await server[run.__name__].create()
    for gate in gates:
        await server.time_out(gate.reached)
    assert "complete" == (await server.finish(instance)).status
    assert [1, 1] == [gate.closed for gate in gates]
    assert {} == await left(server)


async def test_a_stream_that_comes_after_the_timeout_is_cancelled(serve):
    """The callback goes on; what it gives is closed unread."""
    began, on, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Source:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise AssertionError("it is read")

        async def aclose(self):
            closed.set()

    async def late():
        began.set()
        await on.wait()
        return Source()

    async def run(step):
        with pytest.raises(WorkflowTimeoutError):
            await step.do("s", {"retries": {"limit": 0, "delay": 0}, "timeout": "1 second"}, late)
        await step.sleep("nap", "1 day")

    server = await serve(run)
    instance = await server[run.__name__].create()
    await server.time_out(began)
    on.set()
    await closed.wait()
    await server.finish(instance)
    assert {} == await left(server)


async def test_time_stands_still_while_a_stream_is_read(serve):
    """A parallel sleep does not end before the stream has."""
    order = []

    async def slow():
        for _ in range(50):
            await asyncio.to_thread(lambda: None)
            yield b"x"
        order.append("read")

    async def run(step):
        async def nap():
            await step.sleep("nap", "1 second")
            order.append("slept")

        await asyncio.gather(step.do("s", slow), nap())

    server = await serve(run)
    instance = await server[run.__name__].create()
    await server.clock.advance("1 hour")
    assert "complete" == (await instance.status()).status
    assert ["read", "slept"] == order


def disturbed():
    stream = ReadableStream(b"x")
    stream._take_whole()
    return stream


def locked():
    stream = ReadableStream([b"x"])
    stream.get_reader()
    return stream


UNREADABLE = (
    "Step returned a ReadableStream that is already locked or otherwise unreadable. Return a fresh, unlocked "
    "ReadableStream from step.do()."
)
LARGE = (
    "Step returned a ReadableStream chunk larger than the maximum allowed size of 16777216 bytes. Return smaller "
    "chunks from step.do(). This one has 16777217 bytes."
)
UNSUPPORTED = (
    "Step returned a ReadableStream with unsupported chunk type. Only ArrayBuffer and TypedArray chunks are supported. "
)


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (disturbed, UNREADABLE),
        (locked, UNREADABLE),
        (lambda: counted([b"a", "é"]), UNSUPPORTED + "In Python these are bytes, bytearray and memoryview; "
         "a chunk was a str: encode it."),
        (lambda: counted([{"a": 1}]), UNSUPPORTED + "In Python these are bytes, bytearray and memoryview; "
         "a chunk was a dict."),
        (lambda: counted([b"a" * BLOCK_BYTES, memoryview(bytes(MAX_CHUNK_BYTES + 1))]),
         LARGE),
    ],
    ids=["disturbed", "locked", "str", "dict", "large"],
)  # fmt: skip
async def test_what_is_no_stream_of_bytes_is_refused_at_once(serve, callback, message):
    """It would be the same in the next attempt, so there is none."""

    async def run(step):
        await step.do("s", callback)

    server = await serve(run)
    status = await server.finish(await server.create())
    assert {"name": "SerializationError", "message": message} == status.error
    assert effects["stream"] <= 1
    assert {} == await left(server)


async def test_a_chunk_of_16_mebibytes_fits(serve):
    """The limit is the platform's."""

    async def run(step):
        return len(await whole(await step.do("s", lambda: counted([bytes(MAX_CHUNK_BYTES)]))))

    server = await serve(run)
    assert MAX_CHUNK_BYTES == await server.run()
    assert {("s-1", 1): [BLOCK_BYTES] * 64} == await left(server)


async def test_an_exhausted_generator_is_no_empty_stream(serve):
    """A generator that was made outside the callback has nothing left for a second attempt, and it is not stored so."""

    async def fails():
        yield b"x"
        raise ValueError("once")

    async def run(step):
        made = fails()
        with pytest.raises(SerializationError, match="already locked or otherwise unreadable"):
            await step.do("s", ONCE, lambda: made)

    server = await serve(run)
    await server.run()


async def test_the_storage_of_an_instance_is_limited(serve, monkeypatch):
    """All its streams count, also those side by side, and so does the journal; there is no second attempt."""
    monkeypatch.setattr(sizes, "MAX_STATE_BYTES", 5 * BLOCK_BYTES)
    monkeypatch.setattr(streams, "_TRUSTED_BYTES", BLOCK_BYTES)

    async def run(step):
        await step.do("first", lambda: counted([bytes(2 * BLOCK_BYTES)]))
        await step.do("journal", lambda: "x" * BLOCK_BYTES)
        with pytest.raises(WorkflowInternalError) as raised:
            await step.do("second", lambda: counted([bytes(3 * BLOCK_BYTES)]))
        return str(raised.value)

    server = await serve(run)
    message = await server.run()
    assert message.startswith("The instance has exceeded the 1.25MiB storage limit: 1")
    assert message.endswith("Store large outputs elsewhere (R2), and return their keys.")
    assert {("first-1", 1): [BLOCK_BYTES] * 2} == await left(server)
    assert 2 == effects["stream"]


async def test_a_failed_stream_makes_room(serve, monkeypatch):
    """What was erased does not count."""
    monkeypatch.setattr(sizes, "MAX_STATE_BYTES", 5 * BLOCK_BYTES)

    async def flaky(ctx):
        yield bytes(4 * BLOCK_BYTES)
        if ctx.attempt < 3:
            raise ValueError("again")

    async def run(step):
        await step.do("s", {"retries": {"limit": 3, "delay": 1}}, flaky)

    server = await serve(run)
    await server.run()
    assert {("s-1", 3): [BLOCK_BYTES] * 4} == await left(server)
