"""What both APIs do: workflows as they are configured, and everything that can happen to an instance."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from cfworkflows.errors import CfworkflowsError, WorkflowError
from cfworkflows_bindings.workflow.codes import MESSAGES, NOT_FOUND
from cfworkflows_bindings.workflow.restart import KINDS
from cfworkflows_emulator.analysis import graph
from cfworkflows_emulator.api.kind import ExplorerKind
from cfworkflows_emulator.api.requests import StatusBody
from cfworkflows_emulator.config import WORKFLOWS, LoadedConfig, WorkflowSection
from cfworkflows_emulator.engine import Engine, Selection, Status
from cfworkflows_emulator.runtime import Resources, Worker

TRIGGER = "api"
CHUNK = 500

_NOT_FOUND = {"code": NOT_FOUND, "message": MESSAGES[NOT_FOUND]}


class Served(Protocol):
    """What the APIs need of a project: it may run, or be at rest as the last server left it."""

    @property
    def config(self) -> LoadedConfig: ...

    @property
    def configs(self) -> Sequence[LoadedConfig]: ...

    @property
    def workers(self) -> Mapping[str, Worker]: ...

    @property
    def engine(self) -> Engine: ...

    @property
    def resources(self) -> Resources: ...

    def proof(self, nonce: str) -> str: ...


class Workflows:
    """The workflows that the Workers of a project define, by name."""

    def __init__(self, project: Served) -> None:
        self.engine = project.engine
        self.project = project
        self.since = self.engine.clock.now()
        self._defined = {
            section.name: (section, loaded)
            for loaded in project.configs
            for section in loaded.sections(WORKFLOWS)
            if section.is_of(loaded.config.name)
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self.engine.definitions)

    def __contains__(self, name: object) -> bool:
        return name in self.engine.definitions

    def section(self, name: str) -> WorkflowSection:
        """What the configuration says of it."""
        return self._defined[name][0]

    def script_name(self, name: str) -> str:
        """The name of the Worker that defines it."""
        return self._defined[name][1].config.name

    def file(self, name: str) -> str:
        """The name of the configuration file that defines it."""
        return self._defined[name][1].path.name

    def id(self, name: str) -> str:
        """The UUID that each workflow has on the platform; here it follows from the names of Worker and workflow."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"workflow:{self.script_name(name)}/{name}"))

    def version_id(self, name: str) -> str:
        """There is one version of a workflow: the one that is served."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"version:{self.script_name(name)}/{name}"))

    def graph(self, name: str) -> dict[str, Any]:
        """Its steps, loops and branches, from the source as it is now. Raises LookupError if the source is missing."""
        section, loaded = self._defined[name]
        return graph(loaded.main, section.class_name)

    def has_graph(self, name: str) -> bool:
        """Whether its graph can be made from the source."""
        try:
            return bool(self.graph(name))
        except (LookupError, OSError, SyntaxError, ValueError, RecursionError):
            return False

    def of_script(self, script: str) -> Sequence[str] | None:
        """The workflows that the Worker `script` defines, None if there is no such Worker."""
        if script not in {loaded.config.name for loaded in self.project.configs}:
            return None
        return [name for name in self if self.script_name(name) == script]

    async def change_status(self, workflow: str, id: str, change: StatusBody) -> Status:
        """Pause, resume, restart or terminate; the status afterwards. Raises what the engine raises."""
        match change.status:
            case "pause":
                await self.engine.pause(workflow, id)
            case "resume":
                await self.engine.resume(workflow, id)
            case "terminate":
                await self.engine.terminate(workflow, id, rollback=change.rollback is True, trigger=TRIGGER)
            case "restart":
                step = change.from_
                start = (KINDS[step.type], step.name, step.count) if step is not None else None
                await self.engine.restart(workflow, id, start)
        return (await self.engine.outcome(workflow, id)).visible_status

    async def delete(self, workflow: str, ids: Sequence[str]) -> dict[str, Any]:
        """Delete instances: `{deleted, errors}`, with an entry for each of `ids`, in their order."""
        deleted = await self.engine.delete_instances(workflow, ids)
        return {
            "deleted": [{"id": id} for id in ids if id in deleted],
            "errors": [{"id": id, **_NOT_FOUND} for id in ids if id not in deleted],
        }

    async def delete_all(self, workflow: str) -> int:
        """Delete the instances that there are now. Returns how many. Instances that are created meanwhile stay."""
        selection = Selection(until=self.engine.clock.now())
        count = 0
        while rows := await self.engine.list(workflow, selection, limit=CHUNK):
            found = await self.engine.delete_instances(workflow, [row.id for row in rows])
            count += len(found)
            if not found:  # others delete them too
                break
        return count

    async def terminate_all(self, workflow: str, status: str | None) -> None:
        """Terminate the instances that there are now: those in a status, or all that have not ended."""
        statuses = (status,) if status is not None else tuple(each for each in Status if not each.finite)
        after: tuple[int, int] | None = None
        until = self.engine.clock.now()
        while rows := await self.engine.list(workflow, Selection(statuses, until=until, after=after), limit=CHUNK):
            after = rows[-1].created_at, rows[-1].key
            await self.terminate_each(workflow, [row.id for row in rows])

    async def terminate_each(self, workflow: str, ids: Sequence[str]) -> int:
        """Terminate those of the instances that have not ended. Returns how many."""
        count = 0
        for id in ids:
            try:
                await self.engine.terminate(workflow, id, trigger=TRIGGER)
                count += 1
            except WorkflowError as error:
                if error.code not in ("instance.cannot_terminate", "instance.not_found"):  # it ended meanwhile
                    raise
        return count


class WorkflowsListed(ExplorerKind[WorkflowSection]):
    """Workflows among the bindings of a Worker."""

    kind = WORKFLOWS
    group = "workflows"

    def described(self, section: WorkflowSection, worker: str, /) -> dict[str, Any]:
        return {
            "id": section.name,
            "bindingName": section.binding,
            "className": section.class_name,
            "scriptName": section.script_name or worker,
        }


WORKFLOWS_LISTED = WorkflowsListed()


def explained(error: CfworkflowsError) -> str:
    """The text of an error with its notes."""
    return "\n".join([str(error), *getattr(error, "__notes__", ())])
