"""What the test kit costs: its import, the set-up of a test's world, and a month-long workflow of 100 steps and sleeps.

    python benchmarks/testing.py [--runs 9]

Milliseconds of the wall clock, the median and the least of the runs. The import is that of a process that has only
started Python; set-ups are those after the first of a process. The workflow is run with instances that stay in memory,
as the kit does by itself, and with those that leave it after 10 seconds, as on the platform: the last line is the ratio
of the two.
"""

import argparse
import asyncio
import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import FakeEnv
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.testing.world import project_world

IMPORT = """
import time
begun = time.perf_counter()
from cfworkflows.testing import FakeEnv
print((time.perf_counter() - begun) * 1000)
"""
STEPS = 100
PROJECT = Path(__file__).parent / "worker"


class Month(WorkflowEntrypoint[Any, Any]):
    async def run(self, event: Any, step: Any) -> int:
        for number in range(STEPS):
            await step.do(f"step {number}", lambda number=number: number)
            await step.sleep(f"sleep {number}", "8 hours")
        return STEPS


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=9)
    runs = arguments.parse_args().runs
    logging.disable()
    tell("import", [importing() for _ in range(runs)])
    asyncio.run(measure(runs))


async def measure(runs: int) -> None:
    await world({})
    worlds = [await world({}) for _ in range(runs)]
    tell("set-up of a FakeEnv", [setup for setup, _, _ in worlds])
    tell("its end", [end for _, _, end in worlds])
    config = load_config(cwd=PROJECT, process_env={})
    await fixture(config)
    fixtures = [await fixture(config) for _ in range(runs)]
    tell("set-up of the fixture env", [setup for setup, _ in fixtures])
    tell("its end", [end for _, end in fixtures])
    staying = [took for _, took, _ in worlds]
    leaving = [took for _, took, _ in [await world({"evict_after": "10 seconds"}) for _ in range(max(runs // 3, 1))]]
    tell(f"{STEPS} steps and sleeps", staying)
    tell("the same, with evictions", leaving)
    print(f"{'ratio of the medians':26} {statistics.median(leaving) / statistics.median(staying):.1f}")


async def fixture(config: Any) -> tuple[float, float]:
    """The milliseconds of the set-up, which imports the Worker anew, and of the end."""
    lap = stopwatch()
    async with project_world(config):
        setup = lap()
    return setup, lap()


async def world(options: dict[str, Any]) -> tuple[float, float, float]:
    """The milliseconds of the set-up, of the workflow, and of the end."""
    lap = stopwatch()
    async with FakeEnv(MONTH=Month, **options) as env:
        setup = lap()
        assert await (await env.MONTH.create()).result() == STEPS
        ran = lap()
    return setup, ran, lap()


def importing() -> float:
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    return float(done.stdout)


def stopwatch() -> Callable[[], float]:
    last = time.perf_counter()

    def lap() -> float:
        nonlocal last
        begun, last = last, time.perf_counter()
        return (last - begun) * 1000

    return lap


def tell(what: str, taken: list[float]) -> None:
    print(f"{what:26} median {statistics.median(taken):7.1f} ms   min {min(taken):7.1f}   max {max(taken):7.1f}")


if __name__ == "__main__":
    main()
