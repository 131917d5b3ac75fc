"""A project: one or several Workers and their Workflows on this machine, from loaded configurations."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType

from cfworkflows.environment import current_env
from cfworkflows.http import close_client
from cfworkflows_bindings import Environment
from cfworkflows_emulator.clock import Clock, SystemClock
from cfworkflows_emulator.config import LoadedConfig, check_session
from cfworkflows_emulator.engine import DEFAULTS, Engine, EngineSettings, open_database
from cfworkflows_emulator.engine.probe import NO_PROBE, Probe
from cfworkflows_emulator.runtime import kinds
from cfworkflows_emulator.runtime.bindings import environment
from cfworkflows_emulator.runtime.blocking import BlockLimit, blocks_named
from cfworkflows_emulator.runtime.crons import Crons
from cfworkflows_emulator.runtime.exports import Exports, find_exports
from cfworkflows_emulator.runtime.loading import WorkerLoadError, loaded_module
from cfworkflows_emulator.runtime.loop import started_futures_as_tasks
from cfworkflows_emulator.runtime.notices import session_faults, session_notices
from cfworkflows_emulator.runtime.origin import current_worker
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.runtime.suspects import Suspects
from cfworkflows_emulator.runtime.worker import Worker
from cfworkflows_emulator.storage.folder import StateFolder, proof


class Project:
    """A running Worker: `worker` answers requests, `engine` runs its instances, `env` has its bindings.

    `workers` are this one and the others of the session, by name, `configs` their configurations in the same order.
    `resources` are what the bindings use.
    `notices` says what the configurations ask for and do not get, `faults` what in the code can never work.
    """

    def __init__(self, configs: Sequence[LoadedConfig], resources: Resources) -> None:
        self.configs = list(configs)
        self.config = self.configs[0]
        self.workers: Mapping[str, Worker] = resources.workers
        self.worker = self.workers[self.config.config.name]
        self.engine = resources.engine
        self.env: Environment = self.worker.env
        exports = [worker.exports for worker in self.workers.values()]
        self.notices = session_notices(configs, exports)
        self.faults = session_faults(configs, exports)
        self._crons = Crons(self.engine.clock, self.workers)
        self.resources = resources
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        config: LoadedConfig,
        *others: LoadedConfig,
        clock: Clock | None = None,
        state: Path | None = None,
        settings: EngineSettings = DEFAULTS,
        probe: Probe = NO_PROBE,
        holder: int | None = None,
        address: str | None = None,
        loaded: Callable[[bool], None] = lambda found: None,
        name_blocks: bool = False,
        block_limit: BlockLimit | None = None,
        fire_crons: bool = True,
        deaths: int = 0,
        renew: Callable[[str], None] | None = None,
    ) -> "AsyncIterator[Project]":
        """Load the Worker, open the state, and wake the instances that were at work.

        `others` are Workers that run beside it: one engine runs the instances of all, and bindings of one reach another
        (`script_name`, `services`). `clock` is the machine's by default. `state` is the state folder, None to keep
        everything in memory. `settings` are the engine's, `probe` is a test's. `holder` is the process to name when
        another one wants the same state, this one by default, and `address` the URL where it answers. With
        `name_blocks`, code of the Workers that blocks the event loop is named in the log while it does, and
        `block_limit` says what becomes of a block that lasts; with `fire_crons`, the Workers' crons call their
        `scheduled` handlers. `deaths` is how many processes before this one died in a row: then an instance whose
        `run()` kills the process is found, and ended. `loaded` is called when the code is there and no instance runs
        yet, with whether one was found: what it raises ends the opening. `renew` is as in
        `Resources`. Closed at the end of the block, without waiting for what runs: `close` first, to wait.

        Raises StateError for a folder or database that cannot be used, WorkerLoadError for code that does not import,
        and ConfigError for Workflow classes that are configured and not there, and Workers that do not fit together.
        """
        configs = [config, *others]
        check_session(configs)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(close_client)
            folder = stack.enter_context(StateFolder(state, holder, address)) if state is not None else None
            engine = await stack.enter_async_context(opened_engine(clock or SystemClock(), folder, settings, probe))
            loop = asyncio.get_running_loop()
            suspects = Suspects(state, deaths) if state is not None else None
            if suspects is not None:
                stack.enter_context(suspects.noting(loop))
            stack.enter_context(started_futures_as_tasks(loop))
            names = [each.config.name for each in configs]
            resources = await stack.enter_async_context(Resources(engine, names, folder, settings.durability, renew))
            for each in configs:
                resources.workers[each.config.name] = await _loaded(each, resources, stack)
            project = cls(configs, resources)
            current_env.set(project.env)
            current_worker.set(None)
            stack.push_async_callback(project.close)
            if name_blocks:
                stack.enter_context(blocks_named(*(each.directory for each in configs), limit=block_limit))
            loaded(suspects is not None and suspects.found is not None)
            if suspects is not None:
                await suspects.judge(engine)
            await engine.resume_all()
            if fire_crons:
                for each in configs:
                    project._crons.start(each)
            yield project

    async def store_notices(self) -> list[str]:
        """What the stores of the bindings lack that the configurations speak of."""
        return [
            notice
            for kind in kinds.KINDS
            for each in self.configs
            for notice in await kind.store_notices(each, self.resources)
        ]

    def proof(self, nonce: str) -> str:
        """What shows that this is the project that holds its state folder; see `storage.folder.proof`."""
        folder = self.resources.folder
        return proof(folder.secret, nonce) if folder is not None else ""

    async def close(self, grace_s: float = 0) -> list[str]:
        """Stop. What runs in the background, and then the callbacks of steps, get `grace_s` seconds to end.

        Returns what was cut off. Then another process can open the state, where an instance continues from its last
        finished step.
        """
        if self._closed:
            return []
        self._closed = True
        self._crons.close()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_s
        left = []
        for worker in self.workers.values():
            left += await worker.close(max(deadline - loop.time(), 0))
        left += await self.engine.close(max(deadline - loop.time(), 0))
        await self.resources.close()
        if self.resources.folder is not None:
            self.resources.folder.close()
        return left


@asynccontextmanager
async def opened_engine(
    clock: Clock,
    folder: StateFolder | None,
    settings: EngineSettings = DEFAULTS,
    probe: Probe = NO_PROBE,
) -> AsyncIterator[Engine]:
    """An engine over the state folder `folder`, or in memory. Its workflows are defined once their code is loaded."""
    path, was_used = (folder.database, folder.was_used) if folder is not None else (None, False)
    database = await open_database(path, settings.durability, may_be_empty=not was_used)
    engine = await Engine.open([], clock, database, settings, probe=probe)
    try:
        yield engine
    finally:
        await engine.close()


async def _loaded(config: LoadedConfig, resources: Resources, stack: AsyncExitStack) -> Worker:
    """The Worker of `config`, with what it has of each kind of binding."""
    env = await environment(config, resources)
    current_env.set(env)
    current_worker.set(config.config.name)
    # The first one's modules are called as they are.
    module = stack.enter_context(loaded_module(config.main, config.config.name if resources.workers else None))
    exports = _exports(config, module)
    for kind in kinds.KINDS:
        kind.check_code(config, module, exports)
    worker = Worker(exports, env, resources.engine.clock, config.config.name)
    for kind in kinds.KINDS:
        kind.define(config, worker, resources)
    return worker


def _exports(config: LoadedConfig, module: ModuleType) -> Exports:
    try:
        return find_exports(module)
    except (TypeError, AttributeError) as error:
        text = "\n".join([f"{config.main}: {type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        raise WorkerLoadError(text, error) from error
