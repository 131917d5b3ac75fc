"""A stream that is stored: who reads it, how often, where it is shown, and what it costs."""

import asyncio
import hashlib
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from programs import effects
from stream_sources import ONCE, counted, generator, left, whole

from cfworkflows import (
    PortabilityWarning,
    ReadableStream,
    Request,
    Response,
    SerializationError,
    WorkflowInternalError,
    fetch,
)
from cfworkflows_emulator.engine.run.streams import BLOCK_BYTES
from cfworkflows_emulator.views import History, describe_instance

INCOMPLETE = r"Stored output for s-1 is corrupt or incomplete\. Chunk 2 of 2"


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
    outputs = {step["name"]: step["output"] for step in describe_instance(History.of(entries))["steps"]}
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
