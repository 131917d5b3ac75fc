"""Routes about the state as a whole: `cfwf state` with a running server."""

import os

from cfworkflows.errors import CfworkflowsError
from cfworkflows.http import Response
from cfworkflows_emulator.api import results
from cfworkflows_emulator.api.requests import CopyBody, LoadBody
from cfworkflows_emulator.api.routing.envelope import ApiError, success
from cfworkflows_emulator.api.routing.routes import Call, Route
from cfworkflows_emulator.runtime import Resources, replace_served, save_served

REFUSED = 10001


class StateRoutes:
    """`/state/…`: copies of the state are made at one moment, and take its place when the Worker was closed."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/state", self._state, "Where the state is.", result=results.State),
            Route("POST", "/state/copies", self._copy, "Save or branch.", body=CopyBody, result=results.StateCopy),
            Route("POST", "/state/load", self._load, "Load, or reset.", body=LoadBody, result=results.Loaded),
        ]

    async def _state(self, call: Call) -> Response:
        folder = self._resources.folder
        return success({"path": None if folder is None else str(folder.path), "process": os.getpid()})

    async def _copy(self, call: Call) -> Response:
        body: CopyBody = call.body
        try:
            save = await save_served(self._resources, body.group, body.name, replace=body.replace)
        except CfworkflowsError as error:
            raise ApiError(400, REFUSED, str(error)) from error
        return success({"name": save.name, "path": str(save.path)})

    async def _load(self, call: Call) -> Response:
        body: LoadBody = call.body
        try:
            aside = replace_served(self._resources, body.name)
        except CfworkflowsError as error:
            raise ApiError(400, REFUSED, str(error)) from error
        return success({"name": body.name, "before": aside, "process": os.getpid()})
