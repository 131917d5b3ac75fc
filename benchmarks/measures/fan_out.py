"""Steps per second of one instance whose steps run side by side, from its creation to its completion."""

import time
from collections.abc import Mapping, Sequence

from benchmarks.servers import Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row

ROUNDS = 5


def _name(sizes: Sizes) -> str:
    return f"steps/s side by side, {sizes.fan_out}"


def rows(sizes: Sizes) -> Sequence[Row]:
    return [Row(_name(sizes), "/s", goal=15, more_is_better=True)]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    seconds = []
    async with running(side) as server:
        for done in range(1, ROUNDS + 1):
            began = time.perf_counter()
            [id] = await server.create(1, kind="fan-out", n=sizes.fan_out)
            await server.done(done)
            await server.completed(id)
            seconds.append(time.perf_counter() - began)
    return {_name(sizes): sizes.fan_out / sorted(seconds)[ROUNDS // 2]}
