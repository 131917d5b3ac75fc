"""A server over a state of many instances that sleep: how long it takes to start, and what they cost its worker.

`--sleepers 1000000` measures a million.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measures.seeding import seed
from benchmarks.servers import Server, Side, memory_of, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row

TOMORROW_MS = 86_400_000


def rows(sizes: Sizes) -> Sequence[Row]:
    count = f"{sizes.sleepers:,}"
    return [
        Row(f"start with {count} sleepers", "s", goal=3, absolute=True),
        Row(f"memory that {count} sleepers cost the worker process", "MiB", goal=50, absolute=True),
        Row(f"disk of {count} sleepers", "MiB"),
    ]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    start, memory, disk = (row.name for row in rows(sizes))
    async with running(side) as server:
        empty = _worker_mib(server)
    with tempfile.TemporaryDirectory(prefix="cfwf-bench-") as folder:
        state = Path(folder)
        await seed(side, state, sizes.sleepers, int(time.time() * 1000) + TOMORROW_MS, apart_us=1000)
        async with running(side, state) as server:
            return {start: server.started_in_s, memory: _worker_mib(server) - empty, disk: server.disk()}


def _worker_mib(server: Server) -> float:
    """Memory of the process that serves, in MiB: the largest one that was forked."""
    found = [info.uss for process in server.processes()[1:] if (info := memory_of(process)) is not None]
    return max(found) / 2**20
