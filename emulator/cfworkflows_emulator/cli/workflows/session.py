"""Where a command gets its answers from: a server, or the state folder of a project that is not served."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.cli.workflows.options import DEFAULT_PORT, Place

API = "/cdn-cgi/local/explorer/api"
LATEST = "latest"
NOTHING: Any = object()
"""The body of a request that has none."""


class RefusedError(CfworkflowsError):
    """The API refused a request; its text is the API's. `status` is that of HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API gave: its result and, for lists, what it tells of the whole list."""

    result: Any
    info: Mapping[str, Any]


class Session(Protocol):
    """Talks to the Local Explorer API. `is_served` says whether instances run meanwhile."""

    is_served: bool

    def request(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = NOTHING) -> Answer:
        """Ask for `path`, below the API's own. Raises RefusedError, and CfworkflowsError if nobody answers."""
        ...

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        """The events of an instance, from its `…/subscribe`: to its end, or to now if it is not served."""
        ...


@contextmanager
def opened(place: Place, *, changes: bool = False) -> Iterator[Session]:
    """A session with the server that `place` names, else with the one that uses its state folder, else with the folder.

    Raises CfworkflowsError if the server does not answer, StateError if the folder cannot be used, and ConfigError if
    there is no project.
    """
    if place.host is not None or place.port is not None:
        from cfworkflows_emulator.cli.workflows.online import ServerSession

        host = place.host or "localhost"
        yield ServerSession(f"http://{f'[{host}]' if ':' in host else host}:{place.port or DEFAULT_PORT}")
        return
    from cfworkflows_emulator.storage.folder import address_of_holder

    state = state_folder(place)
    if (address := address_of_holder(state)) is not None and _listens(address):
        from cfworkflows_emulator.cli.workflows.online import ServerSession

        yield ServerSession(address, by_folder=True)
        return
    from cfworkflows_emulator.cli.workflows.offline import folder_session

    with folder_session(place, state, changes=changes) as session:
        yield session


def _listens(address: str) -> bool:
    """Whether a server listens there: one that was killed cannot take its note away."""
    url = urlsplit(address)
    try:
        socket.create_connection((url.hostname or "localhost", url.port or DEFAULT_PORT), timeout=5).close()
    except OSError:
        return False
    return True


def state_folder(place: Place) -> Path:
    """Raises ConfigError if there is no configuration that it could be beside."""
    from cfworkflows_emulator.config.discovery import find_config
    from cfworkflows_emulator.storage.folder import DEFAULT

    cwd = (place.cwd or Path()).absolute()
    if place.persist_to is not None:
        return cwd / place.persist_to
    return find_config(place.config, cwd).directory / DEFAULT


def workflow_path(workflow: str) -> str:
    return f"/workflows/{quote(workflow, safe='')}"


def instances_path(workflow: str) -> str:
    return f"{workflow_path(workflow)}/instances"


def instance_path(workflow: str, id: str) -> str:
    return f"{instances_path(workflow)}/{quote(id, safe='')}"


def resolved(session: Session, workflow: str, id: str) -> str:
    """The id that `id` stands for: `latest` is the instance that was created last. Raises CfworkflowsError."""
    if id != LATEST:
        return id
    newest = session.request("GET", instances_path(workflow), query={"per_page": 1}).result
    if not newest:
        raise CfworkflowsError(f"Workflow {workflow} has no instances, so there is no latest one.")
    return str(newest[0]["id"])
