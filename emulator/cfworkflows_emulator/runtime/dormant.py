"""A project that is not served: its configuration and its state, without the Worker's code."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.engine import Engine, open_database
from cfworkflows_emulator.runtime.kinds.workflow import definitions_without_code
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.runtime.time import ProjectTime
from cfworkflows_emulator.runtime.worker import Worker
from cfworkflows_emulator.storage import StateFolder
from cfworkflows_emulator.storage.folder import DATABASE


@dataclass(frozen=True, slots=True)
class DormantProject:
    """The Workflows as they are configured, an engine that runs none of them, and the stores of the bindings.

    The stores are in memory, and empty, where the state is not to be changed.
    """

    config: LoadedConfig
    engine: Engine
    resources: Resources

    @property
    def configs(self) -> Sequence[LoadedConfig]:
        """The configuration of its Worker."""
        return (self.config,)

    @property
    def workers(self) -> Mapping[str, Worker]:
        """None is loaded."""
        return {}

    def proof(self, nonce: str) -> str:
        """None: nobody is served."""
        return ""

    @classmethod
    @asynccontextmanager
    async def open(cls, config: LoadedConfig, state: Path, *, writable: bool) -> "AsyncIterator[DormantProject]":
        """Open the state folder `state`, to look at it or to change it.

        What is changed takes effect when the project is served next. Where nothing has been run yet there is nothing
        to look at.

        Raises StateError if a server uses the one that is to be changed, or if it cannot be read.
        """
        with ExitStack() as stack:
            folder: StateFolder | None = None
            if writable:
                folder = stack.enter_context(StateFolder(state))
                database = await open_database(folder.database)
            else:
                path = state / DATABASE
                is_there = await asyncio.to_thread(path.exists)
                database = await open_database(path if is_there else None, read_only=is_there)
            clock = ProjectTime(state, 1).clock
            engine = await Engine.open(definitions_without_code(config), clock, database, dormant=True)
            try:
                async with Resources(engine, [config.config.name], folder) as resources:
                    yield cls(config, engine, resources)
            finally:
                await engine.close()
