"""Imports that fail when the Worker is loaded, or find another module than intended."""

import ast
from collections.abc import Iterator

import cfworkflows
from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.modules import Module
from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.imports import NO_PACKAGE, not_supported, own_file, shadowed


def imports(program: Program) -> Iterator[Finding]:
    """All such imports, except below an `if`, a `try` or a `with`, where the code expects that they may fail."""
    root = program.main.path.parent
    for module in program.sources.modules.values():
        seen: set[str] = set()
        for node in ast.walk(module.tree):
            if not isinstance(node, (ast.Import, ast.ImportFrom)) or _is_guarded(module, node):
                continue
            if isinstance(node, ast.ImportFrom) and node.level:
                if node.level > _packages(module):
                    yield finding("relative-import", module, node, NO_PACKAGE, f"Write {_absolute(node)}")
                continue
            for name in _imported(node):
                top = name.partition(".")[0]
                missing = None if own_file(root, top) is not None else not_supported(name)
                if missing is not None:
                    what, instead = missing
                    yield finding("unsupported-module", module, node, what, _from_sdk(node) or instead)
                elif top not in seen and (other := shadowed(root, top)) is not None:
                    yield finding("shadowed-module", module, node, *other)
                seen.add(top)


def _is_guarded(module: Module, node: ast.AST) -> bool:
    return any(isinstance(each, (ast.If, ast.Try, ast.With)) for each in module.ancestors(node))


def _packages(module: Module) -> int:
    """How many packages a module is in."""
    return module.name.count(".") + (module.path.name == "__init__.py")


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [each.name for each in node.names] if isinstance(node, ast.Import) else [node.module or ""]


def _absolute(node: ast.ImportFrom) -> str:
    names = ", ".join(ast.unparse(each) for each in node.names)
    return f"from {node.module} import {names}" if node.module else f"import {names}"


def _from_sdk(node: ast.Import | ast.ImportFrom) -> str | None:
    """The same import from this SDK, if it has all the names."""
    if isinstance(node, ast.ImportFrom) and all(each.name in cfworkflows.__all__ for each in node.names):
        return f"Write from cfworkflows import {', '.join(ast.unparse(each) for each in node.names)}"
    return None
