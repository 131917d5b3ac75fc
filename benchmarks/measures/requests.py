"""Requests per second to a handler that says hello, over connections that are kept alive."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence

import aiohttp

from benchmarks.servers import Server, Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row


def _name(connections: int) -> str:
    return f"requests/s, {connections} connection{'s' if connections > 1 else ''}"


def rows(sizes: Sizes) -> Sequence[Row]:
    return [Row(_name(each), "/s", goal=8, more_is_better=True) for each in sizes.connections]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    async with running(side) as server:
        await _rate(server, 4, sizes.request_s / 4)  # warm
        return {_name(each): await _rate(server, each, sizes.request_s) for each in sizes.connections}


async def _rate(server: Server, connections: int, seconds: float) -> float:
    answered = 0
    wrong: list[str] = []

    async def client(session: aiohttp.ClientSession, end: float) -> None:
        nonlocal answered
        while time.perf_counter() < end:
            async with session.get("/") as response:
                text = await response.text()
            if text == "hello":
                answered += 1
            else:
                wrong.append(f"{response.status} {text[:200]}")

    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(server.url, connector=connector) as session:
        began = time.perf_counter()
        await asyncio.gather(*(client(session, began + seconds) for _ in range(connections)))
        seconds = time.perf_counter() - began
    if wrong:  # an answer that is an error is not counted, and is no reason to measure nothing
        print(f"{len(wrong)} of {answered + len(wrong)} answers were wrong, such as {wrong[0]}", file=sys.stderr)
    return answered / seconds
