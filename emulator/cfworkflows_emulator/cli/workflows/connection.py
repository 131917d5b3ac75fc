"""Where a command gets its answers from: a server, or the state folder of a project that is not served."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from cfworkflows_emulator import DEFAULT_PORT
from cfworkflows_emulator.cli.workflows.client import Client
from cfworkflows_emulator.cli.workflows.options import Target


@contextmanager
def connect(target: Target, *, changes: bool = False) -> Iterator[Client]:
    """A client of the server that `target` names, else of the server that uses its state folder, else of the folder.

    Raises CfworkflowsError if the server does not answer, StateError if the folder cannot be used, and ConfigError if
    there is no project.
    """
    if target.host is not None or target.port is not None:
        from cfworkflows_emulator.cli.workflows.online import ServerClient

        host = target.host or "localhost"
        yield ServerClient(f"http://{f'[{host}]' if ':' in host else host}:{target.port or DEFAULT_PORT}")
        return
    from cfworkflows_emulator.storage.folder import address_of_holder

    state = state_folder(target)
    if (address := address_of_holder(state)) is not None and _listens(address):
        from cfworkflows_emulator.cli.workflows.online import ServerClient

        yield ServerClient(address, by_folder=True)
        return
    from cfworkflows_emulator.cli.workflows.offline import folder_client

    with folder_client(target, state, changes=changes) as client:
        yield client


def _listens(address: str) -> bool:
    """Whether a server listens there: a server that was killed could not remove its note."""
    url = urlsplit(address)
    try:
        socket.create_connection((url.hostname or "localhost", url.port or DEFAULT_PORT), timeout=5).close()
    except OSError:
        return False
    return True


def state_folder(target: Target) -> Path:
    """Raises ConfigError if there is no configuration that it could be beside."""
    from cfworkflows_emulator.config.discovery import find_config
    from cfworkflows_emulator.storage.folder import DEFAULT

    cwd = (target.cwd or Path()).absolute()
    if target.persist_to is not None:
        return cwd / target.persist_to
    return find_config(target.config, cwd).directory / DEFAULT
