"""Cleanup code: `finally`, and `except` clauses that catch a cancellation."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.flow import Flow, Frame

CANCELLATIONS = ("builtins.BaseException", "asyncio.CancelledError", "builtins.GeneratorExit")


def catches_cancellation(frame: Frame, handler: ast.ExceptHandler) -> bool:
    """Whether an `except` clause also catches a cancellation."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or frame.scope.qualified(each) in CANCELLATIONS for each in caught)


def cleanups(flow: Flow, frame: Frame) -> Iterator[ast.stmt]:
    """The statements of the frame that run when the await of a step in it is cancelled."""
    for node in frame.nodes:
        if isinstance(node, ast.Try) and flow.holds_step(frame, *node.body):
            yield from node.finalbody
            for handler in node.handlers:
                if catches_cancellation(frame, handler):
                    yield from handler.body


def is_in_cleanup(flow: Flow, frame: Frame, node: ast.AST) -> bool:
    around = set(frame.module.ancestors(node))
    return any(statement in around for statement in cleanups(flow, frame))
