"""What a test leaves behind: tasks that still run, files that are still open, instances that have not ended."""

import asyncio
import os
import stat
from pathlib import Path
from typing import Any

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.shown import shown_line

_DESCRIPTORS = Path("/proc/self/fd")


class LeakError(CfworkflowsError):
    """The test left something behind. The text names it."""

    def __init__(self, leaks: list[str]) -> None:
        super().__init__("The test left behind:\n" + "\n".join(f"- {shown_line(leak)}" for leak in leaks))
        self.leaks = leaks


class Census:
    """The tasks and the open files of a moment. Files are known on Linux only."""

    def __init__(self) -> None:
        self._tasks = asyncio.all_tasks()
        self._files = _open_files()

    async def left(self) -> list[str]:
        """What has come since and is still there, by name. Tasks among it are cancelled."""
        tasks = self._new_tasks()
        if tasks:  # what is being cancelled needs a moment for it
            await asyncio.wait(tasks, timeout=1 if any(task.cancelling() for task in tasks) else 0.01)
        left = [f"the task {name_of(task)}" for task in self._new_tasks()]
        for task in self._new_tasks():
            task.cancel()
        return left + sorted(f"the open file {path}" for _, path in _open_files() - self._files)

    def _new_tasks(self) -> set[asyncio.Task[Any]]:
        new = asyncio.all_tasks() - self._tasks - {asyncio.current_task()}
        return {task for task in new if not _is_runners(task)}


def _is_runners(task: asyncio.Task[Any]) -> bool:
    """Whether it is how anyio's plugin runs tests and fixtures: such a task waits for this very one."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    return frame is not None and str(frame.f_globals.get("__name__")).startswith("anyio._backends.")


def name_of(task: asyncio.Task[Any]) -> str:
    """What a task is called, and where its code is."""
    coroutine: Any = task.get_coro()
    code = getattr(coroutine, "cr_code", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
    return f"{task.get_name()}: {getattr(coroutine, '__qualname__', coroutine)}{where}"


def _open_files() -> set[tuple[str, str]]:
    if not _DESCRIPTORS.is_dir():
        return set()
    found = set()
    for descriptor in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - each may be gone by the time it is looked at
        try:
            if stat.S_ISREG(os.fstat(int(descriptor)).st_mode):
                found.add((descriptor, os.readlink(_DESCRIPTORS / descriptor)))  # noqa: PTH115 - may name no file
        except OSError:
            continue
    return found
