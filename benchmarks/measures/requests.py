"""Requests per second to a handler that says hello, over connections that are kept alive. The client is `wrk`."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.servers import Server, Side, running
from benchmarks.sizes import Sizes
from benchmarks.table import NotMeasuredError, Row

REPORT = Path(__file__).with_name("wrk.lua")
MISSING = "It needs wrk, a client written in C: apt-get install wrk (elsewhere: brew install wrk)."


def _name(connections: int) -> str:
    return f"requests/s, {connections} connection{'s' if connections > 1 else ''}"


def rows(sizes: Sizes) -> Sequence[Row]:
    return [Row(_name(each), "/s", goal=8, more_is_better=True) for each in sizes.connections]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise NotMeasuredError(MISSING)
    async with running(side) as server:
        await _rate(wrk, server, 4, 1)  # warm
        return {_name(each): await _rate(wrk, server, each, sizes.request_s) for each in sizes.connections}


async def _rate(wrk: str, server: Server, connections: int, seconds: int) -> float:
    options = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--script", REPORT]
    done = await asyncio.to_thread(
        subprocess.run, [wrk, *options, f"{server.url}/"], capture_output=True, text=True, check=True
    )
    counted = json.loads(done.stdout.splitlines()[-1])
    wrong = counted["refused"] + counted["failed"]
    if wrong:  # an answer that is an error is not counted, and is no reason to measure nothing
        print(f"{wrong} of {counted['requests'] + counted['failed']} requests failed", file=sys.stderr)
    return float(counted["requests"] - counted["refused"]) / (counted["microseconds"] / 1e6)
