"""Errors that are meant to end a step, and do not."""

import ast
from collections.abc import Iterator

from cfworkflows.errors import retried_all_the_same
from cfworkflows_emulator.analysis.bindings import scopes_of
from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow
from cfworkflows_emulator.analysis.program import Class, Program
from cfworkflows_emulator.analysis.scopes import own_nodes

_NAME = "NonRetryableError"
_FULL = f"cfworkflows.{_NAME}"


def renamed_errors(program: Program, flows: list[Flow]) -> Iterator[Finding]:
    """NonRetryableError with another name, and its subclasses, where they are raised for a step."""
    outside = {frame.node for flow in flows for frame in flow.outside_steps()}
    in_steps = {frame.node for flow in flows for frame in flow.in_steps()}
    told: set[ast.ClassDef] = set()
    for scope in scopes_of(program):
        if scope.node in outside and scope.node not in in_steps:
            continue  # run() itself is not retried
        for node in own_nodes(scope.node if scope.node is not None else scope.module.tree):
            if not isinstance(node, ast.Raise) or node.exc is None:
                continue
            made = node.exc if isinstance(node.exc, ast.Call) else None
            raised = made.func if made is not None else node.exc
            if made is not None and scope.qualified(raised) == _FULL:
                name = _second(made)
                if name is not None and program.constant(name, scope) not in (_NAME, None):
                    yield finding(
                        "non-retryable", scope.module, name,
                        f"With another name the error is no {_NAME} to the platform, and is retried like any other.",
                        "Leave the name out, and put it into the message.",
                    )  # fmt: skip
                continue
            cls = program.resolve_class(raised.id, scope) if isinstance(raised, ast.Name) else None
            if cls is None or cls.node in told or not program.is_a(cls, (_FULL,)) or _keeps_name(program, cls):
                continue
            told.add(cls.node)
            start = ast.Constant(None, lineno=cls.node.lineno, col_offset=cls.node.col_offset)
            yield finding("non-retryable", cls.scope.module, start, *retried_all_the_same(cls.name))


def _second(call: ast.Call) -> ast.expr | None:
    named = (each.value for each in call.keywords if each.arg == "name")
    return call.args[1] if len(call.args) > 1 else next(named, None)


def _keeps_name(program: Program, cls: Class) -> bool:
    """Whether the class, or a base of it, has or sets the name that counts."""
    if cls.name == _NAME or any(isinstance(each, ast.Constant) and each.value == _NAME for each in ast.walk(cls.node)):
        return True
    names = (base.id for base in cls.node.bases if isinstance(base, ast.Name))
    parents = (program.resolve_class(name, cls.scope) for name in names)
    others = (parent for parent in parents if parent is not None and parent.node is not cls.node)
    return any(_keeps_name(program, parent) for parent in others)
