"""Annotations of the Worker's source, written into another module with the imports that they need."""

import ast
import builtins
from dataclasses import dataclass, field

from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.analysis.scopes import Scope


@dataclass
class Imports:
    """The imports that annotations need: names by their modules, those of the Worker separately."""

    library: dict[str, set[str]] = field(default_factory=dict)
    worker: dict[str, set[str]] = field(default_factory=dict)

    def add(self, module: str, name: str, *, worker: bool = False) -> None:
        (self.worker if worker else self.library).setdefault(module, set()).add(name)

    def lines(self) -> list[str]:
        """The import statements, those of the Worker for type checkers only."""
        if self.worker:
            self.add("typing", "TYPE_CHECKING")
        lines: list[str] = []
        sdk: list[str] = []
        for module, names in sorted(self.library.items()):
            line = f"from {module} import {', '.join(sorted(names, key=_import_order))}"
            (sdk if module.partition(".")[0] == "cfworkflows" else lines).append(line)
        if sdk:
            lines += ["", *sdk]
        if self.worker:
            lines += ["", "if TYPE_CHECKING:"]
            lines += [
                f"    from {module} import {', '.join(sorted(names))}" for module, names in sorted(self.worker.items())
            ]
        return lines


def annotation(program: Program, node: ast.expr, scope: Scope, imports: Imports) -> str:
    """The annotation as it is written in the new module, or `Any` if the module cannot import a name in it."""
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


def _import_order(name: str) -> tuple[bool, str]:
    return not name.isupper(), name
