"""Saves that follow each other faster than workers do."""

import asyncio

import pytest

SAVES = 200
UNREAD = """
from version import VERSION
assert VERSION
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(str(VERSION))
"""


def save(folder, version):
    (folder / "src/version.new").write_text(f"VERSION = {version}\n")
    (folder / "src/version.new").rename(folder / "src/version.py")


async def post(dev, reader, writer, pieces):
    """The status and the body of an answer, and whether the connection is kept."""
    size = 20_000
    writer.write(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size * pieces}\r\n\r\n".encode())
    for _ in range(pieces):
        writer.write(b"x" * size)
        await asyncio.sleep(0.001)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    _, _, length = head.partition("content-length: ")
    body = await reader.readexactly(int(length.split("\r\n")[0]))
    return int(head.split()[1]), body.decode(), "connection: close" not in head


@pytest.mark.parametrize("pieces", [1, 5])
async def test_a_body_that_nobody_reads_costs_no_answer(write, running, pieces):
    """A handler that answers before the body has come: also in a chain of reloads the client gets the whole answer."""
    folder = write(UNREAD)
    save(folder, 1)
    answers = []
    stopping = False

    async def ask(dev):
        while not stopping:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(dev.url.rpartition(":")[2]))
            kept = True
            while kept and not stopping:
                status, text, kept = await post(dev, reader, writer, pieces)
                answers.append((status, text))
            writer.close()

    async with running() as dev:
        reading = asyncio.create_task(dev.process.stdout.read())
        clients = [asyncio.create_task(ask(dev)) for _ in range(8)]
        for version in range(2, SAVES):
            save(folder, version)
            await asyncio.sleep(0.02)
        async with asyncio.timeout(10):
            while answers[-1][1] != str(SAVES - 1):  # noqa: ASYNC110 - the server is another process
                await asyncio.sleep(0.01)
        stopping = True
        await asyncio.gather(*clients)
        dev.signal()
        assert 0 == await dev.process.wait()
        assert (await reading).count(b"Reloaded in") > 3
    assert {200} == {status for status, _ in answers}


WHOLE = """from cfworkflows import *
VERSION = {version}
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        text = (
            str(VERSION)
        )
        return Response(text)
"""
HALVES = {"nothing": 0, "a syntax error": WHOLE.index(")\n        return"), "no handler": WHOLE.index("class")}


@pytest.mark.parametrize("half", HALVES)
async def test_half_of_a_save_is_not_served(write, running, half):
    """A save that empties the file and writes it in two pieces, in the middle of reloads too: each answer is whole."""
    folder = write(WHOLE.format(version=0))
    entry = folder / "src/entry.py"
    answers = []
    stopping = False

    async def ask(dev):
        while not stopping:
            answers.append(await dev.get())

    async with running() as dev:
        reading = asyncio.create_task(dev.process.stdout.read())
        client = asyncio.create_task(ask(dev))
        for version in range(1, 20):
            text = WHOLE.format(version=version)
            with entry.open("w") as file:
                file.write(text[: HALVES[half]])
                file.flush()
                await asyncio.sleep(0.005 * (version % 8))
                file.write(text[HALVES[half] :])
            await asyncio.sleep(0.1 + 0.02 * (version % 10))
        async with asyncio.timeout(10):
            while answers[-1] != (200, "19"):  # noqa: ASYNC110 - the server is another process
                await asyncio.sleep(0.01)
        stopping = True
        await client
        dev.signal()
        assert 0 == await dev.process.wait()
        errors = [line for line in (await reading).decode().splitlines() if line.startswith("error")]
        assert [] == errors
    assert {200} == {status for status, _ in answers}
