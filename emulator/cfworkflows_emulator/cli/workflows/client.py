"""A client of the Local Explorer API, whatever answers it, and the paths that it requests."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from cfworkflows.errors import CfworkflowsError

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
    """An answer of the API: its result and, for lists, what it says about the whole list."""

    result: Any
    info: Mapping[str, Any]


class SupportsRead(Protocol):
    """A file that is read from."""

    def read(self, size: int = -1, /) -> bytes: ...


class Client(Protocol):
    """Calls the Local Explorer API. `is_served` says whether instances run meanwhile, `where` what answers."""

    is_served: bool
    where: str

    def request(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = NOTHING) -> Answer:
        """Request `path`, below the API's own. Raises RefusedError, and CfworkflowsError if there is no answer."""
        ...

    def content(self, path: str) -> bytes:
        """The body of an answer that is in no envelope. Raises as `request` does."""
        ...

    def upload(self, path: str, body: SupportsRead, *, query: Mapping[str, Any] | None = None) -> Answer:
        """Send a file of any size. It is waited for as long as it takes. Raises as `request` does."""
        ...

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        """The events of an instance, from its `…/subscribe`: to its end, or to now if it is not served."""
        ...


def workflow_path(workflow: str) -> str:
    return f"/workflows/{quote(workflow, safe='')}"


def instances_path(workflow: str) -> str:
    return f"{workflow_path(workflow)}/instances"


def instance_path(workflow: str, id: str) -> str:
    return f"{instances_path(workflow)}/{quote(id, safe='')}"


def resolved(client: Client, workflow: str, id: str) -> str:
    """The id that `id` stands for: `latest` is the instance that was created last. Raises CfworkflowsError."""
    if id != LATEST:
        return id
    newest = client.request("GET", instances_path(workflow), query={"per_page": 1}).result
    if not newest:
        raise CfworkflowsError(f"Workflow {workflow} has no instances, so there is no latest one.")
    return str(newest[0]["id"])
