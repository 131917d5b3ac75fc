"""From sending an event to the completion of the instance that waited for it, with the request that asks for both."""

import time
from collections.abc import Mapping, Sequence

from benchmarks.servers import Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row

P50 = "event to complete, p50"
P99 = "event to complete, p99"


def rows(sizes: Sizes) -> Sequence[Row]:
    return [Row(P50, "ms", goal=8), Row(P99, "ms", goal=8)]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    milliseconds = []
    async with running(side) as server:
        ids = await server.create(sizes.events, kind="event", n=0)
        for id in ids:
            while (await server.ask(f"/status/{id}"))["status"] not in ("waiting", "running"):
                continue
            began = time.perf_counter()
            await server.ask(f"/finish/{id}", "POST")
            milliseconds.append((time.perf_counter() - began) * 1000)
    milliseconds.sort()
    return {P50: milliseconds[len(milliseconds) // 2], P99: milliseconds[len(milliseconds) * 99 // 100]}
