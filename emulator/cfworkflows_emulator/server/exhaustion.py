"""When the system grants the process no more open files: asyncio would log a traceback for each try to accept."""

import asyncio
import errno
import logging
import resource
from typing import Any

log = logging.getLogger("cfworkflows.server")

QUIET_S = 60.0
"""After so many seconds without it, it is logged again."""


class Exhaustion:
    """The exception handler of `loop`, which logs that once and leaves everything else to the one before it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._before = loop.get_exception_handler()
        self._last: float | None = None
        loop.set_exception_handler(self)

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE) and "socket" in context:
            last, self._last = self._last, loop.time()
            if last is None or self._last - last > QUIET_S:
                limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
                log.error(
                    "No connection is accepted for now: %s (the limit is %d). It is tried again each second. Raise the "
                    "limit with `ulimit -n`, or look for files and connections that the Worker does not close.",
                    error.strerror,
                    limit,
                )
        elif getattr(getattr(context.get("handle"), "_callback", None), "__name__", "") == "_start_serving":
            log.debug("A socket was closed before another try to accept on it.")
        elif self._before is not None:
            self._before(loop, context)
        else:
            loop.default_exception_handler(context)
