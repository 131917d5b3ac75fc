"""What this Local Explorer API can do with an instance beyond the platform's: the routes of `cfwf workflows`."""

from collections.abc import Callable

from cfworkflows.http import Response
from cfworkflows_bindings.workflow.restart import KINDS
from cfworkflows_emulator.api import results
from cfworkflows_emulator.api.explorer.transfer import InstanceDocument, export_instance, import_instance
from cfworkflows_emulator.api.requests import ForkBody, ImportQuery, SkipBody
from cfworkflows_emulator.api.routing.envelope import success
from cfworkflows_emulator.api.routing.routes import Call, Route
from cfworkflows_emulator.api.workflows import Workflows
from cfworkflows_emulator.engine import NO_OUTPUT, fork
from cfworkflows_emulator.views import TYPES, History, describe_timeline, iso

_KINDS = {type: kind for kind, type in TYPES.items()}


class InstanceRoutes:
    """`names` returns the workflow and the id that a call is about; it raises if there is no such workflow."""

    def __init__(self, workflows: Workflows, names: Callable[[Call], tuple[str, str]]) -> None:
        self._workflows = workflows
        self._engine = workflows.engine
        self._names = names

    def routes(self, instances: str, instance: str) -> list[Route]:
        """For the paths of a workflow's instances, and of one of them."""
        return [
            Route(
                "POST",
                f"{instances}/import",
                self._import,
                "Take an exported instance over.",
                ImportQuery,
                InstanceDocument,
                results.Named,
            ),
            Route(
                "POST",
                f"{instance}/skip",
                self._skip,
                "End a sleep, a retry delay or a wait now.",
                body=SkipBody,
                result=results.Skipped,
            ),
            Route(
                "POST",
                f"{instance}/fork",
                self._fork,
                "Create an instance that begins as this one did, up to a step.",
                body=ForkBody,
                result=results.Named,
            ),
            Route("GET", f"{instance}/timeline", self._timeline, "All of an instance.", result=results.Timeline),
            Route("GET", f"{instance}/export", self._export, "Export an instance.", result=InstanceDocument),
        ]

    async def _import(self, call: Call) -> Response:
        workflow = call.names["workflow"]
        self._names(Call({**call.names, "instance": ""}, call.query, call.body, call.request))
        return success({"id": await import_instance(self._engine, workflow, call.body, call.query.id)})

    async def _skip(self, call: Call) -> Response:
        workflow, id = self._names(call)
        body: SkipBody = call.body
        kind = _KINDS[body.type] if body.type is not None else None
        skipped = await self._engine.skip(workflow, id, body.step, kind)
        now = iso(self._engine.clock.now())
        return success({"step": skipped.step, "type": TYPES[skipped.kind], "timestamp": now})

    async def _fork(self, call: Call) -> Response:
        workflow, id = self._names(call)
        body: ForkBody = call.body
        start = (KINDS[body.from_.type], body.from_.name, body.from_.count)
        output = body.output if "output" in body.model_fields_set else NO_OUTPUT
        return success({"id": await fork(self._engine, workflow, id, start, output, body.id)})

    async def _timeline(self, call: Call) -> Response:
        row, entries = await self._engine.history(*self._names(call))
        size = await self._engine.store.streams.size(row.key)
        return success(describe_timeline(row, History.of(entries), size, self._engine.clock.now()))

    async def _export(self, call: Call) -> Response:
        return success(await export_instance(self._engine, *self._names(call)))
