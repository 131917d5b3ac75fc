"""Places in the user's code, for people: tracebacks without our frames and asyncio's, and the line that is calling."""

import asyncio
import concurrent.futures
import contextvars
import os
import sys
import threading
import traceback
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from cfworkflows.caller import is_ours, line_of, on_behalf_of, users_frame

T = TypeVar("T")

_PLUMBING = tuple(str(Path(path).parent) for path in (asyncio.__file__, concurrent.futures.__file__))
_THREADS = threading.__file__


def user_frames(trace: TracebackType | None) -> TracebackType | None:
    """`trace` without the frames of cfworkflows and asyncio; all of it, if none would be left."""
    kept: list[TracebackType] = []
    walk = trace
    while walk is not None:
        if not is_plumbing(walk.tb_frame.f_code.co_filename):
            kept.append(walk)
        walk = walk.tb_next
    trimmed: TracebackType | None = None
    for frame in reversed(kept):
        trimmed = TracebackType(trimmed, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return trimmed if trimmed is not None else trace


def is_plumbing(filename: str) -> bool:
    """Whether a source file is ours or asyncio's, rather than the user's or a library's."""
    return is_ours(filename) or filename.startswith((*_PLUMBING, "<frozen")) or filename == _THREADS


def caller_location() -> str | None:
    """`file:line` of the user's code that is calling us. None if there is none."""
    frame = users_frame(sys._getframe(1))
    return line_of(frame) if frame is not None else on_behalf_of.get()


def task_for_caller(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task of ours: what it calls is called by the line of the user's code that is calling now."""
    context = contextvars.copy_context()
    context.run(on_behalf_of.set, caller_location())
    return asyncio.get_running_loop().create_task(work, context=context)


def shown_path(path: str) -> str:
    """`path`, or a `file:line`, relative to the working folder if it is in there."""
    return path.removeprefix(f"{Path.cwd()}{os.sep}")


def format_error(error: BaseException) -> str:
    """The traceback of `error` and its causes, trimmed to user code, as Python prints it."""
    return "".join(_trimmed(traceback.TracebackException.from_exception(error)).format()).rstrip()


def _trimmed(report: traceback.TracebackException, seen: frozenset[int] = frozenset()) -> traceback.TracebackException:
    frames = [frame for frame in report.stack if not is_plumbing(frame.filename)]
    if not frames and not seen and getattr(report, "text", None) is None:  # a SyntaxError shows its line by itself
        frames = list(report.stack)
    report.stack = traceback.StackSummary.from_list(frames)
    for other in (report.__cause__, report.__context__, *(report.exceptions or ())):
        if other is not None and id(other) not in seen:
            _trimmed(other, seen | {id(report)})
    return report


def note_of(trace: str | None, message: str) -> str:
    """The first line of what was noted on an error, from its traceback as text and its message; "" if nothing was."""
    _, found, rest = (trace or "").rpartition(message) if message else ("", "", "")
    lines = rest.splitlines()
    # What follows the message on its line is more of the message, and a group is followed by what is in it.
    if not found or len(lines) < 2 or lines[0] or lines[1].lstrip().startswith("+-"):
        return ""
    return lines[1].strip()
