"""Where a Worker's code uses `env`, and which names it reads."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.flow import Frame
from cfworkflows_emulator.analysis.program import ENTRYPOINTS, Program
from cfworkflows_emulator.analysis.scopes import FunctionNode, Scope, own_nodes

_WITH_ENV = ("on_fetch", "on_scheduled", "on_queue", "fetch", "scheduled", "queue")


def scopes_of(program: Program) -> Iterator[Scope]:
    """The scope of every module and every function in it."""
    for scope in program.scopes.values():
        yield from _below(program, scope, scope.module.tree, None)


def _below(program: Program, scope: Scope, node: ast.AST, owner: ast.ClassDef | None) -> Iterator[Scope]:
    if owner is None:
        yield scope
    for child in own_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _below(program, scope, child, child)
        elif isinstance(child, FunctionNode):
            yield from _below(program, program.inner(child, scope, owner), child, None)


def is_env(program: Program, scope: Scope, expression: ast.expr) -> bool:
    """Whether this is `self.env` of an entrypoint, the `env` of the SDK, that of a handler, or a variable for it."""
    if isinstance(expression, ast.Name):
        if scope.qualified(expression) == "cfworkflows.env":
            return True
        found = scope.lookup(expression.id)
        if found is None or found[0] is not None or found[1].node is None:
            return False
        value = scope.value_of(expression)
        if value is not None:
            return not isinstance(value, ast.Name) and is_env(program, found[1], value)
        return expression.id == "env" and getattr(found[1].node, "name", "") in _WITH_ENV
    if isinstance(expression, ast.Attribute) and expression.attr == "env" and scope.is_self(expression.value):
        found_class = next((each for each in program.classes() if each.node is scope.owner), None)
        return found_class is not None and program.is_a(found_class, ENTRYPOINTS)
    return False


def binding_of(program: Program, scope: Scope, expression: ast.expr) -> str | None:
    """X of `env.X`, or of a variable that only holds it; None for any other expression."""
    if isinstance(expression, ast.Name) and (value := scope.value_of(expression)) is not None:
        expression = value
    if isinstance(expression, ast.Attribute) and is_env(program, scope, expression.value):
        return expression.attr
    return None


def uses_of_env(program: Program) -> Iterator[tuple[Scope, ast.Attribute]]:
    """Every `env.X`."""
    for scope in scopes_of(program):
        for node in own_nodes(scope.node if scope.node is not None else scope.module.tree):
            if isinstance(node, ast.Attribute) and is_env(program, scope, node.value):
                yield scope, node


def stand_ins(program: Program) -> set[str]:
    """The names of env that the code itself sets."""
    return {node.attr for _, node in uses_of_env(program) if isinstance(node.ctx, ast.Store)}


def is_env_of_run(frame: Frame, expression: ast.expr) -> bool:
    """Whether this is the `env` of the Workflow that is followed, even if another class has the code."""
    if isinstance(expression, ast.Attribute) and expression.attr == "env":
        return frame.scope.is_self(expression.value)
    return frame.scope.qualified(expression) == "cfworkflows.env"
