"""What answers before the Worker: the control paths, below `/cdn-cgi/` and `/client/v4`."""

from collections.abc import Callable, Iterable
from typing import Protocol
from urllib.parse import urlsplit

from cfworkflows.http import Request, Response
from cfworkflows_emulator.runtime import Project

CONTROL_PREFIXES = ("/cdn-cgi/", "/client/v4")


class Mount(Protocol):
    """Something that answers for some of the control paths."""

    def owns(self, path: str) -> bool: ...

    async def fetch(self, request: Request) -> Response: ...


class GuardedMount:
    """A mount that `refusal` keeps others away from: it gives the answer to them, and None to those who may pass."""

    def __init__(self, mount: Mount, refusal: Callable[[Request], Response | None]) -> None:
        self._mount = mount
        self._refusal = refusal
        self.owns = mount.owns

    async def fetch(self, request: Request) -> Response:
        return self._refusal(request) or await self._mount.fetch(request)


class ControlPaths:
    """The mounts of a project. A control path that none of them owns goes to the Worker.

    They are made when the first control path is asked for: a server that only serves its Worker starts without them.
    """

    def __init__(self, project: Project, allowed_hosts: Iterable[str] = ()) -> None:
        self._project = project
        self._allowed_hosts = allowed_hosts
        self._mounts: list[GuardedMount] | None = None

    def mount_for(self, url: str) -> GuardedMount | None:
        """The mount that answers `url`, None if the Worker answers it."""
        if not any(prefix in url for prefix in CONTROL_PREFIXES):
            return None
        if self._mounts is None:
            self._mounts = self._made()
        path = urlsplit(url).path
        return next((mount for mount in self._mounts if mount.owns(path)), None)

    def stop(self) -> None:
        """End their streams: the server is about to stop."""
        self._project.engine.end_subscriptions(onlookers_only=True)

    def _made(self) -> list[GuardedMount]:
        from cfworkflows_emulator.api import (
            R2S3,
            ExplorerApi,
            Guard,
            R2Buckets,
            R2Public,
            RestApi,
            ScheduledTrigger,
            Workflows,
        )

        project = self._project
        workflows = Workflows(project)
        guard = Guard(self._allowed_hosts)
        mounts = (ExplorerApi(workflows), RestApi(workflows), ScheduledTrigger(project.worker, project.engine.clock))
        buckets = R2Buckets(project)
        # Pages of any site may read a public bucket, and follow presigned URLs, as far as the bucket's rules say.
        for_pages = (R2Public(buckets), R2S3(buckets))
        return [
            *(GuardedMount(mount, guard.host_refusal) for mount in for_pages),
            *(GuardedMount(mount, guard.refusal) for mount in mounts),
        ]
