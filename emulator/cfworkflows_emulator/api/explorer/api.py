"""The Local Explorer API: `/cdn-cgi/local/explorer/api`, with the older path that some clients still use."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cfworkflows.errors import CfworkflowsError, WorkflowError
from cfworkflows.http import Request, Response
from cfworkflows_emulator import EXPLORER_API
from cfworkflows_emulator.api import results
from cfworkflows_emulator.api.explorer.d1 import D1Routes
from cfworkflows_emulator.api.explorer.instances import InstanceRoutes
from cfworkflows_emulator.api.explorer.kv import KVRoutes
from cfworkflows_emulator.api.explorer.local import LocalRoutes
from cfworkflows_emulator.api.explorer.r2 import R2Routes
from cfworkflows_emulator.api.explorer.state import StateRoutes
from cfworkflows_emulator.api.r2.buckets import R2Buckets
from cfworkflows_emulator.api.requests import (
    CreateBody,
    DeleteBody,
    InstancesQuery,
    NamedWorkflowsQuery,
    StatusBody,
    SubscribeQuery,
    check_dates,
)
from cfworkflows_emulator.api.routing.envelope import ApiError, success
from cfworkflows_emulator.api.routing.openapi import describe
from cfworkflows_emulator.api.routing.routes import ANY_JSON, Call, Dialect, Route, Router
from cfworkflows_emulator.api.routing.streaming import instance_events, workflow_events
from cfworkflows_emulator.api.workflows import TRIGGER, Workflows, explained
from cfworkflows_emulator.engine import Status
from cfworkflows_emulator.storage import StateError
from cfworkflows_emulator.views import History, describe_instance, iso, without_functions

PREFIXES = (EXPLORER_API, "/cdn-cgi/explorer/api")
TITLE = "Local Explorer API"

INVALID = 10001
NOT_FOUND = 10501
INVALID_DATES = 10502

_STATUS = {"instance.cannot_restart": 409, "instance.cannot_skip": 409, "instance.unavailable": 503}


class ExplorerApi:
    """Shows and changes workflows and instances, as the platform's local server does for its page and its CLI."""

    def __init__(self, workflows: Workflows) -> None:
        self._workflows = workflows
        self._engine = workflows.engine
        self._router = Router(self._table(), _DIALECT)

    @property
    def routes(self) -> tuple[Route, ...]:
        """All that this answers."""
        return self._router.routes

    def _table(self) -> list[Route]:
        workflow = "/workflows/{workflow}"
        instances = f"{workflow}/instances"
        instance = f"{instances}/{{instance}}"
        return [
            Route("GET", "", self._describe, "This description."),
            *LocalRoutes(self._workflows).routes(),
            *StateRoutes(self._workflows.project.resources).routes(),
            *KVRoutes(self._workflows).routes(),
            *D1Routes(self._workflows).routes(),
            *R2Routes(R2Buckets(self._workflows.project)).routes(),
            Route(
                "GET",
                "/workflows",
                self._list,
                "List workflows.",
                NamedWorkflowsQuery,
                result=list[results.ExplorerWorkflow],
            ),
            Route("GET", workflow, self._get, "Count instances.", result=results.ExplorerWorkflowDetails),
            Route("DELETE", workflow, self._delete_all, "Delete all instances.", result=results.Removed),
            Route("GET", f"{workflow}/subscribe", self._follow, "Events of all instances.", SubscribeQuery),
            Route(
                "GET",
                instances,
                self._instances,
                "List instances.",
                InstancesQuery,
                result=list[results.ExplorerInstance],
            ),
            Route("POST", instances, self._create, "Create an instance.", body=CreateBody, result=results.Named),
            Route(
                "POST",
                f"{instances}/batch/delete",
                self._delete_some,
                "Delete instances.",
                body=DeleteBody,
                result=results.Deleted,
            ),
            Route(
                "PATCH",
                f"{instance}/status",
                self._change,
                "Pause, resume, restart or terminate an instance.",
                body=StatusBody,
                result=results.Changed,
            ),
            Route(
                "POST",
                f"{instance}/events/{{event_type}}",
                self._send,
                "Send an event; the body is its payload.",
                body=ANY_JSON,
                result=results.Done,
            ),
            *InstanceRoutes(self._workflows, self._names).routes(instances, instance),
            Route("GET", f"{instance}/subscribe", self._subscribe, "Events of an instance.", SubscribeQuery),
            Route("GET", instance, self._instance, "Describe an instance.", result=results.ExplorerDetails),
            Route("DELETE", instance, self._delete, "Delete an instance.", result=results.Done),
        ]

    @staticmethod
    def owns(path: str) -> bool:
        """Whether a path belongs to this API rather than to the Worker."""
        return path.startswith("/cdn-cgi/") and any(
            path == prefix or path.startswith(prefix + "/") for prefix in PREFIXES
        )

    async def fetch(self, request: Request) -> Response:
        """The answer to a request for a path that this API `owns`."""
        url = urlsplit(request.url)
        path = next(url.path.removeprefix(prefix) for prefix in PREFIXES if url.path.startswith(prefix))
        return await self._router.answer(request, path, url.query)

    def _name(self, call: Call) -> str:
        name = call.names["workflow"]
        if name not in self._workflows:
            raise ApiError(404, NOT_FOUND, f"Workflow '{name}' not found.")
        return name

    def _names(self, call: Call) -> tuple[str, str]:
        return self._name(call), call.names["instance"]

    async def _describe(self, call: Call) -> Response:
        return Response.json(describe(TITLE, PREFIXES[0], self.routes))

    def _summary(self, workflow: str) -> dict[str, Any]:
        return {
            "name": workflow,
            "class_name": self._workflows.section(workflow).class_name,
            "script_name": self._workflows.script_name(workflow),
        }

    async def _list(self, call: Call) -> Response:
        query: NamedWorkflowsQuery = call.query
        found = [self._summary(workflow) for workflow in self._workflows if query.search in workflow]
        size = query.per_page or max(len(found), 1)
        result = found[(query.page - 1) * size : query.page * size]
        return success(result, {"count": len(result)})

    async def _get(self, call: Call) -> Response:
        workflow = self._name(call)
        counts = await self._engine.counts(workflow)
        instances = {str(status): counts.get(status, 0) for status in Status}
        return success({**self._summary(workflow), "instances": instances})

    async def _delete_all(self, call: Call) -> Response:
        await self._workflows.delete_all(self._name(call))
        return success({"status": "ok", "success": True})

    async def _instances(self, call: Call) -> Response:
        workflow = self._name(call)
        query: InstancesQuery = call.query
        check_dates(query, INVALID_DATES)
        selection = query.selection()
        total = await self._engine.count(workflow, selection)
        rows = await self._engine.list(
            workflow, selection, limit=query.per_page, offset=(query.page - 1) * query.per_page
        )
        result = [{"id": row.id, "status": row.status, "created_on": iso(row.created_at)} for row in rows]
        info = {
            "page": query.page,
            "per_page": query.per_page,
            "total_count": total,
            "total_pages": -(-total // query.per_page),
            "status_counts": await self._engine.counts(workflow),
        }
        return success(result, info)

    async def _create(self, call: Call) -> Response:
        workflow = self._name(call)
        body: CreateBody = call.body
        options = {"params": body.params, "trigger": TRIGGER, **({} if body.id is None else {"id": body.id})}
        return success({"id": await self._engine.create_instance(workflow, options)})

    async def _delete_some(self, call: Call) -> Response:
        return success(await self._workflows.delete(self._name(call), call.body.instances))

    async def _change(self, call: Call) -> Response:
        workflow, id = self._names(call)
        status = await self._workflows.change_status(workflow, id, call.body)
        return success({"status": status, "timestamp": iso(self._engine.clock.now()), "success": True})

    async def _send(self, call: Call) -> Response:
        workflow, id = self._names(call)
        await self._engine.send_event(workflow, id, call.names["event_type"], call.body)
        return success({"success": True})

    async def _subscribe(self, call: Call) -> Response:
        return await instance_events(self._engine, *self._names(call), call)

    async def _follow(self, call: Call) -> Response:
        return await workflow_events(self._engine, self._name(call), call)

    async def _instance(self, call: Call) -> Response:
        _, entries = await self._engine.history(*self._names(call))
        return success(without_functions(describe_instance(History.of(entries))))

    async def _delete(self, call: Call) -> Response:
        workflow, id = self._names(call)
        if id not in await self._engine.delete_instances(workflow, [id]):
            raise _not_found(id)
        return success({"success": True})


def _invalid(problems: tuple[str, ...]) -> ApiError:
    return ApiError(400, INVALID, problems[0], problems=problems[1:])


def _refused(error: CfworkflowsError, names: Mapping[str, str]) -> ApiError:
    if isinstance(error, StateError):
        return ApiError(500, INVALID, str(error))
    code = error.code if isinstance(error, WorkflowError) else None
    if code == "instance.not_found":
        return _not_found(names["instance"])
    return ApiError(_STATUS.get(code or "", 400), INVALID, explained(error))


def _not_found(id: str) -> ApiError:
    return ApiError(404, NOT_FOUND, f"Workflow instance '{id}' not found.")


_DIALECT = Dialect(INVALID, INVALID, _invalid, _refused)
