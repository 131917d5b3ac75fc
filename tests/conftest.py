"""Fixtures that several folders use."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from world import TestEngine, workflow

from cfworkflows_emulator.runtime import started_futures_as_tasks


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[TestEngine]]]:
    """Starts a server with workflows: classes, or functions `run(event, step)` or `run(step)`.

    `file=True` keeps its state on disk. Afterwards nothing may hold the clock, and no task may be left.
    """
    before = asyncio.all_tasks()
    servers: list[TestEngine] = []

    async def serve(*workflows: Any, file: bool = False, **options: Any) -> TestEngine:
        classes = [each if isinstance(each, type) else workflow(each) for each in workflows]
        path = tmp_path / f"state-{len(servers)}.sqlite" if file else None
        servers.append(TestEngine(*classes, path=path, **options))
        return await servers[-1].start()

    with started_futures_as_tasks(asyncio.get_running_loop()):  # as in every project
        yield serve
    for server in servers:
        await server.stop()
        assert 0 == server.clock._holds
    while left := {task for task in asyncio.all_tasks() - before - {asyncio.current_task()} if task.cancelling()}:
        await asyncio.wait(left)
    assert set() == asyncio.all_tasks() - before - {asyncio.current_task()}
