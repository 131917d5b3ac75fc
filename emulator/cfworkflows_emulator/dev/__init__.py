"""What `cfwf dev` runs: the process that supervises, up to its supervisor, and the worker process, which serves.

May import the server and the supervisor, and all that they may. The command line is in `cli`.
"""

from cfworkflows_emulator.dev.options import DevOptions
from cfworkflows_emulator.dev.start import start

__all__ = ["DevOptions", "start"]
