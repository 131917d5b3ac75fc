"""What answers before the Worker: the control paths, below `/cdn-cgi/` and `/client/v4`."""

from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from cfworkflows.http import Request, Response
from cfworkflows_emulator.api import ExplorerApi, Guard, RestApi, ScheduledTrigger, Workflows
from cfworkflows_emulator.runtime import Project

CONTROL_PREFIXES = ("/cdn-cgi/", "/client/v4")


class Mount(Protocol):
    """Something that answers for some of the control paths."""

    def owns(self, path: str) -> bool: ...

    async def fetch(self, request: Request) -> Response: ...

    def stop(self) -> None:
        """End what it streams: the server is about to stop."""


class GuardedMount:
    """A mount that only programs on this machine and pages of this server reach."""

    def __init__(self, mount: Mount, guard: Guard) -> None:
        self._mount = mount
        self._guard = guard
        self.owns = mount.owns
        self.stop = mount.stop

    async def fetch(self, request: Request) -> Response:
        return self._guard.refusal(request) or await self._mount.fetch(request)


def control_mounts(project: Project, allowed_hosts: Iterable[str] = ()) -> list[GuardedMount]:
    """The mounts of a project. A control path that none of them owns goes to the Worker."""
    workflows = Workflows(project)
    guard = Guard(allowed_hosts)
    mounts = (ExplorerApi(workflows), RestApi(workflows), ScheduledTrigger(project.worker, project.engine.clock))
    return [GuardedMount(mount, guard) for mount in mounts]


def mount_for(mounts: Sequence[GuardedMount], url: str) -> GuardedMount | None:
    """The mount that answers `url`, None if that is for the Worker to do."""
    if not any(prefix in url for prefix in CONTROL_PREFIXES):
        return None
    path = urlsplit(url).path
    return next((mount for mount in mounts if mount.owns(path)), None)
