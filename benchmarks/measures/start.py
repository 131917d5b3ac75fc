"""From the start of the command to its first answer, on an empty state."""

from collections.abc import Mapping, Sequence

from benchmarks.servers import Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row

NAME = "cold start to first answer"


def rows(sizes: Sizes) -> Sequence[Row]:
    return [Row(NAME, "s", goal=6)]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    async with running(side):  # what is compiled once, and the files that the machine has not read yet
        pass
    async with running(side) as server:
        return {NAME: server.started_in_s}
