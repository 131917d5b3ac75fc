"""A world is opened for one test, and what it leaves behind is told when it is closed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any

from cfworkflows.http import close_client
from cfworkflows_bindings import Environment
from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.engine import EngineSettings
from cfworkflows_emulator.runtime import (
    Exports,
    Project,
    Resources,
    Worker,
    opened_engine,
    runtime_kind,
    started_futures_as_tasks,
)
from cfworkflows_emulator.testing.assertions import Failures
from cfworkflows_emulator.testing.clock import Clock
from cfworkflows_emulator.testing.divergences import assert_deterministic, differences
from cfworkflows_emulator.testing.kinds import prepare, seen
from cfworkflows_emulator.testing.kit import Faked
from cfworkflows_emulator.testing.leaks import Census, LeakError, name_of
from cfworkflows_emulator.testing.probe import KitProbe
from cfworkflows_emulator.testing.records import Record, running
from cfworkflows_emulator.testing.reports import trimmed_log
from cfworkflows_emulator.testing.waiting import StalledError, situation, unfinished
from cfworkflows_emulator.testing.world import World


@asynccontextmanager
async def project_world(config: LoadedConfig) -> AsyncIterator[World]:
    """The Worker of a configuration."""
    settings = running().settings
    probe = KitProbe(failures := Failures())
    clock = Clock(failures, settings.patience_s, settings.start)
    async with _tidy(running()) as (stack, leaks):
        project = await stack.enter_async_context(
            Project.open(
                config,
                clock=clock,
                settings=EngineSettings(settings.evict_after_ms, settings.determinism),
                probe=probe,
                fire_crons=False,
            )
        )
        prepare(config, project.resources)
        yield _kept(World(project.engine, project.worker, clock, probe, seen), stack, leaks)


@asynccontextmanager
async def fake_world(
    bindings: Mapping[str, Faked],
    values: Mapping[str, Any],
    start: int | None,
    evict_after_ms: float | None = None,
) -> AsyncIterator[World]:
    """Bindings without a configuration, beside plain values."""
    settings = running().settings
    probe = KitProbe(failures := Failures())
    clock = Clock(failures, settings.patience_s, settings.start if start is None else start)
    async with _tidy(running()) as (stack, leaks):
        stack.push_async_callback(close_client)
        evict_after_ms = settings.evict_after_ms if evict_after_ms is None else evict_after_ms
        engine_settings = EngineSettings(evict_after_ms, settings.determinism)
        engine = await stack.enter_async_context(opened_engine(clock, None, engine_settings, probe))
        stack.enter_context(started_futures_as_tasks(asyncio.get_running_loop()))
        resources = await stack.enter_async_context(Resources(engine, []))
        bound = {
            name: await runtime_kind(each.kind.kind).bind(each.section, resources) for name, each in bindings.items()
        }
        worker = Worker(Exports(), Environment({**values, **bound}), clock)
        for each in bindings.values():
            each.fake.define(each.section, worker, resources)
        await engine.resume_all()
        yield _kept(World(engine, worker, clock, probe, seen), stack, leaks)


@asynccontextmanager
async def _tidy(record: Record) -> AsyncIterator[tuple[AsyncExitStack, list[str]]]:
    """A stack to open a world on, and a list of what it leaves behind: an error, unless there is one already."""
    census = Census() if record.settings.leaks else None
    leaks: list[str] = []
    async with _Closing(record.settings.patience_s) as stack:
        stack.enter_context(trimmed_log())
        yield stack, leaks
    if census is not None:
        leaks += await census.left()
    if leaks and not record.failed:
        raise LeakError(leaks)


class _Closing(AsyncExitStack):
    """A stack whose end is waited for no longer than the patience says."""

    def __init__(self, patience_s: float) -> None:
        super().__init__()
        self._patience_s = patience_s

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        __tracebackhide__ = True
        try:
            async with asyncio.timeout(self._patience_s) as limit:
                return bool(await super().__aexit__(kind, error, traceback))
        except TimeoutError:
            if not limit.expired():
                raise
            tasks = "".join(f"\n- the task {name_of(task)}" for task in asyncio.all_tasks() - {asyncio.current_task()})
            raise StalledError(
                f"The environment of the test could not be closed within {self._patience_s:g} seconds. "
                f"What still runs:{tasks or ' nothing in this event loop, perhaps a thread.'}"
            ) from error


def _kept(world: World, stack: AsyncExitStack, leaks: list[str]) -> World:
    """`world`, known to the record of the test, until the end of `stack`."""
    record = running()
    world.clock.engine = world.engine
    record.worlds.append(world)

    async def close() -> None:
        world.idling.close()
        if not world.told:
            world.told = True
            record.timelines.append(await world.timelines())
        leaks.extend(await world.introspections.left())
        if not record.failed:
            await world.engine.activity.rehearsed()
            assert_deterministic(await differences(world.engine, of_any_kind=record.settings.determinism))
        if record.settings.unfinished and await unfinished(world.engine):
            leaks.extend((await situation(world.engine)).splitlines())
        cut_off = await world.worker.close(grace_s=0)
        if record.settings.leaks:
            leaks.extend(cut_off)
        world.clock.close()

    stack.push_async_callback(close)
    return world
