"""Fields of a payload that cannot be read as attributes, because a method of dict has the name."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow, Frame
from cfworkflows_emulator.analysis.kinds.workflow import workflow_types
from cfworkflows_emulator.analysis.program import unsubscripted
from cfworkflows_emulator.analysis.scopes import Scope, parameters

_METHODS = frozenset(name for name in dir(dict) if not name.startswith("_"))
_PLAIN = ("builtins.dict", "typing.Any", "typing.Mapping", "collections.abc.Mapping", "cfworkflows.JsDict")
_TYPED_DICTS = ("typing.TypedDict", "typing_extensions.TypedDict")


def shadowed_fields(flow: Flow) -> Iterator[Finding]:
    """`event.payload.items`, where the method is not called; a payload with a type of its own may have such a field."""
    plain = _is_plain(flow)
    for frame in flow.frames:
        for node in frame.nodes:
            if not isinstance(node, ast.Attribute) or node.attr not in _METHODS or _is_method(frame, node):
                continue
            if _is_payload(frame, node.value, plain) and isinstance(node.ctx, ast.Load):
                owner = frame.module.source(node.value)
                yield finding(
                    "payload-field",
                    frame.module,
                    node,
                    f"{owner}.{node.attr} is the method that every dict has, not a field of the payload.",
                    f'Write {owner}["{node.attr}"]',
                )


def _is_method(frame: Frame, node: ast.Attribute) -> bool:
    """Whether the method itself is meant: it is called, or passed on to be called."""
    user = frame.module.parents.get(node)
    if isinstance(user, ast.keyword):
        return user.arg == "key"
    if not isinstance(user, ast.Call):
        return False
    names = ("builtins.map", "builtins.filter", "builtins.callable", "functools.partial")
    return user.func is node or frame.scope.qualified(user.func) in names


def _is_payload(frame: Frame, expression: ast.expr, plain: bool) -> bool:
    """Whether this is the payload of an event, or a part of it, and a plain dict if it is a dict."""
    match expression:
        case ast.Attribute(value=ast.Name() as event, attr="payload"):
            pass
        case ast.Subscript(value=ast.Name() as event, slice=ast.Constant(value="payload")):
            pass
        case ast.Attribute(value=inner, attr=name):
            return name not in _METHODS and _is_payload(frame, inner, plain)
        case ast.Subscript(value=inner, slice=ast.Constant()):
            return _is_payload(frame, inner, plain)
        case ast.Name():
            value = frame.scope.value_of(expression)
            return value is not None and not isinstance(value, ast.Name) and _is_payload(frame, value, plain)
        case _:
            return False
    if event.id == frame.event:
        return plain and frame.scope.stores[event.id] <= 1
    made = frame.scope.value_of(event)
    call = made.value if isinstance(made, ast.Await) else None
    step = frame.flow.step_of(frame, call) if isinstance(call, ast.Call) else None
    return step is not None and step.verb == "wait_for_event" and "returns" not in step.keywords


def _is_plain(flow: Flow) -> bool:
    """Whether the payload has no type, or that of a dict."""
    given, _ = workflow_types(flow.program, flow.workflow)
    types: list[tuple[ast.expr, Scope]] = [given] if given is not None else []
    if flow.run is not None:
        for each in parameters(flow.run.node)[1:2]:
            if isinstance(each.annotation, ast.Subscript):
                types.append((each.annotation.slice, flow.run.scope.parent or flow.run.scope))
            elif isinstance(each.annotation, ast.Constant):
                return False
    return all(_is_dict(flow, *each) for each in types)


def _is_dict(flow: Flow, annotation: ast.expr, scope: Scope) -> bool:
    kind = unsubscripted(annotation)
    if scope.qualified(kind) in _PLAIN:
        return True
    cls = flow.program.resolve_class(kind.id, scope) if isinstance(kind, ast.Name) else None
    return cls is not None and flow.program.is_a(cls, _TYPED_DICTS)
