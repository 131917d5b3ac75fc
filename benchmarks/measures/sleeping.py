"""What instances that sleep cost: memory of all processes once the grace period is over, and disk."""

import asyncio
from collections.abc import Mapping, Sequence

from benchmarks.servers import Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row

GRACE_S = 12
"""After this many seconds ours have left memory; the peer gets the same time."""


def rows(sizes: Sizes) -> Sequence[Row]:
    count = f"{sizes.sleeping:,}"
    return [Row(f"memory of a sleeper, of {count}", "KiB", goal=50), Row(f"disk of a sleeper, of {count}", "KiB", 50)]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    memory, disk = (row.name for row in rows(sizes))
    async with running(side) as server:
        await server.create(1, kind="sleep", n=86_400)
        await asyncio.sleep(sizes.settle_s)
        before, disk_before = server.memory()["pss"], server.disk()
        await server.create(sizes.sleeping, kind="sleep", n=86_400)
        await asyncio.sleep(GRACE_S if sizes.settle_s >= 1 else sizes.settle_s)
        grown = max(server.memory()["pss"] - before, 0)
        per = 1024 / sizes.sleeping
        return {memory: grown * per, disk: (server.disk() - disk_before) * per}
