"""HTTP in front of a project: aiohttp's connections on one side, `Request` and `Response` on the other.

`serve` answers with the Worker, but for the control paths of `mounts`. May import the runtime and the
API.
"""

from cfworkflows_emulator.server.failure import Failure, describe
from cfworkflows_emulator.server.mounts import Mount
from cfworkflows_emulator.server.server import Server, serve
from cfworkflows_emulator.server.sockets import PortInUseError, open_sockets

__all__ = ["Failure", "Mount", "PortInUseError", "Server", "describe", "open_sockets", "serve"]
