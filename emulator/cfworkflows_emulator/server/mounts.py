"""What answers before the Worker: the control paths, all of them below `/cdn-cgi/`."""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from cfworkflows.http import Request, Response
from cfworkflows_emulator.api import ExplorerApi
from cfworkflows_emulator.runtime import Project

CONTROL_PREFIX = "/cdn-cgi/"


class Mount(Protocol):
    """Something that answers for some of the control paths."""

    def owns(self, path: str) -> bool: ...

    async def fetch(self, request: Request) -> Response: ...


def control_mounts(project: Project) -> list[Mount]:
    """The mounts of a project. A control path that none of them owns goes to the Worker."""
    class_names = {workflow.name: workflow.class_name for workflow in project.config.config.workflows}
    return [ExplorerApi(project.engine, class_names, project.config.config.name)]


def mount_for(mounts: Sequence[Mount], url: str) -> Mount | None:
    """The mount that answers `url`, None if that is for the Worker to do."""
    if CONTROL_PREFIX not in url:
        return None
    path = urlsplit(url).path
    return next((mount for mount in mounts if mount.owns(path)), None)
