"""Where a command gets its answers from: a server, or the state folder of a project that is not served."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import click

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator import DEFAULT_PORT
from cfworkflows_emulator.cli.workflows.client import Client
from cfworkflows_emulator.cli.workflows.options import Target
from cfworkflows_emulator.shown import shown


@contextmanager
def connect(target: Target, *, changes: bool = False) -> Iterator[Client]:
    """A client of the server that `target` names, else of the server that uses its state folder, else of the folder.

    Where there is no project, it is the only server that runs in a project below. Raises CfworkflowsError if the server
    does not answer, StateError if the folder cannot be used, and ConfigError if there is no project.
    """
    if target.host is not None or target.port is not None:
        from cfworkflows_emulator.cli.workflows.online import ServerClient

        host = target.host or "localhost"
        yield ServerClient(f"http://{f'[{host}]' if ':' in host else host}:{target.port or DEFAULT_PORT}")
        return
    from cfworkflows_emulator.cli.workflows.servers import client_of, server_of
    from cfworkflows_emulator.config import ConfigError

    try:
        state = state_folder(target)
    except ConfigError as error:
        if target.config is not None:
            raise
        with _server_below((target.cwd or Path()).absolute(), error) as client:
            yield client
        return
    if (holder := server_of(state)) is not None and (server := client_of(holder, state)) is not None:
        yield server
        return
    from cfworkflows_emulator.cli.workflows.offline import folder_client

    with folder_client(target, state, changes=changes) as client:
        yield client


@contextmanager
def _server_below(folder: Path, nothing: CfworkflowsError) -> Iterator[Client]:
    """A client of the only server in a project below `folder`. Raises `nothing` if there is none."""
    from cfworkflows_emulator.cli.workflows.servers import client_of, servers_below
    from cfworkflows_emulator.storage.folder import DEFAULT

    servers = {project.relative_to(folder): holder for project, holder in servers_below(folder).items()}
    if not servers:
        raise nothing
    if len(servers) > 1:
        ports = {project: urlsplit(holder.address).port for project, holder in servers.items()}
        listed = "".join(f"\n  --port {port}  {project}" for project, port in ports.items())
        raise CfworkflowsError(f"There is no project in this folder, and several servers run below it. Choose:{listed}")
    for project, holder in servers.items():
        server = client_of(holder, folder / project / DEFAULT)
        if server is None:
            raise nothing
        click.echo(shown(f"Asking the server of {project}, {holder.address}."), err=True)
        yield server


def state_folder(target: Target) -> Path:
    """Raises ConfigError if there is no configuration that it could be beside, StateError for an unknown branch."""
    from cfworkflows_emulator.config.discovery import find_config
    from cfworkflows_emulator.storage.folder import DEFAULT

    cwd = (target.cwd or Path()).absolute()
    given = target.persist_to
    state = cwd / given if given is not None else find_config(target.config, cwd).directory / DEFAULT
    if target.state is None:
        return state
    from cfworkflows_emulator.storage.saves import Saves

    return Saves(state).branch(target.state)
