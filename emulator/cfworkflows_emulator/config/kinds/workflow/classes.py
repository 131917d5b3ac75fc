"""The classes of Workflows: whether the code has each class that the configuration names."""

from collections.abc import Iterable

from cfworkflows_emulator.config.diagnostics import Diagnostic, did_you_mean, field_name
from cfworkflows_emulator.config.kinds.workflow.kind import WORKFLOWS
from cfworkflows_emulator.config.loaded import LoadedConfig
from cfworkflows_emulator.config.source import shown_path


def class_not_found(loaded: LoadedConfig, class_names: Iterable[str]) -> list[Diagnostic]:
    """An error for each Workflow of this Worker whose class is not among `class_names`, those of the main module."""
    names = sorted(class_names)
    problems = []
    for index, workflow in enumerate(loaded.sections(WORKFLOWS)):
        if workflow.class_name in names or not workflow.is_of(loaded.config.name):
            continue
        path = ("workflows", index, "class_name")
        there = f"the classes there are: {', '.join(names)}" if names else "there are no Workflow classes in it"
        main = shown_path(loaded.main, loaded.path.parent)
        problems.append(
            loaded.problem(
                f"class {workflow.class_name} ({field_name(path)}, {loaded.place(path)}) is not in {main}; {there}",
                path,
                did_you_mean(workflow.class_name, names)
                or f"Add `class {workflow.class_name}(WorkflowEntrypoint)` to it.",
            )
        )
    return problems
