"""The Python files of a Worker: found from the main one by its imports, and parsed. None is executed."""

import ast
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cfworkflows
from cfworkflows_emulator.config.diagnostics import Location
from cfworkflows_emulator.imports import own_file

SDK_PACKAGES = ("cfworkflows", "workers", "js")
"""The packages that a Worker imports the platform from: this SDK, or Cloudflare's own."""

_NO_TEXT = "the file is not in its encoding, which is UTF-8 if it declares no other"

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(eq=False)
class Module:
    """A file. `name` is the name it is imported by, `shown` its path as it is displayed.

    `parents` has the node around each node. A file that is not valid Python has an empty `tree`, and an `error`.
    """

    name: str
    path: Path
    shown: str
    text: str
    tree: ast.Module
    error: SyntaxError | None = None
    lines: list[str] = field(init=False)
    parents: dict[ast.AST, ast.AST] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.text.split("\n")
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def location(self, node: ast.AST) -> Location:
        """Where a node begins. `ast` counts bytes, people count characters."""
        line: int = getattr(node, "lineno", 1)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        before = text.encode()[: getattr(node, "col_offset", 0)].decode(errors="replace")
        return Location(self.shown, line, len(before) + 1, text.rstrip("\r"))

    def source(self, node: ast.AST) -> str:
        """A node as it is written, on one line."""
        return " ".join((ast.get_source_segment(self.text, node) or ast.unparse(node)).split())

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around `node`, innermost first."""
        while node in self.parents:
            node = self.parents[node]
            yield node


@dataclass(frozen=True, eq=False)
class Sources:
    """The modules of a Worker by name. `main` is among them."""

    main: Module
    modules: dict[str, Module]


def read_sources(main: Path, cwd: Path | None = None) -> Sources:
    """Read the main file and what it imports from its folder, which is the import root.

    Paths are shown relative to `cwd`. Raises OSError if a file cannot be read.
    """
    root = main.absolute().parent
    first = _read(main.absolute(), main.stem, cwd or Path.cwd())
    modules = {first.name: first}
    todo = [first]
    while todo:
        module = todo.pop()
        for name in imported_names(module):
            if name not in modules and (path := own_file(root, name)) is not None:
                modules[name] = _read(path, name, cwd or Path.cwd())
                todo.append(modules[name])
    return Sources(first, modules)


def _read(path: Path, name: str, cwd: Path) -> Module:
    cwd = cwd.absolute()
    shown = path.relative_to(cwd).as_posix() if path.is_relative_to(cwd) else str(path)
    text = ""
    try:
        with tokenize.open(path) as file:
            text = file.read()
    except (SyntaxError, UnicodeDecodeError):
        return Module(name, path, shown, text, ast.Module([], []), SyntaxError(_NO_TEXT))
    try:
        return Module(name, path, shown, text, ast.parse(text))
    except SyntaxError as error:
        return Module(name, path, shown, text, ast.Module([], []), error)
    except ValueError as error:  # a null byte, before Python 3.12
        return Module(name, path, shown, text, ast.Module([], []), SyntaxError(str(error)))


def imported_names(module: Module) -> Iterator[str]:
    """Every name that `module` imports, anywhere in it, and that may be a module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                yield from (".".join(parts[: end + 1]) for end in range(len(parts)))
        elif isinstance(node, ast.ImportFrom):
            base = import_base(module, node)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def import_base(module: Module, node: ast.ImportFrom) -> str:
    """The full name of the module that a `from … import` imports from."""
    if not node.level:
        return node.module or ""
    package = module.name.split(".")
    keep = len(package) - node.level + (module.path.name == "__init__.py")
    return ".".join([*package[: max(keep, 0)], *([node.module] if node.module else [])])


def import_bindings(module: Module, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The names that an import binds, each with its full name. `*` is bound to its module."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        return
    base = import_base(module, node)
    for alias in node.names:
        if alias.name != "*":
            yield alias.asname or alias.name, canonical(f"{base}.{alias.name}")
        elif base in SDK_PACKAGES:
            yield from ((name, f"cfworkflows.{name}") for name in cfworkflows.__all__)
        else:
            yield "*", base


def canonical(name: str) -> str:
    """One name for what the SDK packages export under several: `workers.fetch` is `cfworkflows.fetch`."""
    package, *rest = name.split(".")
    if package not in SDK_PACKAGES or not rest:
        return name
    while len(rest) > 1 and rest[0] not in cfworkflows.__all__:
        del rest[0]
    return ".".join(["cfworkflows", *rest])
