"""A project: one or several Workers and their Workflows on this machine, from configurations that are loaded."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from cfworkflows.entrypoint import WorkflowEntrypoint
from cfworkflows.environment import current_env
from cfworkflows.http import close_client
from cfworkflows_bindings import Environment
from cfworkflows_emulator.clock import Clock, SystemClock
from cfworkflows_emulator.config import (
    WORKFLOWS,
    ConfigError,
    Diagnostic,
    LoadedConfig,
    check_session,
    class_not_found,
)
from cfworkflows_emulator.config.kinds.workflow.section import WorkflowSection
from cfworkflows_emulator.engine.definition import (
    DEFAULT_RETENTION_MS,
    DEFAULT_STEP_LIMIT,
    Abandon,
    WorkflowDefinition,
    never,
)
from cfworkflows_emulator.engine.engine import EVICT_AFTER_MS, Engine, open_database
from cfworkflows_emulator.runtime.blocking import blocks_named
from cfworkflows_emulator.runtime.crons import Crons
from cfworkflows_emulator.runtime.dialect import dialect_of, kind_of
from cfworkflows_emulator.runtime.environment import environment
from cfworkflows_emulator.runtime.exports import Exports, find_exports
from cfworkflows_emulator.runtime.loading import WorkerLoadError, loaded_module
from cfworkflows_emulator.runtime.loop import started_futures_as_tasks
from cfworkflows_emulator.runtime.notices import session_faults, session_notices
from cfworkflows_emulator.runtime.worker import Worker
from cfworkflows_emulator.storage import Durability
from cfworkflows_emulator.storage.folder import StateFolder


class Project:
    """A running Worker: `worker` answers requests, `engine` runs its instances, `env` has its bindings.

    `workers` are this one and the others of the session, by name, `configs` their configurations in the same order.
    `notices` tells what the configurations ask for and do not get, `faults` what in the code can never work.
    """

    def __init__(self, configs: Sequence[LoadedConfig], workers: Mapping[str, Worker], engine: Engine) -> None:
        self.configs = list(configs)
        self.config = self.configs[0]
        self.workers = workers
        self.worker = workers[self.config.config.name]
        self.engine = engine
        self.env: Environment = self.worker.env
        exports = [worker.exports for worker in workers.values()]
        self.notices = session_notices(configs, exports)
        self.faults = session_faults(configs, exports)
        self._crons = Crons(engine.clock, workers)
        self._folder: StateFolder | None = None
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        config: LoadedConfig,
        *others: LoadedConfig,
        clock: Clock | None = None,
        state: Path | None = None,
        evict_after_ms: float | None = EVICT_AFTER_MS,
        abandon: Abandon = never,
        holder: int | None = None,
        address: str | None = None,
        name_blocks: bool = False,
        durability: Durability = "normal",
        fire_crons: bool = True,
        check_determinism: bool = False,
    ) -> "AsyncIterator[Project]":
        """Load the Worker, open the state, and take up the instances that were at work.

        `others` are Workers that run beside it: one engine runs the instances of all, and bindings of one reach another
        (`script_name`, `services`). `clock` is the machine's by default. `state` is the state folder, None to keep
        everything in memory. `abandon` is asked about each error of the Workflows' own code. `holder` is the process to
        name when another one wants the same state, this one by default, and `address` the URL where it answers. With
        `name_blocks`, code of the Workers that blocks the event loop is named in the log while it does; with
        `check_determinism`, every step of an instance is followed by a replay; with `fire_crons`, the Workers' crons
        call their `scheduled` handlers. Closed at the end of the block, without waiting for what runs: `close` first,
        to wait.

        Raises StateError for a folder or database that cannot be used, WorkerLoadError for code that does not import,
        and ConfigError for Workflow classes that are configured and not there, and Workers that do not fit together.
        """
        configs = [config, *others]
        check_session(configs)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(close_client)
            folder = stack.enter_context(StateFolder(state, holder, address)) if state is not None else None
            engine = await stack.enter_async_context(
                opened_engine(
                    clock or SystemClock(),
                    folder,
                    evict_after_ms,
                    abandon,
                    durability,
                    check_determinism=check_determinism,
                )
            )
            stack.enter_context(started_futures_as_tasks(asyncio.get_running_loop()))
            workers: dict[str, Worker] = {}
            for each in configs:
                name = each.config.name
                env = environment(each, engine, workers, [other.config.name for other in configs])
                current_env.set(env)
                module = stack.enter_context(loaded_module(each.main, name if workers else None))
                workers[name] = Worker(_exports(each, module), env)
                engine.definitions |= _definitions(each, workers[name])
            project = cls(configs, workers, engine)
            current_env.set(project.env)
            project._folder = folder
            stack.push_async_callback(project.close)
            if name_blocks:
                stack.enter_context(blocks_named(*(each.directory for each in configs)))
            await engine.resume_all()
            if fire_crons:
                for each in configs:
                    project._crons.start(each)
            yield project

    async def close(self, grace_s: float = 0) -> list[str]:
        """Stop. What runs in the background, and then the callbacks of steps, get `grace_s` seconds to end.

        Gives what was cut off. Then another process can open the state, where an instance goes on from its last
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
        if self._folder is not None:
            self._folder.close()
        return left


@asynccontextmanager
async def opened_engine(
    clock: Clock,
    folder: StateFolder | None,
    evict_after_ms: float | None = EVICT_AFTER_MS,
    abandon: Abandon = never,
    durability: Durability = "normal",
    *,
    check_determinism: bool = False,
) -> AsyncIterator[Engine]:
    """An engine that knows no workflows yet, over the state folder `folder`, or in memory."""
    path, was_used = (folder.database, folder.was_used) if folder is not None else (None, False)
    database = await open_database(path, durability, may_be_empty=not was_used)
    engine = await Engine.open(
        [], clock, database, evict_after_ms=evict_after_ms, abandon=abandon, check_determinism=check_determinism
    )
    try:
        yield engine
    finally:
        await engine.close()


def _exports(config: LoadedConfig, module: ModuleType) -> Exports:
    try:
        exports = find_exports(module)
    except (TypeError, AttributeError) as error:
        text = "\n".join([f"{config.main}: {type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        raise WorkerLoadError(text, error) from error
    missing = class_not_found(config, exports.workflows)
    if missing:
        raise ConfigError([_explained(problem, module) for problem in missing])
    return exports


def _explained(problem: Diagnostic, module: ModuleType) -> Diagnostic:
    """`problem` with a better suggestion, if there is a class of that name that is no Workflow, or is not exported."""
    name = problem.message.split()[1]
    found = getattr(module, name, None)
    if not isinstance(found, type):
        return problem
    if kind_of(found) == "workflow":
        return problem._replace(suggestion=f'It is there, but not exported: add "{name}" to __all__.')
    return problem._replace(
        suggestion=f"There is a class {name}, but it is no Workflow: write `class {name}(WorkflowEntrypoint)`."
    )


def _definitions(config: LoadedConfig, worker: Worker) -> dict[str, WorkflowDefinition]:
    return {
        workflow.name: definition_of(workflow, worker.exports.workflows[workflow.class_name], worker)
        for workflow in config.sections(WORKFLOWS)
        if workflow.is_of(config.config.name)
    }


def definition_of(
    workflow: WorkflowSection, cls: type[WorkflowEntrypoint[Any, Any]], worker: Worker
) -> WorkflowDefinition:
    """What the engine is told about a Workflow whose class belongs to `worker`."""

    def entrypoint() -> WorkflowEntrypoint[Any, Any]:
        # Called in the task of the run, so that the run and its callbacks see what the module-level `env` stands for.
        made: WorkflowEntrypoint[Any, Any] = worker.make(cls)
        return made

    return WorkflowDefinition(
        workflow.name,
        entrypoint,
        params_type=dialect_of(cls).params_type(cls),
        **settings_of(workflow),
    )


def settings_of(workflow: WorkflowSection) -> dict[str, Any]:
    """What a WorkflowDefinition takes over from the configuration."""
    return {
        "step_limit": workflow.limits.steps or DEFAULT_STEP_LIMIT,
        "schedules": tuple(workflow.schedules or ()),
        "concurrency_limit": workflow.concurrency.limit,
        "success_retention_ms": workflow.default_retention.success_retention or DEFAULT_RETENTION_MS,
        "error_retention_ms": workflow.default_retention.error_retention or DEFAULT_RETENTION_MS,
    }
