"""Whether a coroutine or a future is awaited."""

import ast

from cfworkflows_emulator.analysis.scopes import Scope

_PASSED_ON = (
    ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.List, ast.Tuple, ast.Set, ast.Starred, ast.IfExp, ast.BoolOp,
)  # fmt: skip


def is_dropped(scope: Scope, call: ast.Call) -> bool:
    """Whether the result of a call in a function is dropped: at once, or in a variable that is never read."""
    parents = scope.module.parents
    node: ast.AST = call
    parent = parents.get(node)
    while isinstance(parent, _PASSED_ON):
        node, parent = parent, parents.get(parent)
    if isinstance(parent, ast.Expr):
        return True
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name):
        name = parent.targets[0].id
        return not any(isinstance(each.ctx, ast.Load) for each in names_in_reach(scope, name))
    return False


def names_in_reach(scope: Scope, name: str) -> list[ast.Name]:
    """Every place where a variable of the function may be read or set: in the function, or in the scope that has it."""
    node = scope.node if scope.node is not None else scope.module.tree
    around = next(iter(scope.module.ancestors(node)), node)
    body = node if name in scope.bound else around
    return [each for each in ast.walk(body) if isinstance(each, ast.Name) and each.id == name]
