"""State that a replay does not have: variables set in callbacks, a changed event, a loop that has moved on."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow, Frame
from cfworkflows_emulator.analysis.loops import loops_around
from cfworkflows_emulator.analysis.scopes import FunctionNode, parameters

_CHANGES = frozenset(
    {
        "append", "extend", "insert", "add", "update", "setdefault", "discard", "remove", "clear", "pop", "popitem",
        "appendleft", "extendleft", "sort", "reverse", "difference_update", "intersection_update",
        "symmetric_difference_update",
    }
)  # fmt: skip


def state_in_steps(flow: Flow) -> Iterator[Finding]:
    """Callbacks that set a variable of `run()`, or of `self`, which is read outside of them."""
    for frame in flow.in_steps():
        for node, target in _changed(frame):
            name = _outer_variable(frame, target)
            if name is not None and _read_elsewhere(flow, frame, target, name):
                yield finding(
                    "state-in-step",
                    frame.module,
                    node,
                    f"The callback of a step changes {name}, which is read outside of it. A replay does not call the "
                    f"callback of a finished step again, so {name} is then without it.",
                    f"Return the value, and set {name} from what the step gives: {name} = await step.do(…)",
                )


def event_mutations(flow: Flow) -> Iterator[Finding]:
    """Assignments to parts of the event."""
    for frame in flow.frames:
        for node, target in _changed(frame):
            root = _root(target)
            if root is not target and isinstance(root, ast.Name) and root.id == frame.event is not None:
                yield finding(
                    "event-mutation",
                    frame.module,
                    node,
                    "This changes the event. It is not stored: every replay begins with the event as it was created.",
                    "Keep the value in a variable of its own, or return it from a step.",
                )


def loop_variables(flow: Flow) -> Iterator[Finding]:
    """Callbacks that read the variable of a loop around the step after the loop has continued."""
    for step in flow.steps:
        frame = step.frame
        awaited = isinstance(frame.module.parents.get(step.call), ast.Await)
        # A rollback runs long after the loop; a callback that is awaited at once runs within its iteration.
        given = [(step.rollback, False), (None if awaited or step.function else step.callback, True)]
        for expression, is_callback in given:
            callback = frame.function(expression) if expression is not None else None
            if callback is None or expression is None or not callback.scope.is_within(frame.scope):
                continue
            for name in sorted(_loop_names(frame, step.call) & _free_names(callback.node)):
                inner = "callback" if is_callback else "rollback"
                yield finding(
                    "loop-variable",
                    frame.module,
                    expression,
                    f"The {inner} reads {name} when it runs, and by then the loop has moved on: several steps get the "
                    f"same {name}.",
                    f"Bind it: {_bound(expression, name, is_callback)}",
                )


def module_counters(flow: Flow) -> Iterator[Finding]:
    """Counters of a module, or of a class, that `run()` increments and reads."""
    for frame in flow.outside_steps():
        for node in frame.nodes:
            match node:
                case ast.AugAssign(target=target) if (name := _of_module(flow, frame, target)) is not None:
                    if not _is_read(flow, target):
                        continue
                case ast.Call(func=function, args=[ast.Name() as counter]) if _counts(flow, frame, function, counter):
                    name = counter.id
                case _:
                    continue
            yield finding(
                "module-counter",
                frame.module,
                node,
                f"{name} belongs to the whole process: it keeps counting at every replay, for every instance, and "
                "begins anew after a restart.",
                "Count in a variable of run(), or in what a step returns.",
            )


def _of_module(flow: Flow, frame: Frame, target: ast.expr) -> str | None:
    """The name of the variable or the class of a module that `target` is, or is a part of."""
    root = _root(target)
    if not isinstance(root, ast.Name):
        return None
    found = frame.scope.lookup(root.id)
    if found is None or found[1].node is not None or isinstance(found[0], str):
        return None
    return frame.module.source(target)


def _counts(flow: Flow, frame: Frame, function: ast.expr, counter: ast.Name) -> bool:
    """Whether `next` is called with the `itertools.count` of a module, and its result is used."""
    found = frame.scope.lookup(counter.id)
    if frame.scope.qualified(function) != "builtins.next" or found is None or found[1].node is not None:
        return False
    value = frame.scope.value_of(counter)
    return isinstance(value, ast.Call) and frame.scope.qualified(value.func) == "itertools.count"


def _is_read(flow: Flow, target: ast.expr) -> bool:
    """Whether code outside of steps reads `target`, other than to change it."""
    written = ast.unparse(target)
    for frame in flow.outside_steps():
        for node in frame.nodes:
            is_read = isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", None), ast.Load)
            if is_read and isinstance(node, type(target)) and ast.unparse(node) == written:
                return True
    return False


def _changed(frame: Frame) -> Iterator[tuple[ast.AST, ast.expr]]:
    """The places where a value is changed, with the expression of the value."""
    for node in frame.nodes:
        match node:
            case ast.Assign(targets=targets):
                yield from ((node, part) for target in targets for part in _parts(target))
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target, value=ast.expr()):
                yield node, target
            case ast.Delete(targets=targets):
                yield from ((node, target) for target in targets)
            case ast.Call(func=ast.Attribute(value=value, attr=attribute)) if attribute in _CHANGES:
                # A call whose result is used is not taken for a change.
                if isinstance(frame.module.parents.get(node), (ast.Expr, ast.Lambda)):
                    yield node, ast.Attribute(value=value, attr=attribute, ctx=ast.Load())


def _parts(target: ast.expr) -> list[ast.expr]:
    return list(target.elts) if isinstance(target, (ast.Tuple, ast.List)) else [target]


def _root(expression: ast.expr) -> ast.expr:
    while isinstance(expression, (ast.Attribute, ast.Subscript)):
        expression = expression.value
    return expression


def _outer_variable(frame: Frame, target: ast.expr) -> str | None:
    """The variable of a function around the callback, or of `self`, that a change of `target` changes."""
    root = _root(target)
    if not isinstance(root, ast.Name):
        return None
    if isinstance(target, (ast.Attribute, ast.Subscript)) and frame.scope.is_self(root):
        attribute: ast.expr = target
        while isinstance(attribute, (ast.Attribute, ast.Subscript)) and attribute.value is not root:
            attribute = attribute.value
        own = isinstance(attribute, ast.Attribute) and attribute.attr not in ("env", "ctx", *_CHANGES)
        return f"{root.id}.{attribute.attr}" if own and isinstance(attribute, ast.Attribute) else None
    found = frame.scope.lookup(root.id)
    if found is None or found[0] is not None or found[1].node is None or found[1] is frame.scope:
        return None
    # An argument belongs to the caller of the outer function, and the event has a rule of its own.
    return root.id if root.id in found[1].assigned and root.id != frame.event else None


def _read_elsewhere(flow: Flow, frame: Frame, target: ast.expr, name: str) -> bool:
    inside = set(ast.walk(frame.node))
    owner, _, attribute = name.rpartition(".")
    for other in flow.outside_steps():
        for node in other.nodes:
            if node in inside:
                continue
            match node:
                case ast.Attribute(value=ast.Name(), attr=read, ctx=ast.Load()) if owner and read == attribute:
                    return True
                case ast.Name(id=read, ctx=ast.Load()) if not owner and read == name:
                    if frame.scope.is_within(other.scope):
                        return True
    return False


def _loop_names(frame: Frame, call: ast.Call) -> set[str]:
    """The variables of the loops and comprehensions around a call, in its function."""
    targets = (each for loop in loops_around(frame, call) for each in ast.walk(loop.target))
    return {each.id for each in targets if isinstance(each, ast.Name)}


def _free_names(function: FunctionNode) -> set[str]:
    own = {parameter.arg for parameter in parameters(function)}
    body = function.body if isinstance(function.body, list) else [function.body]
    names = [node for part in body for node in ast.walk(part) if isinstance(node, ast.Name)]
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return {node.id for node in names} - own - stored


def _bound(expression: ast.expr, name: str, is_callback: bool) -> str:
    if not isinstance(expression, ast.Lambda):
        return f"functools.partial({ast.unparse(expression)}, {name}={name}), with {name} as a parameter"
    given = ", ".join(parameter.arg for parameter in parameters(expression)) if not is_callback else ""
    return f"lambda {given}{', ' if given else ''}{name}={name}: …"
