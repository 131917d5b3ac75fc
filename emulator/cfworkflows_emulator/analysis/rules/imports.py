"""Imports that fail when the Worker is loaded, or find another module than intended."""

import ast
import importlib.util
from collections.abc import Iterator

import cfworkflows
from cfworkflows.absent import advice
from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.modules import Module
from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.config.diagnostics import did_you_mean
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
            yield from _missing_names(module, node)
            for name in _imported(node):
                top = name.partition(".")[0]
                missing = None if own_file(root, top) is not None else not_supported(name)
                if missing is not None:
                    what, instead = missing
                    yield finding("unsupported-module", module, node, what, _from_sdk(node) or instead)
                elif top not in seen and (other := shadowed(root, top)) is not None:
                    yield finding("shadowed-module", module, node, *other)
                seen.add(top)


def _missing_names(module: Module, node: ast.Import | ast.ImportFrom) -> Iterator[Finding]:
    """What is imported from this SDK, and is neither a name nor a module of it."""
    if isinstance(node, ast.Import) or node.module != "cfworkflows":
        return
    for each in node.names:
        if each.name in ("*", *cfworkflows.__all__) or each.name in vars(cfworkflows):
            continue
        if importlib.util.find_spec(f"cfworkflows.{each.name}") is not None:
            continue
        what, _, instead = (advice(each.name) or f"There is no {each.name} in cfworkflows").partition(": ")
        fix = (
            instead or did_you_mean(each.name, cfworkflows.__all__) or "Remove it: what there is, is listed in __all__."
        )
        yield finding("missing-name", module, each, f"{what}.", fix[0].upper() + fix[1:])


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
