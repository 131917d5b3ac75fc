"""The sockets that a server listens on."""

import errno
import socket
from collections.abc import Iterator

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator import DEFAULT_PORT

TRIED_PORTS = 10  # after the default one, before any free port is taken
BACKLOG = 1024

_WILDCARDS = ("*", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


class PortInUseError(CfworkflowsError):
    """Another program listens on the address."""


def open_sockets(ip: str, port: int | None) -> list[socket.socket]:
    """Listen on `ip` and `port`; connections wait until a server accepts them. The first socket has the port.

    `localhost` is 127.0.0.1, and ::1 where the machine has it; `*` is every address. Port 0 is any free one, None is
    8787 or the next that is free. Raises PortInUseError, and OSError for an address that is not of this machine.
    """
    if port is not None:
        return _listen(ip, port)
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + 1 + TRIED_PORTS):
        try:
            return _listen(ip, candidate)
        except PortInUseError:
            continue
    return _listen(ip, 0)


def is_wildcard(ip: str) -> bool:
    """Whether the server can be reached from other machines by any address of this machine."""
    return ip in _WILDCARDS


def network_address() -> str | None:
    """The address of this machine for others in its network, None if there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only looks up the way there
        except OSError:
            return None
        return str(probe.getsockname()[0])


def _listen(ip: str, port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for family, address, required in _addresses(ip):
            try:
                opened = socket.socket(family, socket.SOCK_STREAM)
            except OSError:
                if required:
                    raise
                continue  # a machine without IPv6
            sockets.append(opened)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                opened.bind((address, port))
                opened.listen(BACKLOG)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise PortInUseError(
                        f"Address already in use ({ip}:{port}). Please check that you are not already running a server "
                        "on this address or specify a different port with --port."
                    ) from error
                if required:
                    raise
                sockets.remove(opened)
                opened.close()
                continue
            port = port or opened.getsockname()[1]
    except BaseException:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _addresses(ip: str) -> Iterator[tuple[socket.AddressFamily, str, bool]]:
    """Family, address, and whether the server cannot do without it."""
    if ip in ("localhost", "*"):
        yield socket.AF_INET, "127.0.0.1" if ip == "localhost" else "0.0.0.0", True  # noqa: S104 - it was asked for
        yield socket.AF_INET6, "::1" if ip == "localhost" else "::", False
    else:
        yield socket.AF_INET6 if ":" in ip else socket.AF_INET, ip.strip("[]"), True
