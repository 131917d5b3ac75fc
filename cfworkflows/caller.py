"""Which line of the user's code is calling: the one that a warning, a history or a report names.

It is that of the nearest frame whose file belongs neither to cfworkflows nor to the standard library. A library
that the user has installed is the user's code.
"""

import asyncio
import contextvars
import functools
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable
from types import FrameType

_PACKAGES = ("cfworkflows", "cfworkflows_bindings", "cfworkflows_emulator")
_STANDARD_LIBRARY = os.path.join(os.path.dirname(os.path.dirname(asyncio.__file__)), "")  # noqa: PTH118, PTH120 - quick
_INSTALLED = tuple(f"{_STANDARD_LIBRARY}{folder}{os.sep}" for folder in ("site-packages", "dist-packages"))
_run: Callable[[asyncio.Handle], None] = asyncio.Handle._run

CALLED_BY_LOOP = _run.__code__
"""The code of the frame in which the event loop calls something. Frames beyond it only run the loop."""

on_behalf_of: contextvars.ContextVar[str | None] = contextvars.ContextVar("cfworkflows_on_behalf_of", default=None)
"""`file:line` of the user's code for which this context works, for as long as none of it is on the stack."""


def users_frame(frame: FrameType | None) -> FrameType | None:
    """The nearest frame of the user's code, from `frame` outwards. None if there is none."""
    while frame is not None:
        code = frame.f_code
        if is_users(code.co_filename):
            return frame
        if code is CALLED_BY_LOOP:
            return None
        frame = frame.f_back
    return None


@functools.lru_cache(maxsize=4096)
def is_users(filename: str) -> bool:
    """Whether a source file is the user's, or a library's that the user has installed."""
    if filename.startswith("<frozen ") or is_ours(filename):
        return False
    return not filename.startswith(_STANDARD_LIBRARY) or filename.startswith(_INSTALLED)


def is_ours(filename: str) -> bool:
    """Whether a source file belongs to cfworkflows."""
    return filename.startswith(_our_folders())


@functools.cache
def _our_folders() -> tuple[str, ...]:
    return tuple(
        f"{folder}{os.sep}"
        for package in _PACKAGES
        if (spec := importlib.util.find_spec(package)) is not None
        for folder in spec.submodule_search_locations or ()
    )


def line_of(frame: FrameType) -> str:
    """`file:line` of what a frame executes."""
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line of the user's code that is calling; without any, at `sys`, as Python does."""
    frame = users_frame(sys._getframe(1))
    if frame is not None:
        place, names = line_of(frame), frame.f_globals
    else:
        place, names = on_behalf_of.get() or "sys:1", globals()
    filename, _, line = place.rpartition(":")
    module = names.get("__name__") or "<string>" if frame is not None else filename.removesuffix(".py")
    registry = names.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, category, filename, int(line), module, registry)
