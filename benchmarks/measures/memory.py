"""Memory of all processes of a server that has answered once and has nothing to do."""

import asyncio
from collections.abc import Mapping, Sequence

from benchmarks.servers import Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row

RSS = "memory when idle, RSS of all processes"
PSS = "memory when idle, PSS of all processes"


def rows(sizes: Sizes) -> Sequence[Row]:
    return [Row(RSS, "MiB", goal=6), Row(PSS, "MiB", goal=6)]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    async with running(side) as server:
        await asyncio.sleep(sizes.settle_s)
        memory = server.memory()
        return {RSS: memory["rss"], PSS: memory["pss"]}
