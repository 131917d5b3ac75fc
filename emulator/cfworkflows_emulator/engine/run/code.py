"""The code of `run()`, in a task of its own."""

import asyncio
from types import CodeType
from typing import Any

from cfworkflows.step import WorkflowStep
from cfworkflows.step.call import StepDriver, resolve_awaitable
from cfworkflows_emulator.actors import Latch
from cfworkflows_emulator.engine.run.branch import begin_branches
from cfworkflows_emulator.engine.run.host import Journalled
from cfworkflows_emulator.engine.run.stranded import cut_off, strand
from cfworkflows_emulator.tracebacks import ends_more


class Code:
    """Calls `run()` once."""

    __slots__ = ("_cancelled", "_host", "_task")

    def __init__(self, host: Journalled) -> None:
        self._host = host
        self._task: asyncio.Task[None] | None = None
        self._cancelled: asyncio.Task[None] | None = None

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
        self._task = asyncio.get_running_loop().create_task(work, name=f"run() of {self._host}")
        try:
            return await over
        finally:
            self._task = None

    def cancel(self) -> None:
        """End it where it waits. If it is the caller, it is left alone."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._cancelled = self._task
            cut_off(self._task)

    def strand(self) -> asyncio.Future[Any]:
        """What a step gives that it calls although it was cancelled: nothing, ever."""
        return strand(self._cancelled)

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
