"""Workflows: their bindings over the engine, and the definitions of their classes."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, NoReturn

from cfworkflows.entrypoint import WorkflowEntrypoint
from cfworkflows.errors import CfworkflowsError
from cfworkflows_bindings import WorkflowBinding
from cfworkflows_emulator.config import WORKFLOWS as KIND
from cfworkflows_emulator.config import ConfigError, Diagnostic, LoadedConfig, class_not_found
from cfworkflows_emulator.config.kinds.workflow.kind import WorkflowSection
from cfworkflows_emulator.engine import MIGRATIONS, described
from cfworkflows_emulator.engine.definition import DEFAULT_RETENTION_MS, DEFAULT_STEP_LIMIT, WorkflowDefinition
from cfworkflows_emulator.runtime.dialect import dialect_of, kind_of
from cfworkflows_emulator.runtime.exports import Exports
from cfworkflows_emulator.runtime.kinds.kind import RuntimeKind
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.runtime.worker import Worker
from cfworkflows_emulator.storage.folder import DATABASE
from cfworkflows_emulator.storage.kept import KeptFolder


class WorkflowRuntime(RuntimeKind[WorkflowSection]):
    """The engine runs the instances, so a binding is no more than its name and the engine."""

    kind = KIND

    @property
    def binding(self) -> type[WorkflowBinding]:
        return WorkflowBinding

    @property
    def kept(self) -> KeptFolder:
        return KeptFolder(DATABASE, len(MIGRATIONS), described)

    async def bind(self, section: WorkflowSection, resources: Resources, /) -> WorkflowBinding:
        return WorkflowBinding(resources.engine, section.name)

    def check_code(self, loaded: LoadedConfig, module: ModuleType, exports: Exports, /) -> None:
        missing = class_not_found(loaded, exports.workflows)
        if missing:
            raise ConfigError([_explained(problem, module) for problem in missing])

    def define(self, loaded: LoadedConfig, worker: Worker, resources: Resources, /) -> None:
        for section in _own(loaded):
            cls = worker.exports.workflows[section.class_name]
            resources.engine.define(definition_of(section, cls, worker))

    def notices(self, loaded: LoadedConfig, /) -> Iterator[str]:
        for index, section in enumerate(loaded.sections(KIND)):
            if section.remote and section.is_of(loaded.config.name):
                yield (
                    f"workflows[{index}].remote is not supported: the Workflow runs on this machine "
                    f"(Workflow {section.name})"
                )


WORKFLOWS = WorkflowRuntime()


def definition_of(
    workflow: WorkflowSection, cls: type[WorkflowEntrypoint[Any, Any]], worker: Worker
) -> WorkflowDefinition:
    """The definition of a Workflow whose class belongs to `worker`."""

    def entrypoint() -> WorkflowEntrypoint[Any, Any]:
        # Called in the task of the run, so that the run and its callbacks see what the module-level `env` stands for.
        made: WorkflowEntrypoint[Any, Any] = worker.make(cls)
        return made

    return WorkflowDefinition(
        workflow.name,
        entrypoint,
        params_type=dialect_of(cls).params_type(cls),
        **_settings(workflow),
    )


def definitions_without_code(loaded: LoadedConfig) -> list[WorkflowDefinition]:
    """The Workflows of a Worker that is not loaded."""
    return [WorkflowDefinition(section.name, _no_code, **_settings(section)) for section in _own(loaded)]


def _own(loaded: LoadedConfig) -> list[WorkflowSection]:
    """The Workflows that the Worker defines, rather than uses."""
    return [section for section in loaded.sections(KIND) if section.is_of(loaded.config.name)]


def _settings(workflow: WorkflowSection) -> dict[str, Any]:
    """The fields of a WorkflowDefinition that come from the configuration."""
    return {
        "step_limit": workflow.limits.steps or DEFAULT_STEP_LIMIT,
        "schedules": tuple(workflow.schedules),
        "concurrency_limit": workflow.concurrency.limit,
        "success_retention_ms": workflow.default_retention.success_retention or DEFAULT_RETENTION_MS,
        "error_retention_ms": workflow.default_retention.error_retention or DEFAULT_RETENTION_MS,
    }


def _no_code() -> NoReturn:
    raise CfworkflowsError("Nothing of a project runs that is not served.")


def _explained(problem: Diagnostic, module: ModuleType) -> Diagnostic:
    """`problem` with a better suggestion, if there is a class of that name that is no Workflow, or is not exported."""
    name = problem.message.split()[1]
    found = getattr(module, name, None)
    if not isinstance(found, type):
        return problem
    if kind_of(found) == "workflow":
        return problem._replace(suggestion=f'It is there, but not exported: add "{name}" to __all__.')
    return problem._replace(
        suggestion=f"There is a class {name}, but it is no Workflow: write `class {name}(WorkflowEntrypoint)`."
    )
