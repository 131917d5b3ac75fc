"""Instances per second: one step each, from the first creation to the last completion."""

import time
from collections.abc import Mapping, Sequence

from benchmarks.servers import Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row


def _name(count: int) -> str:
    return f"instances/s, {count:,} of one step"


def rows(sizes: Sizes) -> Sequence[Row]:
    return [Row(_name(count), "/s", goal=25, more_is_better=True) for count in sizes.instances]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    found = {}
    async with running(side) as server:
        done = 0
        for count in sizes.instances:
            began = time.perf_counter()
            ids = await server.create(count, kind="steps", n=1)
            done += count
            await server.done(done)
            await server.completed(ids[-1])
            found[_name(count)] = count / (time.perf_counter() - began)
    return found
