"""The servers that run below a folder, for a command that is started in none of their projects."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cfworkflows_emulator import DEFAULT_PORT
from cfworkflows_emulator.storage.folder import DEFAULT, address_of_holder

DEPTH = 4
"""So many folders down it is looked for projects: where there are more, a search would take its time."""

_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__"})


def address_of_server(state: Path) -> str | None:
    """The URL of the server that uses the state folder `state`, None if no server listens there."""
    address = address_of_holder(state)
    return address if address is not None and _listens(address) else None


def servers_below(folder: Path) -> dict[Path, str]:
    """The URLs of the servers of projects below `folder`, by the folders of the projects."""
    found = ((project, address_of_server(project / DEFAULT)) for project in _projects(folder))
    return {project: address for project, address in found if address is not None}


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
