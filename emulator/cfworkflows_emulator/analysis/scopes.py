"""What names refer to: in a function, in the functions around it, and in its module."""

import ast
import builtins
from collections import Counter
from collections.abc import Iterator

from cfworkflows_emulator.analysis.modules import Definition, Module, canonical, import_bindings

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)

Binding = Definition | str | None
"""A function or class, the full name of an import, or None for any other variable."""

_UNBOUND = "unbound"


class Scope:
    """The names of a function, or of a module where `node` is None. `owner` is the class that a method belongs to."""

    def __init__(
        self,
        module: Module,
        node: FunctionNode | None = None,
        parent: "Scope | None" = None,
        owner: ast.ClassDef | None = None,
    ) -> None:
        self.module = module
        self.node = node
        self.parent = parent
        self.owner: ast.ClassDef | None = owner if owner is not None else parent.owner if parent is not None else None
        self.is_method = owner is not None
        self.stars: list[str] = []
        self.assigned: dict[str, list[ast.expr]] = {}
        self.bound: dict[str, Binding] = {}
        self.stores: Counter[str] = Counter()
        self._collect()

    def lookup(self, name: str) -> "tuple[Binding, Scope] | None":
        """What `name` is bound to, and in which scope; None if it is a builtin, or comes from a star import."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bound:
                return scope.bound[name], scope
            scope = scope.parent
        return None

    def qualified(self, expression: ast.expr) -> str | None:
        """The full name of an import or a builtin: `datetime.datetime.now`. None for anything else.

        A call within it is shown by parentheses: `asyncio.get_running_loop().time`.
        """
        match expression:
            case ast.Name(id=name):
                found = self.lookup(name)
                if found is None:
                    return f"builtins.{name}" if hasattr(builtins, name) else None
                return found[0] if isinstance(found[0], str) else None
            case ast.Attribute(value=value, attr=attribute):
                base = self.qualified(value)
                return None if base is None else canonical(f"{base}.{attribute}")
            case ast.Call(func=function):
                base = self.qualified(function)
                return None if base is None else f"{base}()"
        return None

    def value_of(self, name: ast.Name) -> ast.expr | None:
        """The value of a variable that is set once in its scope, and bound by nothing else."""
        found = self.lookup(name.id)
        if found is None or found[0] is not None:
            return None
        values = found[1].assigned.get(name.id, [])
        return values[0] if len(values) == 1 and found[1].stores[name.id] == 1 else None

    def is_self(self, expression: ast.expr) -> bool:
        """Whether this is the `self` of the method that the scope is in."""
        if not isinstance(expression, ast.Name):
            return False
        found = self.lookup(expression.id)
        if found is None or found[0] is not None or not found[1].is_method or found[1].node is None:
            return False
        first = next(iter(parameters(found[1].node)), None)
        return first is not None and first.arg == expression.id

    def is_within(self, other: "Scope") -> bool:
        """Whether this is `other`, or a function inside of it."""
        scope: Scope | None = self
        while scope is not None and scope.node is not other.node:
            scope = scope.parent
        return scope is not None and other.node is not None

    def _collect(self) -> None:
        if self.node is not None:
            arguments = self.node.args
            for each in (*parameters(self.node), arguments.vararg, arguments.kwarg):
                if each is not None:
                    self.bound[each.arg] = None
                    self.stores[each.arg] += 1
        outer: set[str] = set()
        for node in own_nodes(self.node if self.node is not None else self.module.tree):
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    self.bound[name] = None
                    self.stores[name] += 1
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    self.bound[node.name] = node if node.name not in self.bound else None
                case ast.Import() | ast.ImportFrom():
                    for name, full in import_bindings(self.module, node):
                        if name == "*":
                            self.stars.append(full)
                        else:
                            self.bound.setdefault(name, full)
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    self.bound[name] = None
                case ast.Global(names=names) | ast.Nonlocal(names=names):
                    outer.update(names)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.assigned.setdefault(name, []).append(value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self.assigned.setdefault(name, []).append(value)
                case ast.AugAssign(target=ast.Name(id=name), value=value):
                    self.assigned.setdefault(name, []).extend([value, value])  # no constant
        for name in outer:
            self.bound.pop(name, None)


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that a function's body, or a module's, executes, in the order of the source.

    Functions and classes inside are included, not entered; their decorators and defaults are evaluated here.
    """
    if isinstance(node, ast.Lambda):
        yield from _walk(node.body)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)):
        for statement in node.body:
            yield from _walk(statement)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, _NESTED):
        if not isinstance(node, ast.Lambda):
            for decorator in node.decorator_list:
                yield from _walk(decorator)
        if not isinstance(node, ast.ClassDef):
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    yield from _walk(default)
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


def parameters(function: FunctionNode) -> list[ast.arg]:
    """The named parameters, in order, without `*args` and `**kwargs`."""
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
