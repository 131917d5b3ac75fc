"""How the processes of `cfwf dev` end: never by waiting for threads of the Worker."""

import os
import sys
from typing import NoReturn

from cfworkflows_emulator.dev.output import end_pipes


def exit_now(code: int) -> NoReturn:
    """End the process without waiting for threads or tasks, as soon as what was printed is out."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, RuntimeError, ValueError, AttributeError):
            # Nobody reads it any more, a signal came in the middle of a flush, or code of the user closed it.
            continue
    end_pipes()
    os._exit(code)
