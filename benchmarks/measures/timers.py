"""How late the last of many instances is whose sleeps end at the same time: in memory, and evicted."""

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measures.seeding import seed
from benchmarks.servers import Server, Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row


def rows(sizes: Sizes) -> Sequence[Row]:
    count = f"{sizes.timers:,} sleeps that end together"
    return [
        Row(f"{count}: the last is late by", "s", goal=1, absolute=True),
        Row(f"{count}, evicted: the last is late by", "s", goal=1, absolute=True),
    ]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    in_memory, evicted = (row.name for row in rows(sizes))
    found = {}
    async with running(side) as server:
        due = _in_ms(sizes.timers_ahead_s)
        await server.create(sizes.timers, kind="until", n=due)
        assert time.time() * 1000 < due, "The machine is too slow, or too busy, to create them in time."
        found[in_memory] = await _lateness(server, due, sizes.timers)
    with tempfile.TemporaryDirectory(prefix="cfwf-bench-") as folder:
        due = _in_ms(2 * sizes.timers_ahead_s)
        await seed(side, Path(folder), sizes.timers, due, kind="until")
        async with running(side, Path(folder)) as server:
            found[evicted] = await _lateness(server, due, sizes.timers)
    return found


def _in_ms(seconds: int) -> int:
    """The time in so many seconds, in ms since the epoch."""
    return int((time.time() + seconds) * 1000)


async def _lateness(server: Server, due: int, count: int) -> float:
    await asyncio.sleep(max(due / 1000 - time.time(), 0))
    while (ended := await server.ask("/done"))["done"] < count:
        await asyncio.sleep(0.25)
    return max((ended["last"] - due) / 1000, 0.0)
