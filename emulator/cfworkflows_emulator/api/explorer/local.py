"""Routes about the Workers themselves: for the Local Explorer, and to fire a cron trigger."""

import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cfworkflows.http import Request, Response
from cfworkflows_emulator.api import kinds, results
from cfworkflows_emulator.api.requests import ScheduledBody, ScheduledQuery
from cfworkflows_emulator.api.routing.envelope import ApiError, success
from cfworkflows_emulator.api.routing.routes import Call, Route
from cfworkflows_emulator.api.workflows import Workflows
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.runtime import Worker, fire

SCHEDULED = ("/cdn-cgi/local/scheduled", "/cdn-cgi/handler/scheduled", "/cdn-cgi/mf/scheduled")
UNKNOWN_WORKER = 10000


class LocalRoutes:
    """`/local/…`: the Workers with their bindings, and their scheduled handlers."""

    def __init__(self, workflows: Workflows) -> None:
        self._project = workflows.project
        self._clock = workflows.engine.clock

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/local/workers", self._workers, "List the Workers.", result=list[results.Worker]),
            Route("GET", "/local/state/{nonce}", self._state, "Prove to use a state folder.", result=results.Held),
            Route(
                "POST",
                "/local/scheduled",
                self._scheduled,
                "Call the scheduled handler of a Worker.",
                ScheduledQuery,
                ScheduledBody,
                results.Outcome,
            ),
        ]

    async def _workers(self, call: Call) -> Response:
        return success([self._described(loaded) for loaded in self._project.configs])

    async def _state(self, call: Call) -> Response:
        return success({"proof": self._project.proof(call.names["nonce"])})

    def _described(self, loaded: LoadedConfig) -> dict[str, Any]:
        bindings: dict[str, list[dict[str, Any]]] = {group: [] for group in kinds.GROUPS}
        for each in kinds.KINDS:
            bindings[each.group] = [
                each.described(section, loaded.config.name) for section in loaded.sections(each.kind)
            ]
        return {
            "isSelf": loaded is self._project.config,
            "name": loaded.config.name,
            "bindings": bindings,
            "triggers": {"crons": loaded.config.triggers.crons},
            # Distinguishes projects without showing where they are.
            "persistenceScope": hashlib.sha256(str(self._project.config.directory).encode()).hexdigest(),
        }

    async def _scheduled(self, call: Call) -> Response:
        worker = self._project.workers.get(call.query.worker)
        if worker is None:
            raise ApiError(404, UNKNOWN_WORKER, f'Worker "{call.query.worker}" is not registered.')
        body: ScheduledBody = call.body
        time = body.scheduled_time if body.scheduled_time is not None else self._clock.now()
        outcome = await fire(worker, body.cron, time)
        return success({"outcome": outcome.outcome, "noRetry": outcome.no_retry})


class ScheduledTrigger:
    """`/cdn-cgi/local/scheduled`: calls the scheduled handler of the Worker that answers the requests.

    `cron` and `time` (ms since the epoch, by default now) are for its controller. The answer is the outcome: `ok`
    (200) or `exception` (500), with `format=json` as JSON. Older paths of the platform's local server work too.
    """

    def __init__(self, worker: Worker, clock: Clock) -> None:
        self._worker = worker
        self._clock = clock

    @staticmethod
    def owns(path: str) -> bool:
        return path in SCHEDULED

    async def fetch(self, request: Request) -> Response:
        query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
        try:
            time = int(float(query["time"])) if query.get("time") else self._clock.now()
        except (ValueError, OverflowError):
            text = f"time is in milliseconds since the epoch, as in time=1767225600000, and not {query['time']!r}.\n"
            return Response(text, {"status": 400})
        outcome = await fire(self._worker, query.get("cron", ""), time)
        status = 200 if outcome.outcome == "ok" else 500
        if query.get("format") == "json":
            return Response.json({"outcome": outcome.outcome, "noRetry": outcome.no_retry}, {"status": status})
        return Response(outcome.outcome, {"status": status})
