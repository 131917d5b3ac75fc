"""Places in the user's code, for people: tracebacks without our frames and asyncio's, and the line that is calling."""

import asyncio
import concurrent.futures
import contextvars
import logging
import opcode
import os
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from cfworkflows.caller import is_ours, line_of, on_behalf_of, users_frame
from cfworkflows.errors import MOST_LISTED, exact, inside_of, is_a, name_of, shortened, text_of

log = logging.getLogger("cfworkflows.engine")

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


def context_of_caller() -> contextvars.Context:
    """For a task of ours: what it calls is called by the line of the user's code that is calling now."""
    context = contextvars.copy_context()
    context.run(on_behalf_of.set, caller_location())
    return context


def ends_more(error: BaseException) -> bool:
    """Whether `error` came upon the code that it leaves, which did not raise it: ctrl-C, or the end of a coroutine."""
    if not is_a(error, (KeyboardInterrupt, GeneratorExit)):
        return False
    trace = trace_of(error)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_globals.get("__name__") == "asyncio.runners":  # its handler of signals raises
        return True
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] != opcode.opmap["RAISE_VARARGS"]


def shown_path(path: str) -> str:
    """`path`, or a `file:line`, relative to the working folder if it is in there."""
    return path.removeprefix(f"{Path.cwd()}{os.sep}")


def format_error(error: BaseException) -> str:
    """The traceback of `error` and its causes, trimmed to user code, as Python prints it.

    It raises nothing, whatever the error does when it is looked at, and is no longer than an error may be: of one that
    Python cannot print, and of one with very many others behind it, there is less to see.
    """
    if not _is_endless(error):
        try:
            return _shown("".join(_trimmed(traceback.TracebackException.from_exception(error)).format()).rstrip())
        except BaseException:  # noqa: BLE001 - the user's class, notes, source loader, ...
            log.debug("Python cannot print an error of class %s.", name_of(type(error)))
    return _shown(_plain(error))


def format_error_only(error: BaseException) -> str:
    """Like `format_error`, without the frames and without the errors behind it: the class, the message, the notes."""
    try:
        return _shown("".join(traceback.format_exception_only(error)).rstrip())
    except BaseException:  # noqa: BLE001 - as above
        return _shown(_last_line(error))


def printable_error(error: BaseException) -> BaseException:
    """`error` for a log record, which every handler is to be able to print: another one that shows what can be shown,
    if Python cannot print `error` itself.
    """
    try:
        if not _is_endless(error):
            list(traceback.TracebackException.from_exception(error).format())
            return error
    except BaseException:  # noqa: BLE001 - as above
        log.debug("Python cannot print an error of class %s.", name_of(type(error)))
    return UnprintableError(f"of class {name_of(type(error))}\n{_shown(_plain(error))}")


class UnprintableError(Exception):
    """Stands in log records for an error that Python cannot print, or not within reason."""


def trace_of(error: BaseException) -> TracebackType | None:
    """What `error.__traceback__` is, also if the class has another idea of that."""
    trace: TracebackType | None = _TRACE.__get__(error)
    return trace


def _trimmed(report: traceback.TracebackException, seen: frozenset[int] = frozenset()) -> traceback.TracebackException:
    frames = [frame for frame in report.stack if not is_plumbing(frame.filename)]
    if not frames and not seen and getattr(report, "text", None) is None:  # a SyntaxError shows its line by itself
        frames = list(report.stack)
    report.stack = traceback.StackSummary.from_list(frames)
    for other in (report.__cause__, report.__context__, *(report.exceptions or ())):
        if other is not None and id(other) not in seen:
            _trimmed(other, seen | {id(report)})
    return report


def has_others(error: BaseException) -> bool:
    """Whether another error is behind it."""
    return _CAUSE.__get__(error) is not None or _CONTEXT.__get__(error) is not None


def _is_endless(error: BaseException) -> bool:
    """Whether an error has more than MOST_ERRORS behind or in it."""
    found, rest = {id(error)}, [error]
    while rest:
        one = rest.pop()
        for other in (_CAUSE.__get__(one), _CONTEXT.__get__(one), *inside_of(one)):
            if other is not None and id(other) not in found:
                found.add(id(other))
                rest.append(other)
        if len(found) > MOST_ERRORS:
            return True
    return False


def _plain(error: BaseException) -> str:
    """An error and those behind it, the first cause first, in a form that asks nothing of their classes but a text."""
    parts: list[str] = []
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen and len(seen) < MOST_ERRORS:
        seen.add(id(one))
        try:
            stack = "".join(traceback.StackSummary.extract(traceback.walk_tb(user_frames(trace_of(one)))).format())
        except BaseException:  # noqa: BLE001 - whoever gives the lines of the source may raise too
            stack = ""
        head = "Traceback (most recent call last):\n" if stack else ""
        parts.append(f"{head}{stack}{_last_line(one)}{_inside(one)}")
        cause = _CAUSE.__get__(one)
        one = cause if cause is not None or _SUPPRESSED.__get__(one) else _CONTEXT.__get__(one)
        if one is not None:
            parts.append(_CAUSED if cause is not None else _DURING)
    if one is not None:
        parts[-1] = "[The errors behind this one are left out.]"
    return "\n\n".join(reversed(parts))


def _shown(text: str) -> str:
    """`text` as it can be written anywhere: of no more than its length, and without half characters."""
    return shortened(exact(text)).encode("utf-8", "backslashreplace").decode()


def _last_line(error: BaseException) -> str:
    name, text = name_of(type(error)), shortened(text_of(error))
    return f"{name}: {text}" if text else name


def _inside(group: BaseException) -> str:
    inside = inside_of(group)
    lines = [f"\n  +- {_last_line(error)}" for error in inside[:MOST_LISTED]]
    more = [f"\n  +- and {len(inside) - MOST_LISTED:,} more"] if len(inside) > MOST_LISTED else []
    return "".join([*lines, *more])


MOST_ERRORS = 100
"""So many errors behind each other, or in groups, are shown as Python shows them."""

_TRACE, _CAUSE, _CONTEXT, _SUPPRESSED = (
    vars(BaseException)[name] for name in ("__traceback__", "__cause__", "__context__", "__suppress_context__")
)
_CAUSED = "The above exception was the direct cause of the following exception:"
_DURING = "During handling of the above exception, another exception occurred:"


def note_of(trace: str | None, message: str) -> str:
    """The first line of what was noted on an error, from its traceback as text and its message; "" if nothing was."""
    _, found, rest = (trace or "").rpartition(message) if message else ("", "", "")
    lines = rest.splitlines()
    # What follows the message on its line is more of the message, and a group is followed by what is in it.
    if not found or len(lines) < 2 or lines[0] or lines[1].lstrip().startswith("+-"):
        return ""
    return lines[1].strip()
