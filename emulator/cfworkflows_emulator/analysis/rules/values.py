"""Results of steps, and of `run()`, that cannot be stored."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase

from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow, Frame
from cfworkflows_emulator.analysis.scopes import FunctionNode

_KINDS = {
    "threading.*Lock": "a lock",
    "threading.Event": "an event of a thread",
    "threading.Thread": "a thread",
    "asyncio.Lock": "a lock",
    "asyncio.Event": "an event of asyncio",
    "asyncio.Queue": "a queue",
    "asyncio.create_task": "a task",
    "builtins.open": "an open file",
    "io.open": "an open file",
    "pathlib.Path().open": "an open file",
    "socket.socket": "a socket",
    "sqlite3.connect": "a connection",
    "cfworkflows.Response": "a Response",
    "cfworkflows.Response.*": "a Response",
    "cfworkflows.Request": "a Request",
    "cfworkflows.fetch": "a Response",
    "requests.get": "a response",
    "requests.post": "a response",
    "httpx.get": "a response",
    "httpx.post": "a response",
    "builtins.iter": "an iterator",
    "builtins.map": "an iterator",
    "builtins.filter": "an iterator",
    "builtins.zip": "an iterator",
    "builtins.enumerate": "an iterator",
    "builtins.reversed": "an iterator",
}
_ADVICE = {
    "an open file": "Return what it reads.",
    "a Response": "Return what you need of it, such as (await response.json()) or response.status.",
    "a response": "Return what you need of it, such as response.json() or response.status_code.",
    "a function": "Was it meant to be called?",
    "a generator": "Return a list.",
    "an iterator": "Return a list.",
}


def unstorable_results(flow: Flow) -> Iterator[Finding]:
    """What callbacks and `run()` return, where it is literal in the source."""
    callbacks = {step.function for step in flow.steps if step.function is not None}
    for step in flow.steps:
        if step.callback is not None and (called := step.frame.function(step.callback)) is not None:
            callbacks.add(called.node)  # type: ignore[arg-type]
    for frame in flow.frames:
        is_run = flow.run is not None and frame.node is flow.run.node
        if frame.node not in callbacks and not is_run:
            continue
        for returned in _returned(frame.node, frame):
            for node, what in _unstorable(frame, returned):
                whose = "run()" if is_run else "The step"
                yield finding(
                    "unstorable",
                    frame.module,
                    node,
                    f"{whose} returns {what}, which cannot be stored.",
                    _ADVICE.get(what, "Return plain data, a dataclass or a pydantic model."),
                )


def _returned(function: FunctionNode, frame: Frame) -> Iterator[ast.expr]:
    if isinstance(function, ast.Lambda):
        yield function.body
        return
    for node in frame.nodes:
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value


def _unstorable(frame: Frame, node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    match node:
        case ast.Lambda():
            yield node, "a function"
        case ast.GeneratorExp():
            yield node, "a generator"
        case ast.Await(value=value):
            yield from _unstorable(frame, value) if isinstance(value, ast.Call) else ()
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            for item in items:
                yield from _unstorable(frame, item)
        case ast.Dict(values=values):
            for item in values:
                yield from _unstorable(frame, item)
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_unstorable(frame, body), *_unstorable(frame, orelse))
        case ast.Name(id=name):
            found = frame.scope.lookup(name)
            if found is not None and isinstance(found[0], (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node, "a function"
            elif (values := frame.scope.assigned.get(name, [])) and len(values) == 1:
                yield from ((node, what) for _, what in _unstorable_call(frame, values[0]))
        case ast.Call():
            yield from _unstorable_call(frame, node)


def _unstorable_call(frame: Frame, node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    value = node.value if isinstance(node, ast.Await) else node
    if not isinstance(value, ast.Call):
        return
    name = frame.scope.qualified(value.func)
    what = next((kind for pattern, kind in _KINDS.items() if name is not None and fnmatchcase(name, pattern)), None)
    if what is not None:
        yield node, what
