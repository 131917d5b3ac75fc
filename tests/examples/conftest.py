"""The examples served as users serve them: the real server on a real socket; the time is virtual."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest
from serving import EXAMPLES, Served

from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.server import serve

Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve_example() -> AsyncIterator[Serve]:
    """Serve an example: `await serve_example("patterns")`."""
    async with AsyncExitStack() as stack:

        async def start(name: str) -> Served:
            clock = VirtualClock()
            config = load_config(EXAMPLES / name / "wrangler.toml", cwd=EXAMPLES / name, process_env={})
            project = await stack.enter_async_context(Project.open(config, clock=clock))
            server = await stack.enter_async_context(serve(project, host="127.0.0.1", port=0))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            return Served(server.url, clock, session)

        yield start


@pytest.fixture
async def patterns(serve_example: Serve) -> Served:
    return await serve_example("patterns")
