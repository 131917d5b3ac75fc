"""An engine for tests, over a real database and on a virtual clock: it can be killed and started again."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cfworkflows import WorkflowEntrypoint
from cfworkflows.entrypoint import ExecutionContext
from cfworkflows.generics import type_arguments
from cfworkflows_bindings import WorkflowBinding, WorkflowInstance
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.engine import Engine, EngineSettings, WorkflowDefinition, open_database
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.runtime.loop import task_factory
from cfworkflows_emulator.storage import Database

ENDED = ("complete", "errored", "terminated")


class TestEngine:
    """An engine with the workflows `classes`, each called as its class is. `path` None keeps all in memory.

    `settings` are those of every WorkflowDefinition.
    """

    __test__ = False  # pytest looks at classes of such a name

    def __init__(
        self,
        *classes: type[WorkflowEntrypoint],
        path: Path | None = None,
        evict_after_ms: float | None = EngineSettings().evict_after_ms,
        check_determinism: bool = False,
        **settings: Any,
    ) -> None:
        self.classes = list(classes)
        self.path = path
        self.engine_settings = EngineSettings(evict_after_ms, check_determinism)
        self.settings = settings
        self.clock = VirtualClock()
        self.running = False

    async def start(self) -> "TestEngine":
        """For as long as the event loop runs, tasks that the workflows make belong to their instances."""
        asyncio.get_running_loop().set_task_factory(task_factory(None))
        self._others = asyncio.all_tasks()
        self.database = await open_database(self.path)
        self.engine = await Engine.open(
            [self._definition(cls) for cls in self.classes],
            self.clock,
            self.database,
            self.engine_settings,
        )
        self.running = True
        await self.engine.resume_all()
        return self

    def _definition(self, cls: type[WorkflowEntrypoint]) -> WorkflowDefinition:
        context = ExecutionContext(lambda awaitable: None)
        params = type_arguments(cls, WorkflowEntrypoint)[1]
        return WorkflowDefinition(cls.__name__, lambda: cls(context, None), params, **self.settings)

    async def stop(self) -> None:
        if self.running:
            self.running = False
            await self.engine.close()

    async def kill(self) -> None:
        """What is not on the disk is gone, and nothing that still runs gets there."""
        self.running = False
        self.engine.store.abandon()
        self.engine.residents.closed = True  # what is cancelled now wakes nobody
        self.engine._alarms.close()
        self.engine._schedules.close()
        self.engine._retention.close()
        await self.cancel_all()
        self.engine._shared.callbacks.close()
        await self.database.close()
        self.clock = VirtualClock(self.clock.now())

    async def cancel_all(self) -> None:
        """End every task there is, as the end of `asyncio.run` does."""
        own = asyncio.all_tasks() - self._others - {asyncio.current_task()}
        for task in own:
            task.cancel()
        await asyncio.gather(*own, return_exceptions=True)

    async def restart(self) -> "TestEngine":
        if self.running:
            await self.kill()
        return await self.start()

    def __getitem__(self, workflow: str | type) -> WorkflowBinding:
        return WorkflowBinding(self.engine, workflow if isinstance(workflow, str) else workflow.__name__)

    async def create(self, *arguments: Any, **options: Any) -> WorkflowInstance:
        """A new instance of the only workflow, gone as far as it goes without time passing."""
        instance = await self[self.classes[0]].create(*arguments, **options)
        await self.clock.settle()
        return instance

    async def get(self, id: str) -> WorkflowInstance:
        return await self[self.classes[0]].get(id)

    async def run(self, *arguments: Any, **options: Any) -> Any:
        """The output of a new instance of the only workflow."""
        instance = await self.create(*arguments, **options)
        status = await self.finish(instance)
        assert status.error is None, status.error
        return status.output

    async def finish(self, instance: WorkflowInstance) -> Any:
        """Let time pass until the instance has ended: its status then."""
        while (status := await self.settled(instance)).status not in ENDED:
            await self.clock.advance_to_next()
        return status

    async def time_out(self, began: asyncio.Event) -> None:
        """Let the next timer fire although a callback, which sets `began`, runs and so holds the clock."""
        await began.wait()
        assert self.clock.next_timer is not None
        self.clock._fire_next()

    async def unloaded(self) -> None:
        """Wait until the steps that outlived their instances are over, and with them the instances out of memory."""
        runs = [instance._outlived for instance in self.engine.residents.actors.values()]
        if over := [operation.over for run in runs if run is not None for operation in run.operations]:
            await asyncio.wait(over)
        assert {} == self.engine.residents.actors

    async def settled(self, instance: WorkflowInstance) -> Any:
        await self.clock.settle()
        return await instance.status()

    async def state(self, instance: WorkflowInstance) -> InstanceState:
        return await self.engine.state(instance._workflow, instance.id)

    async def journal(self, instance: WorkflowInstance) -> list[str]:
        """The types of the entries, `step_started a-1` where there is a step."""
        _, entries = await self.engine.history(instance._workflow, instance.id)
        return [f"{entry.type} {entry.step}" if entry.step else entry.type for entry in entries]


class Death:
    """Lets `commits` more transactions through; then nothing is written any more, and `came` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, commits: int) -> None:
        self.left = commits
        self.came = asyncio.Event()
        transaction, transact = Database.transaction, Database.transact

        async def in_thread(database: Database, function: Callable[..., Any]) -> Any:
            if not self._lives():
                await asyncio.Event().wait()
            return await transaction(database, function)

        def in_place(database: Database, function: Callable[..., Any], *, is_atomic: bool) -> Any:
            if not self._lives():
                raise _DeadError
            return transact(database, function, is_atomic=is_atomic)

        monkeypatch.setattr(Database, "transaction", in_thread)
        monkeypatch.setattr(Database, "transact", in_place)

    def _lives(self) -> bool:
        if self.left == 0:
            self.came.set()
            return False
        self.left -= 1
        return True


class _DeadError(BaseException):
    """Ends the call that writes, and nobody hears of it."""


def workflow(run: Callable[..., Awaitable[Any]], params: Any = Any) -> type[WorkflowEntrypoint]:
    """A workflow class around `run(event, step)`, or `run(step)`."""
    takes_event = run.__code__.co_argcount == 2

    class Tested(WorkflowEntrypoint[Any, params]):
        async def run(self, event: Any, step: Any) -> Any:
            return await (run(event, step) if takes_event else run(step))

    Tested.__name__ = run.__name__
    return Tested
