"""The routes of Cloudflare's REST API: `/client/v4/accounts/{any}/workflows…`, whatever the account and the token."""

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit

from cfworkflows.http import Request, Response
from cfworkflows_bindings.workflow.batch import MAX_BATCH
from cfworkflows_bindings.workflow.codes import ALREADY_EXISTS, DUPLICATE_IN_BATCH
from cfworkflows_emulator.api import results
from cfworkflows_emulator.api.requests import (
    DeleteBody,
    DetailsQuery,
    PageQuery,
    RestCreateBody,
    RestInstancesQuery,
    SettingsBody,
    StatusBody,
    StepQuery,
    SubscribeQuery,
    TerminateBody,
    TerminateQuery,
    WorkflowBody,
    WorkflowsQuery,
    check_dates,
)
from cfworkflows_emulator.api.rest import objects
from cfworkflows_emulator.api.rest.account import AccountRoutes
from cfworkflows_emulator.api.rest.details import describe, step_output, step_stream
from cfworkflows_emulator.api.rest.refusals import BODY, DIALECT, invalid, refusal
from cfworkflows_emulator.api.routing.envelope import ApiError, success
from cfworkflows_emulator.api.routing.openapi import describe as describe_api
from cfworkflows_emulator.api.routing.paging import page, page_info
from cfworkflows_emulator.api.routing.routes import ANY_JSON, Call, Route, Router
from cfworkflows_emulator.api.routing.streaming import instance_events, workflow_events
from cfworkflows_emulator.api.workflows import Workflows
from cfworkflows_emulator.engine import open_stream
from cfworkflows_emulator.views import History, iso

PREFIX = "/client/v4"
TITLE = "Workflows REST API"


class RestApi:
    """The API that the platform's own SDKs and CLI talk to, when they are configured with this server's address."""

    def __init__(self, workflows: Workflows) -> None:
        self._workflows = workflows
        self._engine = workflows.engine
        self._router = Router(self._table(), DIALECT)

    @property
    def routes(self) -> tuple[Route, ...]:
        """All that this answers."""
        return self._router.routes

    def _table(self) -> list[Route]:
        workflows = "/accounts/{account}/workflows"
        workflow = f"{workflows}/{{workflow}}"
        versions = f"{workflow}/versions"
        instances = f"{workflow}/instances"
        instance = f"{instances}/{{instance}}"
        version = f"{versions}/{{version}}"
        return [
            Route("GET", "/openapi.json", self._describe, "This description."),
            *AccountRoutes(self._workflows).routes(),
            Route("GET", workflows, self._list, "List workflows.", WorkflowsQuery, result=list[results.Workflow]),
            Route(
                "GET",
                f"{workflows}/triggers/{{script}}",
                self._triggers,
                "What creates instances of a Worker's workflows by itself.",
                result=list[results.Triggered],
            ),
            Route("GET", workflow, self._get, "Describe a workflow.", result=results.Workflow),
            Route(
                "PUT",
                workflow,
                self._put,
                "Deploy a workflow: only as it is configured.",
                body=WorkflowBody,
                result=results.Deployed,
            ),
            Route("DELETE", workflow, self._delete_all, "Delete all instances.", result=results.Removed),
            Route("GET", f"{workflow}/subscribe", self._follow, "Events of all instances.", SubscribeQuery),
            Route("GET", f"{workflow}/settings", self._settings, "Its settings.", result=results.Settings),
            Route(
                "PATCH",
                f"{workflow}/settings",
                self._set,
                "Change its settings: only to what is configured.",
                body=SettingsBody,
                result=results.Settings,
            ),
            Route("GET", versions, self._versions, "List versions.", PageQuery, result=list[results.Version]),
            Route("GET", version, self._version, "Describe a version.", result=results.Version),
            Route("GET", f"{version}/graph", self._graph, "The graph of a version.", result=results.Graph),
            Route("GET", f"{version}/dag", self._graph, "The graph, by an older name.", result=results.Graph),
            Route(
                "GET", instances, self._instances, "List instances.", RestInstancesQuery, result=list[results.Instance]
            ),
            Route("POST", instances, self._create, "Create an instance.", body=RestCreateBody, result=results.Created),
            Route(
                "POST",
                f"{instances}/batch",
                self._create_batch,
                "Create instances: all of them, or none.",
                body=list[RestCreateBody],
                result=list[results.Created],
            ),
            Route(
                "POST",
                f"{instances}/batch/delete",
                self._delete,
                "Delete instances.",
                body=DeleteBody,
                result=results.Deleted,
            ),
            Route(
                "POST",
                f"{instances}/batch/terminate",
                self._terminate_batch,
                "Terminate some instances.",
                body=TerminateBody,
                result=results.Terminated,
            ),
            Route(
                "GET",
                f"{instances}/terminate",
                self._terminating,
                "Whether all are being terminated.",
                TerminateQuery,
                result=results.Started,
            ),
            Route(
                "PUT",
                f"{instances}/terminate",
                self._terminate,
                "Terminate instances.",
                TerminateQuery,
                result=results.Started,
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
                result=results.Sent,
            ),
            Route("GET", f"{instance}/step", self._step, "The output of a step.", StepQuery, result=results.StepOutput),
            Route("GET", f"{instance}/subscribe", self._subscribe, "Events of an instance.", SubscribeQuery),
            Route(
                "GET", instance, self._instance, "Describe an instance.", DetailsQuery, result=results.InstanceDetails
            ),
            Route("DELETE", instance, self._delete_one, "Delete an instance.", result=results.Removed),
        ]

    @staticmethod
    def owns(path: str) -> bool:
        """Whether a path belongs to this API rather than to the Worker."""
        return path == PREFIX or path.startswith(PREFIX + "/")

    async def fetch(self, request: Request) -> Response:
        """The answer to a request for a path that this API `owns`."""
        url = urlsplit(request.url)
        # A base URL that ends with a slash makes clients ask for //accounts.
        path = re.sub("/{2,}", "/", url.path.removeprefix(PREFIX))
        return await self._router.answer(request, path, url.query)

    def _name(self, call: Call) -> str:
        name = call.names["workflow"]
        if name not in self._workflows:
            known = ", ".join(self._workflows) or "none"
            raise refusal("workflow.not_found", f"There is no workflow called {name!r}; there are: {known}.")
        return name

    def _names(self, call: Call) -> tuple[str, str]:
        return self._name(call), call.names["instance"]

    async def _describe(self, call: Call) -> Response:
        return Response.json(describe_api(TITLE, PREFIX, self.routes))

    # Workflows

    async def _list(self, call: Call) -> Response:
        query: WorkflowsQuery = call.query
        return page([await self._workflow(name) for name in self._workflows if query.search in name], query)

    async def _workflow(self, name: str) -> dict[str, Any]:
        latest = await self._engine.list(name, limit=1)
        counts = await self._engine.counts(name)
        return objects.workflow(self._workflows, name, counts, latest[0].created_at if latest else None)

    async def _get(self, call: Call) -> Response:
        return success(await self._workflow(self._name(call)))

    async def _put(self, call: Call) -> Response:
        name = call.names["workflow"]
        if name not in self._workflows:
            file = self._workflows.project.config.path.name
            raise invalid(
                f"There is no workflow called {name!r}, and none can be made through the API: add it to `workflows` in "
                f"{file}."
            )
        objects.check_deployment(self._workflows, name, call.body)
        shown = await self._workflow(name)
        keys = ("id", "name", "class_name", "script_name", "created_on", "modified_on", "triggered_on")
        return success(
            {
                **{key: shown[key] for key in keys},
                "version_id": self._workflows.version_id(name),
                "is_deleted": 0,
                "terminator_running": 0,
            }
        )

    async def _settings(self, call: Call) -> Response:
        return success(objects.settings(self._workflows, self._name(call)))

    async def _set(self, call: Call) -> Response:
        name = self._name(call)
        objects.check_deployment(self._workflows, name, call.body)
        return success(objects.settings(self._workflows, name))

    async def _triggers(self, call: Call) -> Response:
        script = call.names["script"]
        names = self._workflows.of_script(script)
        if names is None:
            known = ", ".join(loaded.config.name for loaded in self._workflows.project.configs)
            raise refusal("workflow.not_found", f"There is no Worker called {script!r}; there are: {known}.")
        return success([objects.triggered(self._workflows, name) for name in names])

    async def _delete_all(self, call: Call) -> Response:
        name = self._name(call)
        count = await self._workflows.delete_all(name)
        note = f"{count} instances of {name} were deleted. The workflow itself stays: it is in the configuration."
        return success({"status": "ok", "success": True}, note=note)

    async def _follow(self, call: Call) -> Response:
        return await workflow_events(self._engine, self._name(call), call)

    # Versions

    async def _versions(self, call: Call) -> Response:
        version = await asyncio.to_thread(objects.version, self._workflows, self._name(call))
        return page([version], call.query)

    async def _version(self, call: Call) -> Response:
        return success(await self._the_version(call))

    async def _the_version(self, call: Call) -> dict[str, Any]:
        version = await asyncio.to_thread(objects.version, self._workflows, self._name(call))
        if call.names["version"] != version["id"]:
            raise refusal("version.not_found", f"There is one version, {version['id']}: the one that is served.")
        return version

    async def _graph(self, call: Call) -> Response:
        version = await self._the_version(call)
        workflow = call.names["workflow"]
        try:
            drawn = await asyncio.to_thread(self._workflows.graph, workflow)
        except LookupError as error:
            reason = f"The graph of {workflow} cannot be read off the source: {error.args[0]}"
            raise refusal("version.not_found", reason) from error
        keys = ("id", "workflow_id", "class_name", "created_on", "modified_on")
        return success({**{key: version[key] for key in keys}, "graph": drawn})

    # Instances

    async def _instances(self, call: Call) -> Response:
        name = self._name(call)
        query: RestInstancesQuery = call.query
        check_dates(query, BODY)
        all_of_them = query.selection()._replace(oldest_first=query.direction == "asc")
        after = objects.behind_cursor(query)
        rows = await self._engine.list(
            name,
            all_of_them._replace(after=after),
            limit=query.per_page,
            offset=(query.page - 1) * query.per_page,
        )
        beginnings = await self._engine.store.beginnings([row.key for row in rows])
        result = [objects.instance(self._workflows, name, row, beginnings.get(row.key)) for row in rows]
        info = page_info(query, len(rows), await self._engine.count(name, all_of_them))
        return success(result, {**info, "cursor": objects.cursor_behind(rows, query)})

    async def _create(self, call: Call) -> Response:
        name = self._name(call)
        objects.check_ids([call.body.instance_id])
        id = await self._engine.create_instance(name, objects.creation(call.body))
        return success(objects.created(self._workflows, name, id))

    async def _create_batch(self, call: Call) -> Response:
        name = self._name(call)
        bodies: list[RestCreateBody] = call.body
        if not 1 <= len(bodies) <= MAX_BATCH:
            raise invalid(f"A batch has 1 to {MAX_BATCH} instances, not {len(bodies)}.")
        ids = [body.instance_id for body in bodies if body.instance_id is not None]
        objects.check_ids(ids)
        if twice := sorted({id for id in ids if ids.count(id) > 1}):
            text = "workflows.api.error.instance.duplicate_in_batch"
            raise ApiError(400, DUPLICATE_IN_BATCH, text, detail=f"Twice in the batch: {', '.join(twice)}")
        if taken := [id for id in ids if await self._engine.exists(name, id)]:
            text = "workflows.api.error.instance.already_exists"
            raise ApiError(400, ALREADY_EXISTS, text, detail=f"There are instances already: {', '.join(taken)}")
        created = await self._engine.create_batch(name, [objects.creation(body) for body in bodies])
        return success([objects.created(self._workflows, name, id) for id in created if id is not None])

    async def _delete(self, call: Call) -> Response:
        return success(await self._workflows.delete(self._name(call), call.body.instances))

    async def _terminate(self, call: Call) -> Response:
        await self._workflows.terminate_all(self._name(call), call.query.status)
        return success({"status": "ok"})

    async def _terminate_batch(self, call: Call) -> Response:
        count = await self._workflows.terminate_each(self._name(call), call.body.instances)
        return success({"status": "ok", "instancesTerminated": count})

    async def _terminating(self, call: Call) -> Response:
        self._name(call)
        note = "Nothing is under way: here a request to terminate is answered when the instances are terminated."
        return success({"status": "ok"}, note=note)

    async def _delete_one(self, call: Call) -> Response:
        name, id = self._names(call)
        if id not in await self._engine.delete_instances(name, [id]):
            raise refusal("instance.not_found", f"There is no instance {id!r} of {name}.")
        return success({"status": "ok", "success": True})

    async def _change(self, call: Call) -> Response:
        name, id = self._names(call)
        status = await self._workflows.change_status(name, id, call.body)
        return success({"status": status, "timestamp": iso(self._engine.clock.now()), "success": True})

    async def _send(self, call: Call) -> Response:
        name, id = self._names(call)
        await self._engine.send_event(name, id, call.names["event_type"], call.body)
        return success({"instanceId": id, "timestamp": iso(self._engine.clock.now())})

    async def _step(self, call: Call) -> Response:
        row, entries = await self._engine.history(*self._names(call))
        history = History.of(entries)
        stream = step_stream(history, call.query)
        if stream is None:
            return success(step_output(history, call.query))
        body = open_stream(self._engine.store, row.key, call.query.name, stream)
        return Response(body, {"headers": {"content-type": "application/octet-stream"}})

    async def _subscribe(self, call: Call) -> Response:
        return await instance_events(self._engine, *self._names(call), call)

    async def _instance(self, call: Call) -> Response:
        name, id = self._names(call)
        _, entries = await self._engine.history(name, id)
        query: DetailsQuery = call.query
        simple, newest_first = query.simple == "true", query.order == "desc"
        version_id = self._workflows.version_id(name)
        return success(describe(History.of(entries), version_id, simple=simple, newest_first=newest_first))
