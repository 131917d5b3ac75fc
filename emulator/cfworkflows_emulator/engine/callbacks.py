"""The callbacks of steps that run, each in a task of its own; those that are plain functions in a thread too."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

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

    def start(self, work: Coroutine[Any, Any, T], name: str, context: contextvars.Context) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return task

    def timed_out(self, task: asyncio.Task[Any]) -> None:
        """It continues nevertheless."""
        self.late.add(task)
        task.add_done_callback(self.late.discard)

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        context = contextvars.copy_context()

        def call() -> T:
            try:
                return context.run(function, *arguments)
            except StopIteration as error:  # a future does not take it, and its waiter would wait for ever
                raise RuntimeError("The callback raised StopIteration.") from error

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def end(self, grace_s: float) -> list[str]:
        """Give them `grace_s` seconds, and cancel those that are left: their names."""
        if self.running and grace_s:
            await asyncio.wait(self.running, timeout=grace_s)
        left = [task.get_name() for task in self.running]
        self.cancel()
        return left

    def cancel(self) -> None:
        """Cancel all. What runs in a thread cannot be stopped."""
        for task in self.running:
            task.cancel()

    def close(self) -> None:
        """Begin nothing more in a thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def threads_ended(self) -> None:
        """Wait for what runs in threads."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
