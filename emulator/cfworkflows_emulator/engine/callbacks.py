"""The callbacks of steps that run, each in a task of its own; those that are plain functions in a thread too."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from cfworkflows.permit import permit
from cfworkflows_emulator.engine.run.tasks import Frozen, TaskCode, Tasks

T = TypeVar("T")

STEP_THREADS = 64


class Callbacks:
    """`running` are those of ended instances too: a callback continues after its timeout, or if it is not awaited.

    `late` are those of them that timed out.
    """

    def __init__(self) -> None:
        self.running: set[asyncio.Task[Any]] = set()
        self.late: set[asyncio.Task[Any]] = set()
        self._threads = ThreadPoolExecutor(STEP_THREADS, thread_name_prefix="cfwf-step")

    def start(
        self, work: Coroutine[Any, Any, T], name: str, context: contextvars.Context, ended: Frozen
    ) -> asyncio.Task[T]:
        """Start one. `ended` is called with its task when it has ended, or is never to end."""

        def over(task: asyncio.Task[Any]) -> None:
            self.running.discard(task)
            self.late.discard(task)
            ended(task)

        tasks = context.get(permit)
        if isinstance(tasks, Tasks):
            task = tasks.start(work, name, context, frozen=over)
        else:
            task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self.running.add(task)
        task.add_done_callback(over)
        return task

    def timed_out(self, task: asyncio.Task[Any]) -> None:
        """It continues nevertheless."""
        if task in self.running:
            self.late.add(task)

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        context = contextvars.copy_context()

        def call() -> T:
            try:
                return context.run(function, *arguments)
            except StopIteration as error:  # a future does not take it, and its waiter would wait for ever
                raise RuntimeError("The callback raised StopIteration.") from error

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def end(self, grace_s: float) -> list[str]:
        """Give them `grace_s` seconds to end: the names of those that are left."""
        if self.running and grace_s:
            await asyncio.wait(self.running, timeout=grace_s)
        return [task.get_name() for task in self.running]

    def cut_off(self) -> None:
        """End all, with whatever else runs of their executions. What runs in a thread cannot be stopped."""
        for task in list(self.running):
            if isinstance(code := task.get_coro(), TaskCode):
                code.tasks.end()
            else:
                task.cancel()

    def close(self) -> None:
        """Begin nothing more in a thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def threads_ended(self) -> None:
        """Wait for what runs in threads."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
