"""Streams for steps to return, and what is left of them on disk."""

import asyncio

from programs import effects

from cfworkflows import Response
from cfworkflows_emulator.engine.run.streams import BLOCK_BYTES

ONCE = {"retries": {"limit": 1, "delay": 0}}


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


async def generator():
    yield b"some"
    yield b"thing"
