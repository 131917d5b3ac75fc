"""A project: a Worker and its Workflows on this machine, from a configuration that is loaded."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from cfworkflows.entrypoint import WorkflowEntrypoint
from cfworkflows.environment import current_env
from cfworkflows.http import close_client
from cfworkflows.typed import type_arguments
from cfworkflows_bindings import Environment, WorkflowBinding
from cfworkflows_emulator.clock import Clock, SystemClock
from cfworkflows_emulator.config import ConfigError, Diagnostic, LoadedConfig, WorkflowSection, class_not_found
from cfworkflows_emulator.engine.definition import (
    DEFAULT_RETENTION_MS,
    DEFAULT_STEP_LIMIT,
    Abandon,
    WorkflowDefinition,
    never,
)
from cfworkflows_emulator.engine.engine import EVICT_AFTER_MS, Engine, open_database
from cfworkflows_emulator.runtime.blocking import blocks_named
from cfworkflows_emulator.runtime.exports import Exports, find_exports
from cfworkflows_emulator.runtime.loading import WorkerLoadError, loaded_module
from cfworkflows_emulator.runtime.loop import started_futures_as_tasks
from cfworkflows_emulator.runtime.notices import is_ours, notices
from cfworkflows_emulator.runtime.worker import Worker
from cfworkflows_emulator.storage.folder import StateFolder


class Project:
    """A running Worker: `worker` answers requests, `engine` runs its instances, `env` has its bindings.

    `notices` tells what the configuration asks for and does not get.
    """

    def __init__(self, config: LoadedConfig, worker: Worker, engine: Engine, env: Environment) -> None:
        self.config = config
        self.worker = worker
        self.engine = engine
        self.env = env
        self.notices = notices(config, worker.exports)
        self._folder: StateFolder | None = None
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        config: LoadedConfig,
        *,
        clock: Clock | None = None,
        state: Path | None = None,
        evict_after_ms: float | None = EVICT_AFTER_MS,
        abandon: Abandon = never,
        holder: int | None = None,
        address: str | None = None,
        name_blocks: bool = False,
    ) -> "AsyncIterator[Project]":
        """Load the Worker, open the state, and take up the instances that were at work.

        `clock` is the machine's by default. `state` is the state folder, None to keep everything in memory. `abandon`
        is asked about each error of the Workflows' own code. `holder` is the process to name when another one wants the
        same state, this one by default, and `address` the URL where it answers. With `name_blocks`, code of the Worker
        that blocks the event loop is named in the log while it does. Closed at the end of the block, without waiting
        for what runs: `close` first, to wait.

        Raises StateError for a folder or database that cannot be used, WorkerLoadError for code that does not import,
        and ConfigError for Workflow classes that are configured and not there.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(close_client)
            folder = stack.enter_context(StateFolder(state, holder, address)) if state is not None else None
            engine = await stack.enter_async_context(
                opened_engine(clock or SystemClock(), folder, evict_after_ms, abandon)
            )
            env = _environment(config, engine)
            stack.enter_context(started_futures_as_tasks(asyncio.get_running_loop()))
            current_env.set(env)
            module = stack.enter_context(loaded_module(config.main))
            worker = Worker(_exports(config, module), env)
            engine.definitions |= _definitions(config, worker)
            project = cls(config, worker, engine, env)
            project._folder = folder
            stack.push_async_callback(project.close)
            if name_blocks:
                stack.enter_context(blocks_named(config.directory))
            await engine.resume_all()
            yield project

    async def close(self, grace_s: float = 0) -> list[str]:
        """Stop. What runs in the background, and then the callbacks of steps, get `grace_s` seconds to end.

        Gives what was cut off. Then another process can open the state, where an instance goes on from its last
        finished step.
        """
        if self._closed:
            return []
        self._closed = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_s
        left = await self.worker.close(grace_s)
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
) -> AsyncIterator[Engine]:
    """An engine that knows no workflows yet, over the state folder `folder`, or in memory."""
    database = await open_database(folder.database if folder is not None else None)
    engine = await Engine.open([], clock, database, evict_after_ms=evict_after_ms, abandon=abandon)
    try:
        yield engine
    finally:
        await engine.close()


def _environment(config: LoadedConfig, engine: Engine) -> Environment:
    bindings: dict[str, Any] = {name: variable.value for name, variable in config.variables.items()}
    unsupported = {info.name: info.kind for info in config.bindings if not info.supported}
    for workflow in config.config.workflows:
        if is_ours(workflow, config):
            bindings[workflow.binding] = WorkflowBinding(engine, workflow.name)
        else:
            unsupported[workflow.binding] = f"Workflow of another Worker ({workflow.script_name})"
    return Environment(bindings, unsupported)


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
    if issubclass(found, WorkflowEntrypoint):
        return dataclasses.replace(problem, suggestion=f'It is there, but not exported: add "{name}" to __all__.')
    return dataclasses.replace(
        problem, suggestion=f"There is a class {name}, but it is no Workflow: write `class {name}(WorkflowEntrypoint)`."
    )


def _definitions(config: LoadedConfig, worker: Worker) -> dict[str, WorkflowDefinition]:
    return {
        workflow.name: definition_of(workflow, worker.exports.workflows[workflow.class_name], worker)
        for workflow in config.config.workflows
        if is_ours(workflow, config)
    }


def definition_of(
    workflow: WorkflowSection, cls: type[WorkflowEntrypoint[Any, Any]], worker: Worker
) -> WorkflowDefinition:
    """What the engine is told about a Workflow whose class belongs to `worker`."""

    def entrypoint() -> WorkflowEntrypoint[Any, Any]:
        # Called in the task of the run, so that the run and its callbacks see what the module-level `env` stands for.
        context = worker.enter()
        return cls(context, worker.env)

    return WorkflowDefinition(
        workflow.name,
        entrypoint,
        params_type=type_arguments(cls, WorkflowEntrypoint)[1],
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
