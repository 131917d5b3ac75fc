"""The engine against what lies below it: the same journal rows, in the same groups, written by aiosqlite alone."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiosqlite

from benchmarks.measures.in_process import engine_of
from benchmarks.servers import Side
from benchmarks.sizes import Sizes
from benchmarks.table import Row
from cfworkflows import WorkflowEntrypoint
from cfworkflows_emulator.storage import Database

STEPS = 5
AT_ONCE = (1, 100)
"""How many instances run at the same time: what they write in one turn of the loop is one group."""

JOURNAL = "INSERT INTO journal "

Group = list[tuple[str, list[tuple[Any, ...]]]]


def rows(sizes: Sizes) -> Sequence[Row]:
    found = []
    for at_once in AT_ONCE:
        engine, raw, share = _names(at_once)
        found += [Row(engine, "/s", more_is_better=True), Row(raw, "/s", more_is_better=True)]
        found.append(Row(share, "", goal=0.4, more_is_better=True, absolute=True))
    return found


def _names(at_once: int) -> tuple[str, str, str]:
    each = f"{at_once} instance{'s' if at_once > 1 else ''} at a time"
    return (
        f"journal rows/s of the engine, {each}",
        f"journal rows/s of aiosqlite alone, {each}",
        f"engine as a share of aiosqlite alone, {each}",
    )


class Steps(WorkflowEntrypoint):
    async def run(self, event: Any, step: Any) -> None:
        for i in range(STEPS):
            await step.do(f"step {i}", lambda i=i: i)


async def measure(side: Side, sizes: Sizes) -> Mapping[str, float]:
    found = {}
    for at_once in AT_ONCE:
        with tempfile.TemporaryDirectory(prefix="cfwf-bench-") as folder:
            seconds, groups = await _engine(Path(folder, "engine.sqlite"), sizes.floor_instances, at_once)
            count = sum(len(values) for group in groups for _, values in group)
            raw_seconds = await _raw(Path(folder, "engine.sqlite"), Path(folder, "raw.sqlite"), groups)
        values = (count / seconds, count / raw_seconds, raw_seconds / seconds)
        found |= dict(zip(_names(at_once), values, strict=True))
    return found


async def _engine(path: Path, count: int, at_once: int) -> tuple[float, list[Group]]:
    """The seconds that the engine takes for its instances, and what it wrote into the journal, by transaction."""
    groups: list[Group] = []
    async with engine_of(Steps, path, opened=lambda database: _record(database, groups)) as ours:
        began = time.perf_counter()
        for start in range(0, count, at_once):
            await asyncio.gather(*(ours.binding.create() for _ in range(min(at_once, count - start))))
            while ours.engine.residents.actors:
                await asyncio.sleep(0)
        await ours.engine.store.flushed()
        seconds = time.perf_counter() - began
    return seconds, [group for group in groups if group]


def _record(database: Database, groups: list[Group]) -> None:
    transact, transaction = database.transact, database.transaction

    def recording(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(connection: sqlite3.Connection) -> Any:
            groups.append([])
            return function(_Recorder(connection, groups[-1]))

        return call

    database.transact = lambda function, **options: transact(recording(function), **options)  # type: ignore[method-assign]
    database.transaction = lambda function: transaction(recording(function))  # type: ignore[method-assign]


class _Recorder:
    """A connection that keeps what is added to the journal."""

    def __init__(self, connection: sqlite3.Connection, group: Group) -> None:
        self._connection = connection
        self._group = group

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        if statement.startswith(JOURNAL):
            columns, rows = statement[len(JOURNAL) :].split(" VALUES ")
            width = columns.count(",") + 1
            one = f"{JOURNAL}{columns} VALUES ({', '.join('?' * width)})"
            assert rows.count("(") * width == len(values)
            self._group.append((one, [values[i : i + width] for i in range(0, len(values), width)]))
        return self._connection.execute(statement, values)

    def executemany(self, statement: str, values: Iterable[tuple[Any, ...]]) -> Any:
        values = list(values)
        if statement.startswith(JOURNAL):
            self._group.append((statement, values))
        return self._connection.executemany(statement, values)


async def _raw(engine: Path, path: Path, groups: list[Group]) -> float:
    """The seconds that the same rows take, in a database of the same shape and settings."""
    async with aiosqlite.connect(path, isolation_level=None) as connection:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
            await connection.execute(f"PRAGMA {pragma}")
        with sqlite3.connect(engine) as source:
            [schema] = source.execute("SELECT sql FROM sqlite_schema WHERE name = 'journal'").fetchone()
        await connection.execute(schema)
        began = time.perf_counter()
        for group in groups:
            await connection.execute("BEGIN IMMEDIATE")
            for statement, values in group:
                await connection.executemany(statement, values)
            await connection.execute("COMMIT")
        return time.perf_counter() - began
