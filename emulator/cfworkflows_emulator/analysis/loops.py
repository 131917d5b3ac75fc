"""Loops and comprehensions, and what they iterate over."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from cfworkflows_emulator.analysis.flow import Frame

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_SET_METHODS = ("union", "intersection", "difference", "symmetric_difference", "copy")
_SET_OPERATORS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)
_SAME_ORDER = ("builtins.list", "builtins.tuple", "builtins.iter", "builtins.enumerate", "builtins.reversed")


@dataclass(frozen=True, eq=False)
class Loop:
    """One `for`, in a statement or in a comprehension: `node` is all of it."""

    node: ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    target: ast.expr
    iterable: ast.expr


def loops_of(node: ast.AST) -> list[Loop]:
    """The loops of a statement or expression itself, without those inside."""
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return [Loop(node, node.target, node.iter)]
    if isinstance(node, _COMPREHENSIONS):
        return [Loop(node, generator.target, generator.iter) for generator in node.generators]
    return []


def loops_around(frame: Frame, inner: ast.AST) -> Iterator[Loop]:
    """The loops of the frame around a node, innermost first."""
    for node in frame.module.ancestors(inner):
        if node is frame.node:
            return
        yield from loops_of(node)


def is_set(frame: Frame, expression: ast.expr) -> bool:
    """Whether this is a set, or has its items in the order of a set."""
    match expression:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name():
            value = frame.scope.value_of(expression)
            return value is not None and not isinstance(value, ast.Name) and is_set(frame, value)
        case ast.BinOp(left=left, op=operator, right=right) if isinstance(operator, _SET_OPERATORS):
            return any(is_set(frame, each) or _is_view(each) for each in (left, right))
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in _SET_METHODS:
            return is_set(frame, value)
        case ast.Call(func=function, args=[first, *_]) if frame.scope.qualified(function) in _SAME_ORDER:
            return is_set(frame, first)
        case ast.Call(func=function):
            return frame.scope.qualified(function) in ("builtins.set", "builtins.frozenset")
    return False


def _is_view(expression: ast.expr) -> bool:
    """Whether this is a view of a dict's keys: ordered, but an operator on it makes a set."""
    return isinstance(expression, ast.Call) and not expression.args and getattr(expression.func, "attr", "") == "keys"
