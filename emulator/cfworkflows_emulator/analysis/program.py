"""A Worker's code as a whole: its classes, its constants, and names followed across its modules."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cfworkflows_emulator.analysis.literals import UNKNOWN, evaluate
from cfworkflows_emulator.analysis.modules import Module, Sources, read_sources
from cfworkflows_emulator.analysis.scopes import FunctionNode, Scope

WORKFLOW = "cfworkflows.WorkflowEntrypoint"
WORKER = "cfworkflows.WorkerEntrypoint"
ENTRYPOINTS = (WORKFLOW, WORKER, "cfworkflows.DurableObject")


@dataclass(frozen=True, eq=False)
class Class:
    """A class of the Worker, with the scope it is defined in."""

    node: ast.ClassDef
    scope: Scope

    @property
    def name(self) -> str:
        return self.node.name


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the Worker, with the scope of its own body."""

    node: FunctionNode
    scope: Scope

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)


class Program:
    """The modules of a Worker, read from `main` on; `main` is a path, or the modules if they were read already."""

    def __init__(self, main: Path | Sources) -> None:
        self.sources = main if isinstance(main, Sources) else read_sources(main)
        self.scopes = {name: Scope(module) for name, module in self.sources.modules.items()}
        self._inner: dict[FunctionNode, Scope] = {}

    @property
    def main(self) -> Module:
        return self.sources.main

    def workflows(self) -> list[Class]:
        """The Workflow classes that are defined in the Worker's modules, in the order of the source."""
        return [each for each in self.classes() if self.is_a(each, (WORKFLOW,))]

    def classes(self) -> Iterator[Class]:
        """Every class at the top level of a module."""
        for scope in self.scopes.values():
            for node in ast.walk(scope.module.tree):
                if isinstance(node, ast.ClassDef) and scope.bound.get(node.name) is node:
                    yield Class(node, scope)

    def exported(self) -> dict[str, Class | None]:
        """What the main module exports by name: a class of the Worker, or None if the source does not tell."""
        scope = self.scopes[self.main.name]
        names: dict[str, Class | None] = {name: self.resolve_class(name, scope) for name in scope.bound}
        for star in scope.stars:
            if star in self.scopes:
                names |= {name: self.resolve_class(name, self.scopes[star]) for name in self.scopes[star].bound}
        return names

    def find(self, class_name: str) -> Class:
        """The Workflow class that the main module exports as `class_name`, or else one of that name.

        Raises LookupError, which names the classes that exist.
        """
        exported = self.exported().get(class_name)
        if exported is not None and self.is_a(exported, (WORKFLOW,)):
            return exported
        known = self.workflows()
        found = next((each for each in known if each.name == class_name), None)
        if found is None:
            names = ", ".join(sorted(each.name for each in known)) or "none"
            raise LookupError(f"{self.main.shown} has no Workflow class {class_name}; its classes are: {names}.")
        return found

    def is_a(self, cls: Class, bases: tuple[str, ...], seen: tuple[Class, ...] = ()) -> bool:
        """Whether the class derives from one of `bases`, full names of the SDK."""
        if any(cls.node is each.node for each in seen):
            return False
        return any(
            cls.scope.qualified(base) in bases
            or ((parent := self._class(base, cls.scope)) is not None and self.is_a(parent, bases, (*seen, cls)))
            for base in map(unsubscripted, cls.node.bases)
        )

    def is_known(self, cls: Class, depth: int = 0) -> bool:
        """Whether all bases of the class are in the Worker or the SDK, or built in."""
        for base in map(unsubscripted, cls.node.bases):
            parent = self._class(base, cls.scope)
            name = cls.scope.qualified(base) or ""
            if parent is None and not name.startswith(("cfworkflows.", "builtins.")):
                return False
            if parent is not None and (depth > 20 or not self.is_known(parent, depth + 1)):
                return False
        return True

    def method(self, cls: Class, name: str, depth: int = 0) -> Function | None:
        """A method of the class, or of its bases."""
        for node in cls.node.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
                return Function(node, self.inner(node, cls.scope, cls.node))
        for base in map(unsubscripted, cls.node.bases):
            parent = self._class(base, cls.scope)
            if parent is not None and depth < 20 and (found := self.method(parent, name, depth + 1)) is not None:
                return found
        return None

    def inner(self, node: FunctionNode, parent: Scope, owner: ast.ClassDef | None = None) -> Scope:
        """The scope of a function's body."""
        if node not in self._inner:
            self._inner[node] = Scope(parent.module, node, parent, owner)
        return self._inner[node]

    def function(self, expression: ast.expr, scope: Scope, cls: Class | None = None) -> Function | None:
        """The function of the Worker that an expression names: a lambda, a function, a method of `self`.

        `cls` is the class of `self`, if it is not the class that has the code.
        """
        match expression:
            case ast.Lambda():
                return Function(expression, self.inner(expression, scope))
            case ast.Call(func=maker, args=[first, *_]) if scope.qualified(maker) == "functools.partial":
                return self.function(first, scope, cls)
            case ast.Attribute(value=value, attr=name) if scope.is_self(value):
                own = (
                    cls
                    if cls is not None
                    else Class(scope.owner, self.scopes[scope.module.name])
                    if scope.owner
                    else None
                )
                return self.method(own, name) if own is not None else None
        found = self._definition(expression, scope)
        if found is None or isinstance(found[0], ast.ClassDef):
            return None
        return Function(found[0], self.inner(found[0], found[1]))

    def constant(self, expression: ast.expr | None, scope: Scope, depth: int = 0) -> object:
        """The value of an expression that is written out, or names a constant; else UNKNOWN."""
        if expression is None or depth > 10:
            return UNKNOWN

        def name_of(node: ast.expr) -> object:
            if isinstance(node, ast.Name):
                found = scope.lookup(node.id)
                if found is None:
                    return UNKNOWN
                if isinstance(found[0], str):
                    return self._constant_at(found[0], depth)
                values = found[1].assigned.get(node.id, [])
                return self.constant(values[0], found[1], depth + 1) if len(values) == 1 else UNKNOWN
            qualified = scope.qualified(node)
            return self._constant_at(qualified, depth) if qualified is not None else UNKNOWN

        return evaluate(expression, name_of, scope.qualified)

    def resolve_class(self, name: str, scope: Scope) -> Class | None:
        return self._class(ast.Name(id=name, ctx=ast.Load()), scope)

    def _class(self, expression: ast.expr, scope: Scope) -> Class | None:
        found = self._definition(expression, scope)
        return Class(found[0], found[1]) if found is not None and isinstance(found[0], ast.ClassDef) else None

    def _definition(
        self, expression: ast.expr, scope: Scope, depth: int = 0
    ) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, Scope] | None:
        if isinstance(expression, ast.Name):
            found = scope.lookup(expression.id)
            if found is None:
                stars = (self.scopes[star] for star in self.scopes[scope.module.name].stars if star in self.scopes)
                matches = (each for each in stars if expression.id in each.bound and depth < 20)
                return next((self._definition(expression, each, depth + 1) for each in matches), None)
            binding, where = found
            if binding is not None and not isinstance(binding, str):
                return binding, where
            values = where.assigned.get(expression.id, [])
            if binding is None and len(values) == 1 and isinstance(values[0], (ast.Name, ast.Attribute)) and depth < 20:
                return self._definition(values[0], where, depth + 1)
        qualified = scope.qualified(expression)
        if qualified is None or depth > 20:
            return None
        module, _, name = qualified.rpartition(".")
        if module not in self.scopes or not name.isidentifier():
            return None
        return self._definition(ast.Name(id=name, ctx=ast.Load()), self.scopes[module], depth + 1)

    def _constant_at(self, qualified: str, depth: int) -> object:
        module, _, name = qualified.rpartition(".")
        if module not in self.scopes:
            return UNKNOWN
        return self.constant(ast.Name(id=name, ctx=ast.Load()), self.scopes[module], depth + 1)


def unsubscripted(expression: ast.expr) -> ast.expr:
    """`WorkflowEntrypoint` of `WorkflowEntrypoint[Env, Params]`."""
    return expression.value if isinstance(expression, ast.Subscript) else expression
