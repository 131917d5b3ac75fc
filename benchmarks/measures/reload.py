"""From saving a source to the first answer of the new code, with a client that asks all the time."""

import time
from collections.abc import Mapping, Sequence

import aiohttp

from benchmarks.servers import Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row

NAME = "first answer after a reload"
ROUNDS = 3


def rows(sizes: Sizes) -> Sequence[Row]:
    return [Row(NAME, "s", goal=10)]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    seconds = []
    async with running(side) as server:
        source = server.project / side.source
        text = source.read_text()
        await _answer(server.session, b"hello", sizes.settle_s)  # watchers that watch from now on
        for number in range(ROUNDS):
            expected = f"hello {number}"
            began = time.perf_counter()
            source.write_text(text.replace('Response("hello")', f'Response("{expected}")'))
            await _answer(server.session, expected.encode())
            seconds.append(time.perf_counter() - began)
    return {NAME: sorted(seconds)[len(seconds) // 2]}


async def _answer(session: aiohttp.ClientSession, expected: bytes, for_s: float = 0) -> None:
    """Ask until the answer is `expected`, and it has been for a while."""
    began = time.perf_counter()
    deadline = began + 60
    while time.perf_counter() < deadline:
        try:
            async with session.get("/") as response:
                if await response.read() == expected and time.perf_counter() - began >= for_s:
                    return
        except aiohttp.ClientError:
            continue
    raise RuntimeError(f"No answer {expected!r} came within a minute.")
