"""How costs grow with the size of one instance: work that doubles may take twice as long, and no more than that.

Each is measured with a few sizes. The exponent is the slope of time over size, both as logarithms: 1 is time that grows
as the work does, 2 is time that grows with its square.
"""

import asyncio
import math
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measures.in_process import InProcess, engine_of
from benchmarks.servers import Side
from benchmarks.sizes import Sizes
from benchmarks.table import Row
from cfworkflows import WorkflowEntrypoint
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.engine import EngineSettings

GOAL = 1.25
"""The greatest exponent that still counts as straight: a sort or a heap is in it, and noise."""

STORY = 20
"""How many steps an instance has that is subscribed to."""

GRACE_MS = 10_000


async def waits(n: int) -> float:
    """The seconds from the first of `n` events of one type, each for one of `n` waits, to the end of the instance."""
    return await _waits(["go"] * n)


async def types(n: int) -> float:
    """The same, where each wait and its event have a type of their own."""
    return await _waits([f"go-{i}" for i in range(n)])


async def _waits(types: Sequence[str]) -> float:
    async def run(step: Any) -> None:
        await asyncio.gather(*(step.wait_for_event(f"wait {i}", type=type) for i, type in enumerate(types)))

    async def send(measured: InProcess, clock: VirtualClock) -> float:
        instance = await measured.binding.create()
        await clock.settle()
        began = time.perf_counter()
        for type in types:
            await instance.send_event(type=type)
        return await ended(measured, began)

    return await alone(run, send)


async def replay(n: int) -> float:
    """The seconds from an event to the end of an instance that has left memory after `n` steps, and is replayed."""

    async def run(step: Any) -> None:
        for i in range(n):
            await step.do(f"step {i}", lambda: None)
        await step.wait_for_event("wait", type="go")

    async def wake(measured: InProcess, clock: VirtualClock) -> float:
        instance = await measured.binding.create()
        await clock.settle()
        await clock.advance(GRACE_MS + 1)
        assert not measured.engine.residents.actors
        began = time.perf_counter()
        await instance.send_event(type="go")
        return await ended(measured, began)

    return await alone(run, wake, evict_after_ms=GRACE_MS)


async def subscribers(n: int) -> float:
    """The seconds that a short instance takes until its `n` subscribers have read all of it."""

    async def run(step: Any) -> None:
        await step.wait_for_event("begin", type="go")
        for i in range(STORY):
            await step.do(f"step {i}", lambda: None)

    async def follow(measured: InProcess, clock: VirtualClock) -> float:
        instance = await measured.binding.create()
        await clock.settle()

        async def read(subscription: Any) -> int:
            return len([event async for event in subscription])

        readers = [asyncio.ensure_future(read(await instance.subscribe())) for _ in range(n)]
        began = time.perf_counter()
        await instance.send_event(type="go")
        assert len(set(await asyncio.gather(*readers))) == 1
        return time.perf_counter() - began

    return await alone(run, follow)


async def sleeps(n: int) -> float:
    """The seconds that `n` sleeps side by side take, which end one by one; the time that they sleep is virtual."""

    async def run(step: Any) -> None:
        await asyncio.gather(*(step.sleep(f"sleep {i}", 1_000 + i) for i in range(n)))

    async def pass_time(measured: InProcess, clock: VirtualClock) -> float:
        began = time.perf_counter()
        await measured.binding.create()
        await clock.settle()
        while clock.next_timer is not None and measured.engine.residents.actors:
            await clock.advance_to_next()
        return await ended(measured, began)

    return await alone(run, pass_time)


async def together(n: int) -> float:
    """The seconds that an instance takes whose `n` steps run side by side."""

    async def run(step: Any) -> None:
        await asyncio.gather(*(step.do(f"step {i}", lambda: None) for i in range(n)))

    async def create(measured: InProcess, clock: VirtualClock) -> float:
        began = time.perf_counter()
        await measured.binding.create()
        return await ended(measured, began)

    return await alone(run, create)


Work = Callable[[InProcess, VirtualClock], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Cost:
    """`seconds` takes a size, in `unit`s of so many things: what is small is measured with more of them."""

    seconds: Callable[[int], Awaitable[float]]
    unit: int = 1


COSTS: Mapping[str, Cost] = {
    "waits for one type, and as many events": Cost(waits),
    "waits for a type each, and as many events": Cost(types),
    "steps replayed after an eviction": Cost(replay, unit=10),
    "subscribers of one instance": Cost(subscribers),
    "sleeps side by side": Cost(sleeps, unit=2),
    "steps side by side in one instance": Cost(together, unit=5),
}


async def alone(run: Callable[[Any], Awaitable[None]], work: Work, evict_after_ms: float | None = None) -> float:
    """What `work` measures with an engine of its own, whose one workflow runs `run(step)`."""

    class Measured(WorkflowEntrypoint[Any, Any]):
        async def run(self, event: Any, step: Any) -> None:
            await run(step)

    clock = VirtualClock()
    with tempfile.TemporaryDirectory(prefix="cfwf-bench-") as folder:
        async with engine_of(
            Measured, Path(folder, "engine.sqlite"), clock, settings=EngineSettings(evict_after_ms)
        ) as measured:
            return await work(measured, clock)


async def ended(measured: InProcess, began: float) -> float:
    """Wait until there is no instance in memory any more: the seconds since `began`."""
    while measured.engine.residents.actors:
        await asyncio.sleep(0)
    return time.perf_counter() - began


def _sizes(cost: Cost, sizes: Sizes) -> list[int]:
    return [n * cost.unit for n in sizes.slopes]


def _names(name: str, sizes: Sequence[int]) -> tuple[str, str]:
    return f"{sizes[-1]:,} {name}", f"{name}, {sizes[0]:,} to {sizes[-1]:,}: exponent"


def rows(sizes: Sizes) -> Sequence[Row]:
    found = []
    for name, cost in COSTS.items():
        seconds, exponent = _names(name, _sizes(cost, sizes))
        found += [Row(seconds, "s"), Row(exponent, "", goal=GOAL, absolute=True)]
    return found


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    found = {}
    for name, cost in COSTS.items():
        ns = _sizes(cost, sizes)
        await cost.seconds(ns[0])  # warm
        taken = [await cost.seconds(n) for n in ns]
        seconds, exponent = _names(name, ns)
        slope, _ = statistics.linear_regression([math.log(n) for n in ns], [math.log(each) for each in taken])
        found |= {seconds: taken[-1], exponent: slope}
    return found
