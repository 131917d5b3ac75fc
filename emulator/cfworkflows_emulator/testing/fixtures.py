"""The fixtures `env`, `clock` and `worker`: the Worker of the project's configuration, afresh for each test."""

import importlib.util
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cfworkflows_emulator.testing.plugin import marked

if TYPE_CHECKING:
    from cfworkflows_bindings import Environment
    from cfworkflows_emulator.config import LoadedConfig
    from cfworkflows_emulator.testing.clock import Clock
    from cfworkflows_emulator.testing.worker import WorkerClient
    from cfworkflows_emulator.testing.world import World


def _async_fixture(function: Callable[..., AsyncIterator[Any]]) -> Any:
    if importlib.util.find_spec("pytest_asyncio") is not None:
        import pytest_asyncio

        return pytest_asyncio.fixture(function)

    @pytest.fixture(name=function.__name__)
    def needs_asyncio() -> None:
        raise pytest.UsageError("The fixtures of cfworkflows need pytest-asyncio: pip install pytest-asyncio.")

    return needs_asyncio


@_async_fixture
async def cfworkflows_world(request: pytest.FixtureRequest) -> "AsyncIterator[World]":
    """What the three fixtures share."""
    from cfworkflows_emulator.testing.divergences import DeterminismError
    from cfworkflows_emulator.testing.leaks import LeakError
    from cfworkflows_emulator.testing.opening import project_world

    leaks = ""
    try:
        async with project_world(_config(request)) as world:
            yield world
    except (LeakError, DeterminismError) as error:
        leaks = str(error)
    if leaks:
        pytest.fail(leaks, pytrace=False)


@pytest.fixture
def env(cfworkflows_world: "World") -> "Environment":
    """The bindings of the Worker, over stores in memory. Instances have `result()` and `history()`."""
    return cfworkflows_world.env


@pytest.fixture
def clock(cfworkflows_world: "World") -> "Clock":
    """The virtual clock: `await clock.advance("3 days")`, `clock.now()` in ms, `clock.datetime`."""
    return cfworkflows_world.clock


@pytest.fixture
def worker(cfworkflows_world: "World") -> "WorkerClient":
    """The Worker: `await worker.fetch("/path")`, `worker.scheduled(cron)`, `worker.queue(name, messages)`."""
    from cfworkflows_emulator.testing.worker import WorkerClient

    return WorkerClient(cfworkflows_world)


_LOADED = pytest.StashKey[dict[tuple[Path | None, Path, str | None], "LoadedConfig"]]()


def _config(request: pytest.FixtureRequest) -> "LoadedConfig":
    """The configuration of a test, read once in a run."""
    from cfworkflows_emulator.config.loading import load_config

    config = request.config
    given = marked(request.node)
    named = given.get("config", config.getini("cfworkflows_config"))
    path = config.rootpath / named if named else None
    environment = given.get("environment", config.getini("cfworkflows_environment")) or None
    cwd = config.rootpath if path is not None else request.path.parent
    loaded = config.stash.setdefault(_LOADED, {})
    key = (path, cwd, environment)
    if key not in loaded:
        loaded[key] = load_config(path, cwd=cwd, env=environment, process_env=os.environ)
    return loaded[key]
