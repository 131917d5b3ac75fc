"""Large bodies of R2: a kill in the middle of a put leaves the old object, and memory stays flat."""

import asyncio
import hashlib
from urllib.parse import urlsplit

import psutil
import pytest
from devserver import running, starting, write

__all__ = ["running", "starting", "write"]

WORKER = """
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.method == "PUT":
            return Response((await self.env.FILES.put("a", request.body)).etag)
        return Response((await self.env.FILES.get("a")).body)
"""
CONFIG = '[[r2_buckets]]\nbinding = "FILES"\nbucket_name = "files"\n'
MIB = 1024 * 1024
SOAKED_MIB = 300


async def put(url, pieces, size):
    """Send a body, and read the answer if all of it was sent."""
    reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
    writer.write(b"PUT / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
    sent = 0
    for piece in pieces:
        writer.write(piece)
        sent += len(piece)
        await writer.drain()
    if sent < size:
        return writer
    answer = await reader.read()
    writer.close()
    return answer.rpartition(b"\r\n")[2].decode()


async def test_a_put_that_is_killed_leaves_the_old_object(write, running):
    """And nothing of the new one."""
    folder = write(WORKER, CONFIG)
    blobs = folder / ".cfwf" / "state" / "r2" / "files" / "blobs"
    old = bytes(range(256)) * 4096
    async with running(cwd=folder) as dev:
        assert hashlib.md5(old).hexdigest() == await put(dev.url, [old], len(old))
        writer = await put(dev.url, [bytes(MIB)] * 8, 16 * MIB)
        async with asyncio.timeout(30):
            while not list(blobs.glob("*.part")):  # noqa: ASYNC110 - the server says nothing
                await asyncio.sleep(0.01)
        supervisor = psutil.Process(dev.process.pid)
        for process in (*supervisor.children(recursive=True), supervisor):
            process.kill()
        await dev.ended()
        writer.close()
    assert 2 == len(list(blobs.iterdir()))
    async with running(cwd=folder) as dev:
        reader, writer = await asyncio.open_connection(urlsplit(dev.url).hostname, urlsplit(dev.url).port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert old == (await reader.read()).partition(b"\r\n\r\n")[2]
        writer.close()
        assert 1 == len(list(blobs.iterdir()))


@pytest.mark.soak
async def test_memory_stays_flat(write, running):
    """Hundreds of megabytes go in and out, and the server grows by less than a tenth of them."""
    async with running(cwd=write(WORKER, CONFIG)) as dev:
        await put(dev.url, [bytes(MIB)], MIB)
        processes = psutil.Process(dev.process.pid).children(recursive=True)
        most = [0]

        def looked():
            most.append(sum(each.memory_info().rss for each in processes))

        looked()
        before = most[-1]

        def pieces():
            for _ in range(SOAKED_MIB):
                looked()
                yield bytes(MIB)

        await put(dev.url, pieces(), SOAKED_MIB * MIB)
        reader, writer = await asyncio.open_connection(urlsplit(dev.url).hostname, urlsplit(dev.url).port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = 0
        while chunk := await reader.read(MIB):
            got += len(chunk)
            looked()
        writer.close()
        assert got > SOAKED_MIB * MIB
        assert max(most) - before < SOAKED_MIB * MIB / 10
