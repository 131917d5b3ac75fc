"""An adapter whose clients follow the worker through reloads, if they attach with `"restart": true`.

debugpy's own takes "restart" for a client that listens, not for one that connects. This one tells its client of the end
of the worker when the next one listens on the port, so that the client attaches to that one at once.
"""

import errno
import os
import runpy
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from debugpy.adapter import clients, sessions

SUPERVISOR = "CFWF_DEBUG_SUPERVISOR"
"""The variable with the pid of the process that starts the next worker, which `dev.attaching` sets. This program is
started by the path of its folder, and imports nothing of the package.
"""

LONGEST_S = 30.0
"""So long, in seconds, it is waited for the next worker."""

_finalize = sessions.Session.finalize


def finalize(session: Any, why: str, terminate_debuggee: bool | None = None) -> None:
    server, client = session.server, session.client
    if server is not None and not server.is_connected and client is not None and not session.is_finalizing:
        address = clients.listener.getsockname()
        with suppress(OSError):
            clients.listener.shutdown(socket.SHUT_RDWR)  # a thread waits in `accept`, and would keep it open
        clients.stop_serving()
        started = client.start_request
        wants = started is not None and bool(started.arguments.get("restart", False))
        client.restart_requested = wants and _is_listened_on(address)
    _finalize(session, why, terminate_debuggee)


def _is_listened_on(address: Any) -> bool:
    """Whether the next worker listens on `address`, as soon as it does or cannot any more."""
    deadline = time.monotonic() + LONGEST_S
    pause = threading.Event()
    while time.monotonic() < deadline and _is_alive(int(os.environ[SUPERVISOR])):
        with socket.socket(socket.AF_INET6 if len(address) == 4 else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return True
        pause.wait(0.02)
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # the worker's, which are read to their end
        os.dup2(null, stream)
    sessions.Session.finalize = finalize
    runpy.run_module("debugpy.adapter", run_name="__main__", alter_sys=True)
