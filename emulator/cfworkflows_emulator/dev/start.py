"""The start of `cfwf dev`: the configurations are read by another process while this one imports the server."""

import importlib
import os
from functools import partial

from cfworkflows_emulator.dev.certificates import read_when_needed
from cfworkflows_emulator.dev.loading import load
from cfworkflows_emulator.dev.options import DevOptions
from cfworkflows_emulator.dev.reading import Reading


def start(options: DevOptions, started: float) -> int:
    """Serve until a signal comes. Gives the exit code: 0, or 1 if it could not start.

    `started` is when the process began, by `time.perf_counter`.
    """
    if options.cwd is not None:
        os.chdir(options.cwd)
    reading = Reading(partial(load, options))
    with read_when_needed():
        importlib.import_module("aiohttp")
    from cfworkflows_emulator.dev.serving import serve

    return serve(options, reading, started)
