"""The graph of a workflow, in the shape of Cloudflare's REST API (`GET …/versions/{id}/graph`)."""

import ast
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from cfworkflows.errors import WorkflowFatalError
from cfworkflows.step.arguments import DEFAULT_EVENT_TIMEOUT
from cfworkflows.step.config import resolve
from cfworkflows_emulator.analysis.flow import Flow, Frame
from cfworkflows_emulator.analysis.kinds.workflow import workflow_types
from cfworkflows_emulator.analysis.literals import Unknown, known
from cfworkflows_emulator.analysis.modules import Sources
from cfworkflows_emulator.analysis.program import Class, Program
from cfworkflows_emulator.analysis.scopes import FunctionNode
from cfworkflows_emulator.analysis.steps import Step

VERSION = 1

Node = dict[str, Any]


def graph(source: Path | Sources | Program, class_name: str) -> dict[str, Any]:
    """`{"version", "workflow": {"class_name", "payload", "functions", "nodes"}}` of a Workflow class.

    `source` is the Worker's main file. Nodes are steps (`step_do`, `step_sleep`, `step_sleep_until`,
    `step_wait_for_event`), what is around them (`loop`, `parallel`, `if`, `switch`, `try`), `function_call` for a
    helper that has steps, whose nodes are in `functions`, and `break`. What has no steps is left out.

    Raises LookupError if there is no such class, and OSError if a file cannot be read.
    """
    program = source if isinstance(source, Program) else Program(source)
    flow = Flow(program, program.find(class_name))
    drawing = _Drawing(flow)
    nodes = drawing.body(flow.run.node) if flow.run is not None else []
    workflow = {
        "class_name": class_name,
        "payload": _payload(program, flow.workflow),
        "functions": drawing.functions,
        "nodes": nodes,
    }
    return {"version": VERSION, "workflow": workflow}


class _Drawing:
    def __init__(self, flow: Flow) -> None:
        self.functions: dict[str, Node] = {}
        self._steps = {step.call: step for step in flow.steps if step.function is None}
        self._decorated = flow.decorated
        self._frames = {frame.node: frame for frame in flow.frames}
        self._loops = 0
        self._open: list[FunctionNode] = []

    def body(self, function: FunctionNode) -> list[Node]:
        """The nodes of an executed function."""
        frame = self._frames[function]
        if function in self._open:
            return []  # it calls itself
        self._open.append(function)
        loops, self._loops = self._loops, 0
        if isinstance(function, ast.Lambda):
            nodes = list(self._expression(frame, function.body))
        else:
            nodes = self._block(frame, function.body)
        self._open.pop()
        self._loops = loops
        return nodes

    def _block(self, frame: Frame, statements: Sequence[ast.stmt]) -> list[Node]:
        return [node for statement in statements for node in self._statement(frame, statement)]

    def _statement(self, frame: Frame, statement: ast.stmt) -> Iterator[Node]:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return
            case ast.For(iter=iterable) | ast.AsyncFor(iter=iterable):
                yield from self._expression(frame, iterable)
                yield from self._loop(frame, statement.body)
                yield from self._block(frame, statement.orelse)
            case ast.While(test=test, body=body, orelse=otherwise):
                yield from self._expression(frame, test)
                yield from self._loop(frame, body)
                yield from self._block(frame, otherwise)
            case ast.If():
                yield from self._if(frame, statement)
            case ast.Match(subject=subject, cases=cases):
                yield from self._expression(frame, subject)
                branches = [
                    _branch(
                        None if _is_rest(case) else frame.module.source(case.pattern), self._block(frame, case.body)
                    )
                    for case in cases
                ]
                if any(branch["nodes"] for branch in branches):
                    yield {"type": "switch", "discriminant": frame.module.source(subject), "branches": branches}
            case ast.Try() | ast.TryStar():
                yield from self._try(frame, statement)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    yield from self._expression(frame, item.context_expr)
                nodes = self._block(frame, body)
                if any(_called(frame, item.context_expr) == "asyncio.TaskGroup" for item in items):
                    yield from _parallel("all", nodes)
                else:
                    yield from nodes
            case ast.Break():
                yield {"type": "break", "kind": "break"}
            case _:
                yield from self._expression(frame, statement)
                if isinstance(statement, ast.Return) and self._loops:
                    yield {"type": "break", "kind": "return"}

    def _loop(self, frame: Frame, body: Sequence[ast.stmt]) -> Iterator[Node]:
        self._loops += 1
        nodes = self._block(frame, body)
        self._loops -= 1
        if _has_steps(nodes):
            yield {"type": "loop", "nodes": nodes}

    def _if(self, frame: Frame, statement: ast.If) -> Iterator[Node]:
        branches: list[Node] = []
        rest: list[ast.stmt] = [statement]
        while len(rest) == 1 and isinstance(rest[0], ast.If):
            inner = rest[0]
            yield from self._expression(frame, inner.test)
            branches.append(_branch(frame.module.source(inner.test), self._block(frame, inner.body)))
            rest = inner.orelse
        if rest:
            branches.append(_branch(None, self._block(frame, rest)))
        if any(branch["nodes"] for branch in branches):
            yield {"type": "if", "branches": branches}

    def _try(self, frame: Frame, statement: ast.Try | ast.TryStar) -> Iterator[Node]:
        tried = [*self._block(frame, statement.body), *self._block(frame, statement.orelse)]
        handlers = [
            _branch(frame.module.source(each.type) if each.type is not None else None, self._block(frame, each.body))
            for each in statement.handlers
        ]
        caught: list[Node] = handlers[0]["nodes"] if len(handlers) == 1 else []
        if len(handlers) > 1 and any(branch["nodes"] for branch in handlers):
            caught = [{"type": "if", "branches": handlers}]
        last = self._block(frame, statement.finalbody)
        if tried or caught or last:
            blocks = {"try_block": tried, "catch_block": caught, "finally_block": last}
            yield {"type": "try", **{name: _nodes("block", nodes) if nodes else None for name, nodes in blocks.items()}}

    def _expression(self, frame: Frame, node: ast.AST) -> Iterator[Node]:
        match node:
            case ast.Lambda():
                return
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                yield from self._expression(frame, test)
                branches = [
                    _branch(frame.module.source(test), list(self._expression(frame, body))),
                    _branch(None, list(self._expression(frame, otherwise))),
                ]
                if any(branch["nodes"] for branch in branches):
                    yield {"type": "if", "branches": branches}
            case ast.Call():
                yield from self._call(frame, node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                nodes = [each for child in ast.iter_child_nodes(node) for each in self._expression(frame, child)]
                if nodes:
                    yield _nodes("loop", nodes)
            case _:
                for child in ast.iter_child_nodes(node):
                    yield from self._expression(frame, child)

    def _call(self, frame: Frame, call: ast.Call) -> Iterator[Node]:
        inside = [each for child in ast.iter_child_nodes(call) for each in self._expression(frame, child)]
        kind = _parallel_kind(frame, call)
        yield from _parallel(kind, inside) if kind is not None else inside
        step = self._steps.get(call)
        function = frame.function(call.func) if step is None else None
        if step is None and function is not None:
            step = self._decorated.get(function.node)
        if step is not None:
            yield self._step(step)
        elif function is not None and function.node in self._frames:
            name = getattr(function.node, "name", "lambda")
            if name not in self.functions:
                self.functions[name] = {"type": "function_def", "name": name, "nodes": []}
                self.functions[name]["nodes"] = self.body(function.node)
                if not self.functions[name]["nodes"]:
                    del self.functions[name]
            if name in self.functions:
                yield {"type": "function_call", "name": name}

    def _step(self, step: Step) -> Node:
        name = step.shown_name
        match step.verb:
            case "sleep":
                return {"type": "step_sleep", "name": name, "duration": _duration(step, step.duration)}
            case "sleep_until":
                source = step.frame.module.source(step.duration) if step.duration is not None else "…"
                return {"type": "step_sleep_until", "name": name, "timestamp": source}
            case "wait_for_event":
                event = step.event
                kind = step.frame.constant(event.get("type"))
                shown = kind if isinstance(kind, str) else _source(step, event.get("type"))
                timeout = _duration(step, event["timeout"]) if "timeout" in event else DEFAULT_EVENT_TIMEOUT
                return {
                    "type": "step_wait_for_event",
                    "name": name,
                    "options": {"event_type": shown, "timeout": timeout},
                    "payload": {"type": "unknown"},
                }
        callback: FunctionNode | None = step.function
        if callback is None and step.callback is not None:
            function = step.frame.function(step.callback)
            callback = function.node if function is not None else None
        nodes = self.body(callback) if callback is not None and callback in self._frames else []
        return {"type": "step_do", "name": name, "config": _config(step), "nodes": nodes}


def _nodes(type: str, nodes: list[Node]) -> Node:
    return {"type": type, "nodes": nodes}


def _branch(condition: str | None, nodes: list[Node]) -> Node:
    return {"condition": condition, "nodes": nodes}


def _parallel(kind: str, nodes: list[Node]) -> Iterator[Node]:
    if nodes:
        yield {"type": "parallel", "kind": kind, "nodes": nodes}


def _has_steps(nodes: list[Node]) -> bool:
    return any(_is_or_holds_step(node) for node in nodes)


def _is_or_holds_step(node: Node) -> bool:
    if str(node["type"]).startswith("step_") or node["type"] == "function_call":
        return True
    inner = [*node.get("nodes", ()), *(each for branch in node.get("branches", ()) for each in branch["nodes"])]
    blocks = (node.get(name) or {} for name in ("try_block", "catch_block", "finally_block"))
    return _has_steps([*inner, *(each for block in blocks for each in block.get("nodes", ()))])


def _is_rest(case: ast.match_case) -> bool:
    return isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None


def _called(frame: Frame, node: ast.expr) -> str | None:
    return frame.scope.qualified(node.func) if isinstance(node, ast.Call) else None


def _parallel_kind(frame: Frame, call: ast.Call) -> str | None:
    keywords = {each.arg: each.value for each in call.keywords}
    match frame.scope.qualified(call.func):
        case "asyncio.gather":
            settled = frame.constant(keywords.get("return_exceptions")) is True
            return "all_settled" if settled else "all"
        case "asyncio.wait":
            first = frame.scope.qualified(keywords["return_when"]) if "return_when" in keywords else None
            return "all_settled" if first in (None, "asyncio.ALL_COMPLETED") else "race"
        case "asyncio.as_completed":
            return "race"
    return None


def _source(step: Step, node: ast.expr | None) -> str:
    return f"{{{step.frame.module.source(node)}}}" if node is not None else ""


def _duration(step: Step, node: ast.expr | None) -> str | int | float:
    value = step.frame.constant(node)
    if isinstance(value, timedelta):
        return value / timedelta(milliseconds=1)
    return value if isinstance(value, (str, int, float)) else _source(step, node)


def _config(step: Step) -> Node:
    """The configuration with its defaults; an unknown delay is `[dynamic]`, like that of a delay function."""
    given = step.config
    values: Any = (
        {key: step.frame.constant(value) for key, value in given.items()}
        if isinstance(given, dict)
        else step.frame.constant(given)
    )
    options = {key: value for key, value in values.items() if known(value)} if isinstance(values, dict) else {}
    retries = values.get("retries") if isinstance(values, dict) else None
    if isinstance(retries, dict) and not isinstance(retries.get("limit"), Unknown):
        options["retries"] = {key: value for key, value in retries.items() if known(value)}
        options["retries"].setdefault("delay", lambda _: 0)
    try:
        resolved = resolve(step.shown_name, options).as_dict()
    except WorkflowFatalError:  # cfwf check reports it
        resolved = resolve(step.shown_name, None).as_dict()
    return {key: resolved[key] for key in ("retries", "timeout")}


def _payload(program: Program, workflow: Class) -> Node:
    """The fields of the Params, if they are a class of the Worker."""
    params, _ = workflow_types(program, workflow)
    if params is None or not isinstance(params[0], ast.Name):
        return {"type": "unknown"}
    cls = program.resolve_class(params[0].id, params[1])
    fields = [
        node.target.id
        for node in (cls.node.body if cls is not None else ())
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    return (
        {"type": "object", "fields": {name: {"type": "unknown"} for name in fields}} if fields else {"type": "unknown"}
    )
