"""The engine alone, in this process: no server, no request, and a clock of one's own."""

import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cfworkflows import WorkflowEntrypoint
from cfworkflows.entrypoint import ExecutionContext
from cfworkflows_bindings import WorkflowBinding
from cfworkflows_emulator.clock import Clock, SystemClock
from cfworkflows_emulator.engine import Engine, WorkflowDefinition, open_database
from cfworkflows_emulator.storage import Database
from cfworkflows_emulator.supervisor.child import COLLECT_EVERY


@dataclass(frozen=True, slots=True)
class InProcess:
    """An engine with one workflow."""

    engine: Engine
    database: Database
    binding: WorkflowBinding


@asynccontextmanager
async def engine_of(
    workflow: type[WorkflowEntrypoint[Any, Any]],
    path: Path,
    clock: Clock | None = None,
    opened: Callable[[Database], None] = lambda database: None,
    **options: Any,
) -> AsyncIterator[InProcess]:
    """An engine over a new database at `path`, by default on the machine's clock; `opened` sees the database first.

    `options` are those of `Engine.open`. Garbage is looked for as seldom as in a worker.
    """
    with _collected_as_in_a_worker():
        database = await open_database(path)
        definition = WorkflowDefinition("measured", lambda: workflow(ExecutionContext(lambda awaitable: None), None))
        engine = await Engine.open([definition], clock or SystemClock(), database, **options)
        opened(database)
        await engine.resume_all()
        try:
            yield InProcess(engine, database, WorkflowBinding(engine, "measured"))
        finally:
            await engine.close()


@contextmanager
def _collected_as_in_a_worker() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
