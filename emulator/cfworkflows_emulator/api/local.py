"""What the Local Explorer asks about the Worker itself."""

import hashlib
from typing import Any

from cfworkflows.http import Response
from cfworkflows_emulator.api import results
from cfworkflows_emulator.api.envelope import ApiError, success
from cfworkflows_emulator.api.requests import ScheduledBody, ScheduledQuery
from cfworkflows_emulator.api.routes import Call, Route
from cfworkflows_emulator.api.workflows import Workflows

UNKNOWN_WORKER = 10000
UNSUPPORTED = 10001

_KINDS = ("kv", "d1", "r2", "do", "workflows", "sendEmail", "flagship")


class LocalRoutes:
    """`/local/…`: the Worker with its bindings, and its scheduled handler."""

    def __init__(self, workflows: Workflows) -> None:
        self._workflows = workflows

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/local/workers", self._workers, "List the Worker.", result=list[results.Worker]),
            Route(
                "POST",
                "/local/scheduled",
                self._scheduled,
                "Call the scheduled handler: not supported yet.",
                ScheduledQuery,
                ScheduledBody,
                results.Outcome,
            ),
        ]

    async def _workers(self, call: Call) -> Response:
        loaded = self._workflows.project.config
        bindings: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}
        bindings["workflows"] = [
            {
                "id": section.name,
                "bindingName": section.binding,
                "className": section.class_name,
                "scriptName": section.script_name or loaded.config.name,
            }
            for section in loaded.config.workflows
        ]
        worker = {
            "isSelf": True,
            "name": loaded.config.name,
            "bindings": bindings,
            "triggers": {"crons": []},
            # Tells projects apart without telling where they are.
            "persistenceScope": hashlib.sha256(str(loaded.directory).encode()).hexdigest(),
        }
        return success([worker])

    async def _scheduled(self, call: Call) -> Response:
        if call.query.worker != self._workflows.script_name:
            raise ApiError(404, UNKNOWN_WORKER, f'Worker "{call.query.worker}" is not registered.')
        raise ApiError(
            400,
            UNSUPPORTED,
            "The scheduled() handler of a Worker is not supported yet. The schedules of a Workflow fire by themselves: "
            "set `schedules` in its section of the configuration.",
        )
