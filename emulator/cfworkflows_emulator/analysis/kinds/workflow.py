"""Workflows: their Params and what their `run()` returns, read from the source."""

import ast

from cfworkflows.types import Workflow
from cfworkflows_emulator.analysis.annotations import Imports, annotation
from cfworkflows_emulator.analysis.kinds.kind import TypedKind
from cfworkflows_emulator.analysis.program import WORKFLOW, Class, Function, Program, unsubscripted
from cfworkflows_emulator.analysis.scopes import Scope
from cfworkflows_emulator.config import WORKFLOWS as KIND
from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.config.kinds.workflow.kind import WorkflowSection


class WorkflowTypes(TypedKind[WorkflowSection]):
    """`Workflow[Params, Output]`, with Any for an unknown type."""

    kind = KIND
    promise = Workflow

    def annotated(
        self, section: WorkflowSection, program: Program, config: LoadedConfig, imports: Imports, /
    ) -> tuple[str, str]:
        imports.add("cfworkflows", "Workflow")
        params, output, comment = "Any", "Any", ""
        if not section.is_of(config.config.name):
            comment = f"of the Worker {section.script_name}"
        else:
            try:
                cls = program.find(section.class_name)
            except LookupError:
                comment = f"{section.class_name} is not in the Worker's source"
            else:
                given, returns = workflow_types(program, cls)
                if given is not None:
                    params = annotation(program, *given, imports)
                run = program.method(cls, "run")
                if returns is not None and run is not None:
                    output = annotation(program, returns, run.scope.parent or run.scope, imports)
        if "Any" in (params, output):
            imports.add("typing", "Any")
        return f"Workflow[{params}, {output}]", comment


WORKFLOWS = WorkflowTypes()


def workflow_types(program: Program, workflow: Class) -> tuple[tuple[ast.expr, Scope] | None, ast.expr | None]:
    """The Params of a Workflow class, with the scope they are written in, and the return annotation of its `run()`."""
    run = program.method(workflow, "run")
    return _params(program, workflow, 0), _returns(run)


def _params(program: Program, cls: Class, depth: int) -> tuple[ast.expr, Scope] | None:
    for base in cls.node.bases:
        if isinstance(base, ast.Subscript) and cls.scope.qualified(base.value) == WORKFLOW:
            items = base.slice.elts if isinstance(base.slice, ast.Tuple) else []
            return (items[1], cls.scope) if len(items) == 2 else None
        name = unsubscripted(base)
        parent = program.resolve_class(name.id, cls.scope) if isinstance(name, ast.Name) else None
        if parent is not None and depth < 20 and (found := _params(program, parent, depth + 1)) is not None:
            return found
    return None


def _returns(run: Function | None) -> ast.expr | None:
    return run.node.returns if run is not None and not isinstance(run.node, ast.Lambda) else None
