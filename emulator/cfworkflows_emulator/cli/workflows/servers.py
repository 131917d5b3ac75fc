"""The servers that run below a folder, for a command that is started in none of their projects."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator import DEFAULT_PORT
from cfworkflows_emulator.cli.workflows.client import Client, RefusedError
from cfworkflows_emulator.storage.folder import DEFAULT, HOLDER, Holder, holder_of, is_locked, proof

DEPTH = 4
"""So many folders down it is looked for projects: where there are more, a search would take its time."""

_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__"})


def server_of(state: Path) -> Holder | None:
    """The server that uses the state folder `state` by what is noted there, None if none listens at that address."""
    holder = holder_of(state)
    return holder if holder is not None and _listens(holder.address) else None


def servers_below(folder: Path) -> dict[Path, Holder]:
    """The servers of projects below `folder`, by the folders of the projects."""
    found = ((project, server_of(project / DEFAULT)) for project in _projects(folder))
    return {project: holder for project, holder in found if holder is not None}


def client_of(holder: Holder, state: Path) -> Client | None:
    """A client of the server, if it shows that it uses the folder: another one gets to see nothing. None if none does.

    Raises CfworkflowsError if it is another one, and the folder is in use all the same.
    """
    from cfworkflows_emulator.cli.workflows.online import ServerClient

    server = ServerClient(holder.address, by_folder=True)
    nonce = os.urandom(16).hex()
    try:
        answer = server.request("GET", f"/local/state/{nonce}").result
    except RefusedError as error:
        if error.status == 500:  # its code does not load, as it says
            raise
        answer = None
    if isinstance(answer, dict) and answer.get("proof") == proof(holder.secret, nonce):
        return server
    if not is_locked(state):
        return None
    raise CfworkflowsError(
        f"{state / HOLDER} names {holder.address}, and what answers there does not use this state folder. Nothing was "
        "sent to it. Name the server that does with --port, or stop it."
    )


def proved_address(state: Path) -> str | None:
    """The URL of the server that shows that it uses the folder; None if none does. Raises what `client_of` raises."""
    holder = server_of(state)
    return holder.address if holder is not None and client_of(holder, state) is not None else None


def _projects(folder: Path) -> Iterator[Path]:
    """The folders that have a state folder where it is by default."""
    for at, below, files in os.walk(folder):
        path = Path(at)
        if (path / DEFAULT).is_dir():
            yield path
        is_environment = "pyvenv.cfg" in files
        if is_environment or len(path.relative_to(folder).parts) >= DEPTH:
            below.clear()
        below[:] = sorted(name for name in below if not name.startswith(".") and name not in _SKIPPED)


def _listens(address: str) -> bool:
    """Whether a server listens there: a server that was killed could not remove its note."""
    url = urlsplit(address)
    try:
        socket.create_connection((url.hostname or "localhost", url.port or DEFAULT_PORT), timeout=5).close()
    except OSError:
        return False
    return True
