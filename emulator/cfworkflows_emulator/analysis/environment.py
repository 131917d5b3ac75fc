"""The types of `env`, as Python source."""

import ast
import builtins
from dataclasses import dataclass, field

from cfworkflows_emulator.analysis.program import WORKFLOW, Class, Function, Program, unsubscripted
from cfworkflows_emulator.analysis.scopes import Scope
from cfworkflows_emulator.config import WORKFLOWS, BindingInfo, LoadedConfig
from cfworkflows_emulator.config.kinds.workflow.section import WorkflowSection

_HEAD = '"""The types of `env`, written by `cfwf types` from {config}. Run it again instead of editing this."""'
_PLAIN = (bool, int, float)


@dataclass
class _Imports:
    """What the annotations need: names by their modules, those of the Worker apart."""

    library: dict[str, set[str]] = field(default_factory=dict)
    worker: dict[str, set[str]] = field(default_factory=dict)

    def add(self, module: str, name: str, *, worker: bool = False) -> None:
        (self.worker if worker else self.library).setdefault(module, set()).add(name)


def env_types(program: Program, config: LoadedConfig) -> str:
    """The source of a module with a Protocol `Env`: stable, and without a complaint of mypy --strict.

    A variable that a file such as `.dev.vars` sets is a secret: its value is not in the text.
    """
    imports = _Imports()
    imports.add("typing", "Protocol")
    workflows = {workflow.binding: workflow for workflow in config.sections(WORKFLOWS)}
    lines = [
        _workflow(program, config, workflows[binding.name], imports)
        if binding.name in workflows
        else _other(binding, imports)
        for binding in sorted(config.bindings, key=lambda each: each.name)
    ]
    lines += _variables(config, imports)
    body = "\n".join(f"    {line}" for line in lines) or "    pass"
    doc = '    """What the configuration binds."""\n\n' if lines else '    """Nothing is bound."""\n'
    body = f"{doc}{body}" if lines else doc.rstrip("\n")
    # With the annotations left as text, the Worker's modules are not imported when this one is.
    head = [_HEAD.format(config=config.path.name), "", "from __future__ import annotations", ""]
    return "\n".join([*head, *_imported(imports), "", "", "class Env(Protocol):", body, ""])


def workflow_types(program: Program, workflow: Class) -> tuple[tuple[ast.expr, Scope] | None, ast.expr | None]:
    """The Params of a Workflow class, with the scope they are written in, and what its `run()` is annotated to give."""
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


def _workflow(program: Program, config: LoadedConfig, section: WorkflowSection, imports: _Imports) -> str:
    imports.add("cfworkflows", "Workflow")
    params, output, comment = "Any", "Any", ""
    if not section.is_of(config.config.name):
        comment = f"  # of the Worker {section.script_name}"
    else:
        try:
            cls = program.find(section.class_name)
        except LookupError:
            comment = f"  # {section.class_name} is not in the Worker's source"
        else:
            given, returns = workflow_types(program, cls)
            if given is not None:
                params = _annotation(program, *given, imports)
            run = program.method(cls, "run")
            if returns is not None and run is not None:
                output = _annotation(program, returns, run.scope.parent or run.scope, imports)
    if "Any" in (params, output):
        imports.add("typing", "Any")
    return f"{section.binding}: Workflow[{params}, {output}]{comment}"


def _other(binding: BindingInfo, imports: _Imports) -> str:
    imports.add("typing", "Any")
    return f"{binding.name}: Any  # {binding.kind}{'' if binding.supported else ', not supported yet'}"


def _variables(config: LoadedConfig, imports: _Imports) -> list[str]:
    required = config.config.secrets.required if config.config.secrets is not None else []
    own = [name for name, variable in config.variables.items() if variable.origin in ("config", "file")]
    lines = []
    for name in sorted({*own, *required}):
        variable = config.variables.get(name)
        if variable is None or variable.hidden:
            lines.append(f"{name}: str")
        elif isinstance(variable.value, str):
            imports.add("typing", "Literal")
            lines.append(f"{name}: Literal[{_quoted(variable.value)}]")
        elif isinstance(variable.value, _PLAIN):
            lines.append(f"{name}: {type(variable.value).__name__}")
        else:
            imports.add("typing", "Any")
            lines.append(f"{name}: Any  # JSON")
    return [line for line in lines if line.partition(":")[0].isidentifier()]


def _annotation(program: Program, node: ast.expr, scope: Scope, imports: _Imports) -> str:
    """The annotation as it is written in the new module, or `Any` if something in it is not to be had there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return "Any"
    needed: list[tuple[str, str, bool]] = []
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found = scope.lookup(part.id)
            if found is None and hasattr(builtins, part.id):
                continue
            place = _importable(program, part.id, scope)
            if place is None:
                return "Any"
            needed.append(place)
        elif isinstance(part, ast.Attribute | ast.Call | ast.Await | ast.Lambda):
            return "Any"
    for module, name, worker in needed:
        imports.add(module, name, worker=worker)
    return ast.unparse(node)


def _importable(program: Program, name: str, scope: Scope) -> tuple[str, str, bool] | None:
    found = scope.lookup(name)
    if found is None or found[1].node is not None:
        return None
    binding, where = found
    if isinstance(binding, str):
        module, _, original = binding.rpartition(".")
        return (module, name, module in program.scopes) if module and original == name else None
    is_type = isinstance(binding, ast.ClassDef) or len(where.assigned.get(name, [])) == 1
    return (where.module.name, name, True) if is_type else None


def _imported(imports: _Imports) -> list[str]:
    if imports.worker:
        imports.add("typing", "TYPE_CHECKING")
    library = {module: sorted(names, key=_import_order) for module, names in imports.library.items()}
    sdk = library.pop("cfworkflows", None)
    lines = [f"from {module} import {', '.join(names)}" for module, names in sorted(library.items())]
    if sdk is not None:
        lines += ["", f"from cfworkflows import {', '.join(sdk)}"]
    if imports.worker:
        lines += ["", "if TYPE_CHECKING:"]
        lines += [
            f"    from {module} import {', '.join(sorted(names))}" for module, names in sorted(imports.worker.items())
        ]
    return lines


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=True)


def _import_order(name: str) -> tuple[bool, str]:
    return not name.isupper(), name
