"""Steps in a row against the least that a durable step costs: one INSERT and one COMMIT of the standard library's
sqlite3, in the same process, with the pragmas and tables of the engine's own database.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measures.in_process import engine_of
from benchmarks.servers import Side
from benchmarks.sizes import Sizes
from benchmarks.table import Row
from cfworkflows import WorkflowEntrypoint

STEPS = "steps/s in a row, the engine alone"
COMMITS = "commits/s of sqlite3 alone, a row each"
SHARE = "steps in a row as a share of sqlite3 alone"
ROUNDS = 5
PRAGMAS = ("journal_mode", "synchronous", "wal_autocheckpoint", "journal_size_limit", "foreign_keys", "cache_size")

_LAST_ENTRIES = "SELECT * FROM journal WHERE step IS NOT NULL AND seq IN (SELECT max(seq) FROM journal GROUP BY step)"


def rows(sizes: Sizes) -> Sequence[Row]:
    return [
        Row(STEPS, "/s", more_is_better=True),
        Row(COMMITS, "/s", more_is_better=True),
        Row(SHARE, "", goal=0.35, more_is_better=True, absolute=True),
    ]


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    # In turns, and the best of each: what else the machine does only ever takes time.
    found = [await _both(sizes.commits) for _ in range(ROUNDS)]
    engine, raw = (min(seconds) for seconds in zip(*found, strict=True))
    return {STEPS: sizes.commits / engine, COMMITS: sizes.commits / raw, SHARE: raw / engine}


async def _both(count: int) -> tuple[float, float]:
    """The seconds that the engine takes for `count` steps, and sqlite3 for as many commits."""
    took: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    class InARow(WorkflowEntrypoint[Any, Any]):
        async def run(self, event: Any, step: Any) -> None:
            began = time.perf_counter()
            for i in range(count):
                await step.do(f"step {i}", lambda i=i: i)
            took.set_result(time.perf_counter() - began)

    with tempfile.TemporaryDirectory(prefix="cfwf-bench-") as folder:
        path = Path(folder, "engine.sqlite")
        async with engine_of(InARow, path) as ours:
            await ours.binding.create()
            seconds = await took
            pragmas = await ours.database.run(_pragmas)
        return seconds, _raw(path, Path(folder, "raw.sqlite"), pragmas, count)


def _pragmas(connection: sqlite3.Connection) -> dict[str, Any]:
    return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}


def _raw(engine: Path, path: Path, pragmas: Mapping[str, Any], count: int) -> float:
    """The seconds that the last entry of each step takes, committed one by one into tables like the engine's."""
    with sqlite3.connect(engine) as source:
        schema = [
            sql
            for [sql] in source.execute(
                "SELECT sql FROM sqlite_schema WHERE tbl_name IN ('instances', 'journal') AND sql IS NOT NULL"
            )
        ]
        instances = source.execute("SELECT * FROM instances").fetchall()
        entries = source.execute(_LAST_ENTRIES).fetchall()
    source.close()
    assert count == len(entries)
    connection = sqlite3.connect(path, isolation_level=None)
    for name, value in pragmas.items():
        connection.execute(f"PRAGMA {name} = {value}")
    for statement in schema:
        connection.execute(statement)
    connection.executemany(f"INSERT INTO instances VALUES ({_marks(instances)})", instances)
    insert = f"INSERT INTO journal VALUES ({_marks(entries)})"
    began = time.perf_counter()
    for entry in entries:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(insert, entry)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def _marks(rows: Sequence[Sequence[Any]]) -> str:
    return ", ".join("?" * len(rows[0]))
