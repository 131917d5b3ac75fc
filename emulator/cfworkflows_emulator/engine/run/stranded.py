"""Code that goes on although its execution is over, having caught the cancellation: it stops at its next step.

A step that raised there would be caught once more: a loop of that kind never yields to the event loop.
"""

import asyncio
import atexit
from asyncio.tasks import _unregister_task as forget_task  # documented, in "Extending asyncio"
from collections.abc import Iterable
from typing import Any

from cfworkflows_emulator.turns import SETTLE_TURNS

PATIENCE_S = 1
"""What cancelled code may take to clean up when the engine closes."""

MOST_KEPT = 1_000
"""So many tasks are kept of instances that were evicted. Those that would add to them stay in memory instead."""


class Never(asyncio.Future[Any]):
    """A future that nothing ends: who awaits it is not even woken by a cancellation."""

    def cancel(self, msg: object = None) -> bool:
        return False


_kept: set[asyncio.Future[Any]] = set()
"""Nothing drops these: code that is collected as garbage runs its `finally` in the midst of anything."""

_cut_off: set[asyncio.Task[Any]] = set()


def never() -> asyncio.Future[Any]:
    """What the coroutine of a task gives that is to wait for ever."""
    future = Never(loop=asyncio.get_running_loop())
    future._asyncio_future_blocking = True  # what `await` does
    return future


def strand(*tasks: asyncio.Task[Any] | None) -> asyncio.Future[Any]:
    """What a step gives that is called when all is over. The end of `asyncio.run` waits neither for the task that calls
    it nor for `tasks`, those that it belongs to.
    """
    future = Never(loop=asyncio.get_running_loop())
    _kept.add(future)
    for task in (asyncio.current_task(), *tasks):
        if task is not None:
            leave(task)
    return future


def cut_off(task: asyncio.Task[Any]) -> None:
    """Cancel `task`, and know it until it has ended."""
    if not task.done():
        _cut_off.add(task)
        task.add_done_callback(_cut_off.discard)
        task.cancel()


async def leave_behind(cancelled: Iterable[asyncio.Task[Any]]) -> None:
    """Wait a while for `cancelled` and for what was cut off. The end of `asyncio.run` does not wait for the rest."""
    for _ in range(SETTLE_TURNS):
        await asyncio.sleep(0)  # noqa: TID251 - a turn of the event loop, no time
    loop = asyncio.get_running_loop()
    known = {*cancelled, *_cut_off} - _kept - {asyncio.current_task()}
    tasks = [each for each in known if each.get_loop() is loop]
    if tasks:
        _, left = await asyncio.wait(tasks, timeout=PATIENCE_S)
        for task in left:
            leave(task)


def leave(task: asyncio.Task[Any]) -> None:
    """Keep a task as it is: neither the end of `asyncio.run` nor that of the process ends it."""
    if task not in _kept and not task.done():
        if not _kept:
            atexit.register(_keep_for_good)
        _kept.add(task)
        task.add_done_callback(_kept.discard)
        forget_task(task)


def is_crowded() -> bool:
    """Whether so much is kept that nothing is to be added for the sake of memory."""
    return len(_kept) >= MOST_KEPT


def _keep_for_good() -> None:
    """Python would end the coroutines with its modules."""
    import ctypes

    for each in _kept:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))
