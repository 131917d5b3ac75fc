"""Which instance kills the process by what its `run()` does outside of steps: a fault in native code, `os._exit`, too
little memory.

Once a process has died, the next one notes in a file whose `run()` is being executed, so that the process after that
knows. What is noted is exact, since the event loop executes one piece of code at a time; code that `run()` has moved to
a thread is not noted. Neither are callbacks of steps, whose attempts count.
"""

import asyncio
import contextvars
import json
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cfworkflows.errors import WorkflowError, WorkflowInternalError
from cfworkflows_emulator.engine import RUN_IN_TASK, WRAPPERS, Engine, end_as_it_is
from cfworkflows_emulator.engine.run.caller import running_in

NAME = "running.json"
"""The file in the state folder: the key of the instance whose code runs (0 for none), and how often each was found."""

MOST_DEATHS = 2
"""An instance that was found so often ends. The death before, which made its process note, does not count."""

QUIET_S = 600.0
"""After so many seconds without another death nothing is noted any more."""

_HEAD = b'{"running": '
_WIDTH = 20
_OURS = str(Path(__file__).parents[1]) + os.sep


class Suspects:
    """Notes in the state folder `state`, if `deaths` processes have died in a row: with 0 it forgets what was noted.

    `found` is the key of the instance whose code ran when the last one died; None if none did.
    """

    def __init__(self, state: Path, deaths: int) -> None:
        self._path = state / NAME
        self._file: int | None = None
        self.found, self._counts = _read(self._path) if deaths else (None, {})
        if not deaths:
            self._forget()
            return
        if self.found is not None:
            self._counts[self.found] = self._counts.get(self.found, 0) + 1
        counts = json.dumps(self._counts).encode()
        with suppress(OSError):  # where nothing can be written, no instance runs either
            self._path.write_bytes(_HEAD + b"0".rjust(_WIDTH) + b', "found": ' + counts + b"}\n")
            self._file = os.open(self._path, os.O_WRONLY)

    async def judge(self, engine: Engine) -> None:
        """End the instance that was found, if it was found often enough. Before any instance runs."""
        if self.found is None or self._counts[self.found] < MOST_DEATHS:
            return
        error = WorkflowInternalError(
            f"The process was killed {self._counts[self.found] + 1} times while code of this run() was executed, "
            "outside of its steps: by a fault in native code, by os._exit, or for lack of memory. Its steps are not "
            "undone. Move what kills the process into a step, whose attempts count."
        )
        with suppress(WorkflowError):  # it is gone, or no longer configured
            await end_as_it_is(engine.residents, self.found, error)

    @contextmanager
    def noting(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Until the end of the block, note whose `run()` the loop executes; for no longer than QUIET_S."""
        if self._file is None:
            yield
            return

        def noted(work: Coroutine[Any, Any, Any], context: contextvars.Context) -> Coroutine[Any, Any, Any]:
            key = _whose(work, context)
            return work if key is None else _Noted(work, key, self)

        WRAPPERS.append(noted)
        quiet = loop.call_later(QUIET_S, self._forget)
        try:
            yield
        finally:
            quiet.cancel()
            WRAPPERS.remove(noted)
            self._forget()

    def note(self, key: int) -> None:
        """From now on code of the instance `key` runs; 0 for none."""
        if self._file is not None:
            with suppress(OSError):
                os.pwrite(self._file, str(key).encode().rjust(_WIDTH), len(_HEAD))

    def _forget(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _read(path: Path) -> tuple[int | None, dict[int, int]]:
    """What the last process has noted. A file that says nothing, or is not ours, is as good as none."""
    try:
        noted = json.loads(path.read_bytes())
        return int(noted["running"]) or None, {int(key): int(count) for key, count in noted["found"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None, {}


def _whose(work: Any, context: contextvars.Context) -> int | None:
    """The key of the instance whose `run()` executes `work`; None for callbacks of steps, and for what is ours."""
    code = getattr(work, "cr_code", None)
    if code is None or (code.co_filename.startswith(_OURS) and code is not RUN_IN_TASK):
        return None
    instance, step = running_in(context)
    return instance.key if instance is not None and step is None else None


class _Noted(Coroutine[Any, Any, Any]):
    """A coroutine of a `run()`: while it is executed, that is noted. If that kills the process, it stays so."""

    def __init__(self, work: Coroutine[Any, Any, Any], key: int, suspects: Suspects) -> None:
        self._work = work
        self._key = key
        self._suspects = suspects

    def send(self, value: Any) -> Any:
        self._suspects.note(self._key)
        try:
            return self._work.send(value)
        finally:
            self._suspects.note(0)

    def throw(self, *error: Any) -> Any:
        self._suspects.note(self._key)
        try:
            return self._work.throw(*error)
        finally:
            self._suspects.note(0)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Any:
        return self._work.__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)  # its name, its frame: for reports
