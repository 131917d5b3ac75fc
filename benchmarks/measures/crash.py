"""How many sleeping instances complete by themselves after kill -9 and a new start."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.servers import Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row

LATE_S = 20
"""How long after the end of the sleeps they are waited for."""


def rows(sizes: Sizes) -> Sequence[Row]:
    name = f"of {sizes.killed:,} sleepers, complete after kill -9"
    return [Row(name, "", goal=sizes.killed, more_is_better=True, absolute=True)]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    with tempfile.TemporaryDirectory(prefix="cfwf-bench-", ignore_cleanup_errors=True) as state:
        async with running(side, Path(state)) as server:
            await server.create(sizes.killed, kind="sleep", n=sizes.killed_sleep_s)
            created = time.perf_counter()
            before = (await server.ask("/done"))["done"]
            assert before == 0, f"{before} instances ended before the server was killed: let them sleep for longer."
            await server.kill()
        async with running(side, Path(state)) as server:
            left = created + sizes.killed_sleep_s + LATE_S - time.perf_counter()
            await server.done(sizes.killed, timeout_s=left)
            return {rows(sizes)[0].name: (await server.ask("/done"))["done"]}
