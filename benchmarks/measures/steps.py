"""Steps per second of one instance whose steps follow each other, and whether the last are slower than the first."""

from collections.abc import Mapping, Sequence

from benchmarks.servers import Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import Row


def _name(count: int) -> str:
    return f"steps/s in a row, {count:,}"


def _slope(count: int) -> str:
    return f"time of the last tenth of {count:,} steps, first tenth = 1"


def rows(sizes: Sizes) -> Sequence[Row]:
    found = [Row(_name(count), "/s", goal=20, more_is_better=True) for count in sizes.steps]
    return [*found, Row(_slope(sizes.steps[-1]), "", goal=1.25, absolute=True)]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    found = {}
    async with running(side) as server:
        for done, count in enumerate(sizes.steps, start=1):
            [id] = await server.create(1, kind="steps", n=count)
            await server.done(done)
            marks = (await server.completed(id))["output"]
            found[_name(count)] = count / ((marks[-1] - marks[0]) / 1000)
            if count == sizes.steps[-1]:
                found[_slope(count)] = (marks[-1] - marks[-2]) / max(marks[1] - marks[0], 0.001)
    return found
