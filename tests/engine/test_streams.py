"""Steps whose result is a stream: what comes out is what went in, and nothing is left of what failed."""

import asyncio
import contextlib
import hashlib
import io
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from programs import effects
from test_crash import Death

from cfworkflows import (
    NonRetryableError,
    PortabilityWarning,
    ReadableStream,
    Request,
    Response,
    SerializationError,
    WorkflowError,
    WorkflowInternalError,
    WorkflowTimeoutError,
    fetch,
)
from cfworkflows_emulator.api.details import describe_instance
from cfworkflows_emulator.engine import sizes, streams
from cfworkflows_emulator.engine.streams import BLOCK_BYTES, MAX_CHUNK_BYTES

INCOMPLETE = r"Stored output for s-1 is corrupt or incomplete\. Chunk 2 of 2"
ONCE = {"retries": {"limit": 1, "delay": 0}}


@pytest.fixture(autouse=True)
def _no_effects():
    effects.clear()


async def counted(chunks):
    """Gives `chunks`, and counts how often it was begun."""
    effects["stream"] += 1
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


async def whole(stream):
    return await Response(stream).bytes()


async def left(server):
    """The chunks on disk, as (step, attempt, bytes of each)."""
    await server.engine.store.flushed()
    query = "SELECT step, attempt, length(data) FROM stream_chunks ORDER BY instance, step, attempt, number"
    found = {}
    for step, attempt, size in await server.database.run(lambda connection: connection.execute(query).fetchall()):
        found.setdefault((step, attempt), []).append(size)
    return found


class Gate:
    """A stream that stops after its first block, until it is let on; `closed` tells that it was closed."""

    def __init__(self):
        self.reached = asyncio.Event()
        self.on = asyncio.Event()
        self.closed = 0
        self.over = asyncio.Event()

    async def stream(self, ctx=None):
        try:
            yield b"a" * BLOCK_BYTES
            self.reached.set()
            await self.on.wait()
            yield b"b"
        finally:
            self.closed += 1
            self.over.set()


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


async def generator():
    yield b"some"
    yield b"thing"


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


async def stopped_in_the_middle(server, gate):
    instance = await server[server.classes[0]].create(id="i")
    await gate.reached.wait()
    await server.engine.store.flushed()
    assert [BLOCK_BYTES] == (await left(server))["s-1", 1]
    return instance


@pytest.mark.parametrize("act", ["terminate", "terminate with rollback", "delete", "restart", "restart from", "kill"])
async def test_nothing_is_left_of_a_stream_that_was_cut_off(serve, act):
    """However it was; what was stored before stays where the instance does."""
    gates = [Gate(), Gate()]

    async def run(step):
        await step.do("before", lambda: counted([b"x"]), {"rollback": lambda: None})
        gate = gates[min(effects["gate"], 1)]
        effects["gate"] += 1
        stream = await step.do("s", gate.stream)
        return len(await whole(stream))

    server = await serve(run, file=True)
    instance = await stopped_in_the_middle(server, gates[0])
    gates[1].on.set()
    match act:
        case "terminate":
            await instance.terminate()
        case "terminate with rollback":
            await instance.terminate(rollback=True)
        case "delete":
            await instance.delete()
        case "restart":
            await instance.restart()
        case "restart from":
            await instance.restart(from_={"name": "s"})
        case "kill":
            await server.restart()
            instance = await server.get("i")
    await server.clock.settle()
    before = {("before-1", 1): [1]}
    if act in ("terminate", "terminate with rollback"):
        assert before == await left(server)
    elif act == "delete":
        assert {} == await left(server)
    else:
        assert BLOCK_BYTES + 1 == (await server.finish(instance)).output
        attempt = 2 if act == "kill" else 1
        assert {**before, ("s-1", attempt): [BLOCK_BYTES, 1]} == await left(server)
    assert (2 if act == "restart" else 1) == effects["stream"]
    assert 1 == gates[0].closed


async def test_a_pause_waits_for_the_stream(serve):
    """The attempt that runs is finished first, as any is."""
    gate = Gate()

    async def run(step):
        return len(await whole(await step.do("s", gate.stream)))

    server = await serve(run)
    instance = await stopped_in_the_middle(server, gate)
    await instance.pause()
    assert "waitingForPause" == (await instance.status()).status
    gate.on.set()
    await server.clock.settle()
    assert "paused" == (await instance.status()).status
    await instance.resume()
    assert BLOCK_BYTES + 1 == (await server.finish(instance)).output


async def test_a_stream_that_nobody_awaits_is_lost_whole(serve):
    """The instance has ended: what its callback still gives is not stored."""
    gate = Gate()

    async def run(step):
        step.do("s", gate.stream)
        await gate.reached.wait()

    server = await serve(run)
    instance = await server.create()
    assert "complete" == (await server.finish(instance)).status
    assert {} == await left(server)
    gate.on.set()
    await gate.over.wait()
    assert {} == await left(server)


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_killed_after_any_commit_it_ends_the_same(serve, monkeypatch, evict_after_ms):
    """Each journal write and each chunk: the same output, finished streams are not made again, and nothing is left."""
    data = [bytes([n]) * (BLOCK_BYTES // 2) for n in range(5)]

    async def run(step):
        first = await step.do("first", lambda: counted(data))
        await step.sleep("nap", "1 day")
        second = await step.do("second", lambda: first)
        return hashlib.sha256(await whole(second)).hexdigest()

    expected = hashlib.sha256(b"".join(data)).hexdigest()
    commits, status = 0, None
    while status is None:
        effects.clear()
        server = await serve(run, file=True, evict_after_ms=evict_after_ms)
        with monkeypatch.context() as patch:
            death = Death(patch, commits)
            life = asyncio.ensure_future(_live(server))
            end = asyncio.ensure_future(death.came.wait())
            await asyncio.wait({life, end}, return_when=asyncio.FIRST_COMPLETED)
            end.cancel()
            status = life.result() if life.done() else life.cancel() and None
        await server.kill()
        calls = effects["stream"]
        done = _is_done(server.path, "first-1")
        assert done or status is None
        await server.start()
        instance = await server["run"].create(id="i") if await _needs_creation(server) else await server.get("i")
        assert expected == (await server.finish(instance)).output, commits
        if done:
            assert calls == effects["stream"]
        found = await left(server)
        assert [[BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES // 2]] * 2 == list(found.values()), commits
        assert ["first-1", "second-1"] == [step for step, _ in found]
        await server.stop()
        commits += 1
    assert commits > 8


async def _live(server):
    return await server.finish(await server["run"].create(id="i"))


def _is_done(path, step):
    """Whether the only instance has a result of the step, as the file says."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        query = "SELECT count(*) FROM journal WHERE step = ? AND type = 'step_completed'"
        return connection.execute(query, (step,)).fetchone()[0] == 1


async def _needs_creation(server):
    try:
        await server.get("i")
    except WorkflowError:
        return True
    return False


async def test_a_step_that_is_kept_keeps_its_stream(serve):
    """A restart from a later step: the stream is read from where it is, and not made again."""

    async def run(step):
        stream = await step.do("first", lambda: counted([b"a"]))
        later = await step.do("later", lambda: counted([b"b"]))
        return (await whole(stream) + await whole(later)).decode()

    server = await serve(run)
    instance = await server.create()
    await instance.restart({"from": {"name": "later"}})
    assert "ab" == (await server.finish(instance)).output
    assert 3 == effects["stream"]
    assert {("first-1", 1): [1], ("later-1", 1): [1]} == await left(server)


@pytest.mark.parametrize("act", ["restart", "delete"])
async def test_a_reader_of_what_was_erased_is_told(serve, act):
    """It does not get the rest of the stream that took its place."""

    async def run(step):
        await step.do("s", lambda: counted([bytes([effects["stream"]]) * 2 * BLOCK_BYTES]))

    server = await serve(run)
    instance = await server.create()
    events = await told(await instance.subscribe({"filter": ["step_completed"]}))
    reader = events[0].output.get_reader()
    assert BLOCK_BYTES == len((await reader.read()).value)
    await getattr(instance, act)()
    await server.clock.settle()
    with pytest.raises(WorkflowInternalError, match=INCOMPLETE):
        await reader.read()


async def told(subscription):
    return [event async for event in subscription]


async def test_it_is_read_again_by_several_readers(serve):
    """Each reads all of it; a second reading says that it is not portable, once."""

    async def run(step):
        stream = await step.do("s", lambda: counted([b"x" * BLOCK_BYTES, b"y"]))
        first = stream.get_reader()
        assert b"x" * BLOCK_BYTES == (await first.read()).value
        with pytest.warns(PortabilityWarning, match="a stream is read once") as warned:
            bodies = await asyncio.gather(
                whole(stream), whole(stream), Request("http://a", body=stream, method="POST").bytes()
            )
        assert [__file__] == [each.filename for each in warned]
        assert b"y" == (await first.read()).value
        return [len(body) for body in bodies]

    server = await serve(run)
    assert [BLOCK_BYTES + 1] * 3 == await server.run()


async def test_an_attempt_that_failed_while_reading_does_not_spoil_the_next(serve):
    """The step that consumes the stream reads it from its start when it is retried."""

    async def run(step):
        stream = await step.do("s", lambda: counted([b"x" * BLOCK_BYTES, b"y"]))

        async def consume(ctx):
            size = 0
            async for chunk in stream:
                size += len(chunk)
                if ctx.attempt == 1:
                    raise ValueError("in the middle")
            return size

        with pytest.warns(PortabilityWarning):
            return await step.do("consume", ONCE, consume)

    server = await serve(run)
    assert BLOCK_BYTES + 1 == await server.run()


async def test_it_is_a_body_for_fetch(serve, aiohttp_echo):
    """What arrives is what the step gave."""

    async def run(step):
        stream = await step.do("s", lambda: counted([b"x" * BLOCK_BYTES, b"y"]))

        async def upload():
            answer = await fetch(aiohttp_echo, {"method": "POST", "body": stream})
            return (await answer.bytes())[-2:].decode()

        return await step.do("upload", upload)

    server = await serve(run)
    assert "xy" == await server.run()


@pytest.fixture
async def aiohttp_echo():
    """The address of a server that sends back what it is sent."""
    from aiohttp import web

    from cfworkflows.http import close_client

    app = web.Application(client_max_size=2**30)

    async def echo(request):
        return web.Response(body=await request.read())

    app.router.add_post("/", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await close_client()
    await runner.cleanup()


async def test_what_the_surfaces_show(serve):
    """Subscribers get a fresh stream each; people see the start of a text, and how much there is of anything else."""

    async def run(step):
        await step.do("text", lambda: counted(["é".encode()[:1], "é".encode()[1:], b"!"]))
        await step.do("long", lambda: counted([b"x" * 1025]))
        await step.do("binary", lambda: counted([b"\xff\x00", b"a" * BLOCK_BYTES]))

    server = await serve(run)
    instance = await server.create()
    _, entries = await server.engine.history("run", instance.id)
    outputs = {step["name"]: step["output"] for step in describe_instance(entries)["steps"]}
    assert {
        "text-1": "é!",
        "long-1": "x" * 1024 + "[truncated output]",
        "binary-1": f"[ReadableStream (binary): {BLOCK_BYTES + 2} bytes]",
    } == outputs
    for _ in range(2):
        [text, *_] = await told(await instance.subscribe({"filter": ["step_completed"]}))
        assert "é!" == await Response(text.output).text()


@pytest.mark.parametrize("where", ["output", "nested", "params", "event"])
async def test_a_stream_is_stored_as_the_whole_result_of_a_step_only(serve, where):
    """Elsewhere it is refused with what to do."""

    async def run(step):
        if where == "output":
            return await step.do("s", lambda: counted([b"x"]))
        if where == "nested":
            await step.do("s", lambda: {"stream": ReadableStream(b"x")})
        return await step.wait_for_event("w", type="go")

    server = await serve(run)
    advice = "A stream of bytes can only be the whole result of a step: return it by itself, or what it reads."
    if where == "params":
        with pytest.raises(SerializationError) as refused:
            await server.create(params=ReadableStream(b"x"))
        message = str(refused.value)
    else:
        instance = await server.create()
        if where == "event":
            with pytest.raises(SerializationError) as refused:
                await instance.send_event(type="go", payload=generator())
            message = str(refused.value)
        else:
            message = (await instance.status()).error.message
    assert message.endswith(advice)


async def test_a_rollback_handler_reads_the_stream(serve):
    """As the output of its step, also after the instance was evicted."""
    undone = []

    async def run(step):
        async def undo(context):
            undone.append(await whole(context.output))

        await step.do("s", lambda: counted([b"x"]), {"rollback": undo})
        await step.sleep("nap", "1 day")
        raise ValueError("no")

    server = await serve(run, evict_after_ms=0)
    assert "complete" == (await server.finish(await server.create())).rollback.outcome
    assert [b"x"] == undone


async def test_a_chunk_that_is_missing_is_an_error(serve):
    """Part of an output is not taken for all of it."""

    async def run(step):
        stream = await step.do("s", lambda: counted([b"x" * BLOCK_BYTES, b"y"]))
        await step.wait_for_event("w", type="go")
        with pytest.raises(WorkflowInternalError, match=INCOMPLETE):
            await whole(stream)

    server = await serve(run, file=True)
    instance = await server.create()
    assert {("s-1", 1): [BLOCK_BYTES, 1]} == await left(server)
    with sqlite3.connect(server.path) as other:
        other.execute("DELETE FROM stream_chunks WHERE number = 1")
    other.close()
    await instance.send_event(type="go")
    assert "complete" == (await server.finish(instance)).status


MEMORY = textwrap.dedent(
    """
    import asyncio, hashlib, sys, tracemalloc
    from pathlib import Path
    from cfworkflows import Response, WorkflowEntrypoint
    from cfworkflows_bindings import WorkflowBinding
    from cfworkflows_emulator.clock import SystemClock
    from cfworkflows_emulator.engine import Engine, WorkflowDefinition, open_database

    async def large(mebibytes):
        for n in range(mebibytes):
            yield bytes([n]) * 1024 * 1024

    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            digest = hashlib.sha256()
            async for chunk in await step.do("large", lambda: large(event.payload)):
                digest.update(chunk)
            return digest.hexdigest()

    async def run(w, mebibytes):
        instance = await w.create(params=mebibytes)
        while (status := await instance.status()).status not in ("complete", "errored"):
            await asyncio.sleep(0.01)
        return status.output

    async def main():
        database = await open_database(Path(sys.argv[1]))
        engine = await Engine.open([WorkflowDefinition("w", lambda: W(None, None))], SystemClock(), database)
        w = WorkflowBinding(engine, "w")
        await run(w, 1)
        tracemalloc.start()
        print(await run(w, 64), tracemalloc.get_traced_memory()[1])
        await engine.close()

    asyncio.run(main())
    """
)


def test_64_mebibytes_do_not_go_through_the_memory(tmp_path):
    """All of them are there, and there was never more than a quarter of them at the same time."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "state.sqlite")], capture_output=True, text=True, check=True
    )
    digest, peak = done.stdout.split()
    expected = hashlib.sha256(b"".join(bytes([n]) * 1024 * 1024 for n in range(64))).hexdigest()
    assert expected == digest
    assert 16 * 1024 * 1024 > int(peak)
