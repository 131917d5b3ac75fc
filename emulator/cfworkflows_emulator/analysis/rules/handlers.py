"""Handlers of the Worker's entrypoints whose signatures the platform's arguments do not fit."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.program import WORKER, Class, Function, Program
from cfworkflows_emulator.analysis.scopes import FunctionNode, parameters
from cfworkflows_emulator.config.diagnostics import Severity
from cfworkflows_emulator.handlers import EVENTS, FETCH, Arity, Event, Fault, fault, misplaced

_OF_METHODS = ("builtins.staticmethod", "builtins.classmethod")


def handler_arguments(program: Program) -> Iterator[Finding]:
    """Handlers that can never be called, or take one argument for another.

    Decorated handlers are skipped: their signature is not known.
    """
    for event, name, function, is_bound in _handlers(program):
        arity = _arity(function.node, is_bound)
        never = fault(event, name, arity)
        found = never or misplaced(event, name, _by_position(function.node)[is_bound:], arity.first)
        if found is not None:
            where = _blamed(function, found)
            severity: Severity = "error" if never is not None else "warning"
            yield finding("handler-arguments", function.scope.module, where, found.why, found.fix, severity)


def _handlers(program: Program) -> Iterator[tuple[Event, str, Function, bool]]:
    """The handlers that the main module exports, with their names, and whether they are called with `self` or `cls`."""
    scope = program.scopes[program.main.name]
    listed = program.constant(ast.Name(id="__all__", ctx=ast.Load()), scope)
    for name, cls in program.exported().items():
        if name not in listed if isinstance(listed, (list, tuple)) else name.startswith("_"):
            continue
        if cls is not None and program.is_a(cls, (WORKER,)):
            for event in EVENTS.values() if name == "Default" else (FETCH,):
                function = None if _is_assigned(cls, event.name) else program.method(cls, event.name)
                if function is not None and (bound := _is_bound(function)) is not None:
                    yield event, event.name, function, bound
        elif name.startswith("on_") and (known := EVENTS.get(name.removeprefix("on_"))) is not None:
            function = program.function(ast.Name(id=name, ctx=ast.Load()), scope)
            if function is not None and not getattr(function.node, "decorator_list", []):
                yield known, name, function, False


def _blamed(function: Function, found: Fault) -> ast.AST:
    """The parameter at fault, or the first line of the function."""
    node = function.node
    start = ast.Constant(None, lineno=node.lineno, col_offset=node.col_offset)
    return next((each for each in parameters(node) if each.arg == found.parameter), start)


def _is_assigned(cls: Class, name: str) -> bool:
    """Whether the class has something other than a method by that name."""
    assigned = (each for each in cls.node.body if isinstance(each, (ast.Assign, ast.AnnAssign)))
    targets = (
        target for each in assigned for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
    )
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _is_bound(method: Function) -> bool | None:
    """Whether it is called with an object or a class; None if a decorator changes that."""
    decorators = [method.scope.qualified(each) for each in getattr(method.node, "decorator_list", [])]
    if any(each not in _OF_METHODS for each in decorators):
        return None
    return "builtins.staticmethod" not in decorators


def _by_position(node: FunctionNode) -> list[str]:
    return [each.arg for each in (*node.args.posonlyargs, *node.args.args)]


def _arity(node: FunctionNode, is_bound: bool) -> Arity:
    given = node.args
    keyword_only = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return Arity.of(
        _by_position(node),
        len(given.defaults),
        (each.arg for each, default in keyword_only if default is None),
        takes_any=given.vararg is not None,
        is_bound=is_bound,
    )
