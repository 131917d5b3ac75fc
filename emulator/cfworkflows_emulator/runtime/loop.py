"""The event loop of a project: `asyncio.create_task(step.do(...))` works, though a verb has started already, and the
tasks that `run()` makes are known as its branches, and belong to it.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cfworkflows_emulator.engine import branch_task


@contextmanager
def started_futures_as_tasks(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let `create_task` of `loop`, of asyncio and of TaskGroup take a future, and return it as it is.

    Everything else becomes a task, as before.
    """
    previous = loop.get_task_factory()
    loop.set_task_factory(task_factory(previous))
    try:
        yield
    finally:
        loop.set_task_factory(previous)


def task_factory(previous: Callable[..., Any] | None) -> Callable[..., Any]:
    """See `started_futures_as_tasks`; tasks are made by `previous`, if there is one."""
    make: Callable[..., Any] = previous or branch_task

    def factory(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> Any:
        return _named(work, options.get("name")) if asyncio.isfuture(work) else make(loop, work, **options)

    return factory


def _named(future: Any, name: str | None) -> Any:
    """`future` with the name that a task has, which `create_task` sets and the caller may ask for."""
    if not hasattr(future, "get_name"):
        future._cfwf_name = name
        future.set_name = lambda value: setattr(future, "_cfwf_name", str(value))
        future.get_name = lambda: future._cfwf_name or f"Future-{id(future):x}"
    return future
