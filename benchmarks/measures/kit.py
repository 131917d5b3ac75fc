"""A test of a workflow with a hundred steps and a hundred sleeps that take no time, as the kit of each side runs it."""

import asyncio
import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.servers import Side, copied
from benchmarks.sizes import Sizes
from benchmarks.table import Row

NAME = "a test of 100 steps and 100 sleeps"


def rows(sizes: Sizes) -> Sequence[Row]:
    return [Row(NAME, "ms", goal=10)]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    """The median of the tests but for the first, which imports and compiles; with their fixtures."""
    with tempfile.TemporaryDirectory(prefix="cfwf-bench-") as folder:
        report = Path(folder, "report.xml")
        project = copied(side.project, Path(folder))
        command, environment = side.tests(project, report)
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            cwd=project,
            env={**os.environ, **environment, "BENCH_TESTS": str(sizes.tests + 1)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
        cases = [float(case.attrib["time"]) for case in ElementTree.parse(report).iter("testcase")]
    assert sizes.tests + 1 == len(cases)
    return {NAME: statistics.median(cases[1:]) * 1000}
