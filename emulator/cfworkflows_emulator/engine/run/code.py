"""The code of `run()`, in a task of its own."""

import asyncio
import contextvars
from types import CodeType
from typing import Any

from cfworkflows.step import WorkflowStep
from cfworkflows.step.call import StepDriver, resolve_awaitable
from cfworkflows_emulator.actors import Latch
from cfworkflows_emulator.engine.run.branch import begin_branches
from cfworkflows_emulator.engine.run.host import Journalled
from cfworkflows_emulator.engine.run.stranded import strand
from cfworkflows_emulator.engine.run.tasks import Tasks
from cfworkflows_emulator.tracebacks import ends_more


class Code:
    """Calls `run()` once."""

    __slots__ = ("_host", "_left", "_task", "_tasks")

    def __init__(self, host: Journalled, tasks: Tasks) -> None:
        self._host = host
        self._tasks = tasks
        self._task: asyncio.Task[None] | None = None
        self._left: asyncio.Task[None] | None = None

    @property
    def calls(self) -> bool:
        """Whether its own task is calling, rather than a task that the user's code made."""
        return asyncio.current_task() is self._task

    async def outcome(self, driver: StepDriver) -> tuple[Any, BaseException | None]:
        """What `run()` returns, and what it raises: an error that this raises itself is of who waits for it.

        That the task of `run()` is being cancelled says nothing of who does it. A TaskGroup that fails cancels the task
        it is in and, before Python 3.13, does not always take it back.
        """
        over: Latch[tuple[Any, BaseException | None]] = Latch()
        work = self._call(driver, over)
        self._task = self._tasks.start(work, f"run() of {self._host}", contextvars.copy_context())
        try:
            return await over
        finally:
            self._left, self._task = self._task, None

    def strand(self) -> asyncio.Future[Any]:
        """What a step gives that is called when all is over: nothing, ever."""
        return strand(self._left, self._task)

    async def _call(self, driver: StepDriver, over: Latch[tuple[Any, BaseException | None]]) -> None:
        begin_branches()
        try:
            entrypoint = self._host.definition.entrypoint()
            output = await resolve_awaitable(entrypoint.run(self._host.event(), WorkflowStep(driver)))
        except BaseException as error:
            if ends_more(error):
                raise
            over.open((None, error))  # a SystemExit that left the task would end the process
        else:
            over.open((output, None))


RUN_IN_TASK: CodeType = Code._call.__code__
"""The code of the task that executes a `run()`."""
