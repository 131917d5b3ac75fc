"""Code that depends on an order that is not fixed: of sets, and of what ends first."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow, Frame
from cfworkflows_emulator.analysis.loops import Loop, is_set, loops_around, loops_of

_ANY_ORDER = ("sorted", "set", "frozenset", "sum", "min", "max", "any", "all", "len")
_KEEPS_ORDER = ("append", "extend", "insert", "appendleft")
_TIMEOUTS = (
    "asyncio.timeout", "asyncio.timeout_at", "async_timeout.timeout", "anyio.fail_after", "anyio.move_on_after",
)  # fmt: skip
_LIMITED = ("asyncio.wait_for", "asyncio.wait")


def unordered_steps(flow: Flow) -> Iterator[Finding]:
    """Steps in a loop over a set, and the results of steps in the order of a set."""
    loops: set[ast.AST] = set()
    for step in flow.steps:
        for loop in loops_around(step.frame, step.call):
            if loop.iterable not in loops and is_set(step.frame, loop.iterable):
                loops.add(loop.iterable)
                yield finding(
                    "unordered-steps",
                    step.frame.module,
                    loop.iterable,
                    "The loop iterates over a set, whose order differs in the next process: steps of one name "
                    "would get each other's results.",
                    "Sort it: for … in sorted(…)",
                )
    for frame in flow.outside_steps():
        for call in frame.calls():
            if frame.scope.qualified(call.func) != "asyncio.gather":
                continue
            for argument in call.args:
                starred = isinstance(argument, ast.Starred) and is_set(frame, argument.value)
                if starred and _has_steps(flow, frame, argument):
                    yield finding(
                        "unordered-steps",
                        frame.module,
                        argument,
                        "The steps are gathered from a set, whose order differs in the next process: so does that "
                        "of their results.",
                        "Gather them from a list.",
                    )


def ended_in_any_order(flow: Flow) -> Iterator[Finding]:
    """Loops over the sets that `asyncio.wait` returns, where the order makes a difference."""
    for frame in flow.outside_steps():
        waited = _waited(frame)
        for node in frame.nodes if waited else ():
            for loop in loops_of(node):
                if not isinstance(loop.iterable, ast.Name) or loop.iterable.id not in waited:
                    continue
                if _keeps_order(flow, frame, loop):
                    yield finding(
                        "unordered-steps",
                        frame.module,
                        loop.iterable,
                        f"{loop.iterable.id} is a set: its order differs at every replay, and so does that of "
                        "what is made of it here.",
                        "Iterate over the list passed to asyncio.wait, or use asyncio.gather, which keeps the order "
                        "of the calls.",
                    )


def races(flow: Flow) -> Iterator[Finding]:
    """Code of `run()` that takes the first of several to end."""
    for frame in flow.outside_steps():
        for call in frame.calls():
            name = frame.scope.qualified(call.func)
            if (name == "asyncio.wait" and _is_first(frame, call)) or name == "asyncio.as_completed":
                yield finding(
                    "race",
                    frame.module,
                    call,
                    f"{name}() outside of a step goes on with what ends first. At a replay all that ended is there at "
                    "once, and another one may be the first.",
                    "If it is an event against a time, give step.wait_for_event that timeout. Steps that all have to "
                    "end go into asyncio.gather; a race of other work belongs in the callback of a step, so that its "
                    "outcome is kept.",
                )


def plain_timeouts(flow: Flow) -> Iterator[Finding]:
    """Timeouts of asyncio around steps, in `run()`."""
    for frame in flow.outside_steps():
        for call, timeout, inside in _timeouts(frame):
            if frame.constant(timeout) is not None and _has_steps(flow, frame, *inside):
                yield finding(
                    "plain-timeout",
                    frame.module,
                    call,
                    f"{frame.scope.qualified(call.func)}() limits a step, and its time is not stored: after a restart "
                    "it begins anew, and at a replay the step that came too late has its result at once. The step "
                    "itself continues.",
                    'Limit the step: step.do("…", {"timeout": "30 seconds"}, …), or the timeout of '
                    "step.wait_for_event.",
                )


def _timeouts(frame: Frame) -> Iterator[tuple[ast.Call, ast.expr, list[ast.AST]]]:
    """The calls that set a timeout, with the timeout and what it limits."""
    for node in frame.nodes:
        if isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and call.args and frame.scope.qualified(call.func) in _TIMEOUTS:
                    yield call, call.args[0], [*node.body]
        elif isinstance(node, ast.Call) and (name := frame.scope.qualified(node.func)) in _LIMITED:
            limits = [each.value for each in node.keywords if each.arg == "timeout"]
            limits += node.args[1:2] if name == "asyncio.wait_for" else []
            if limits:
                yield node, limits[0], [*node.args[:1]]


def _is_first(frame: Frame, call: ast.Call) -> bool:
    return any(
        each.arg == "return_when" and frame.scope.qualified(each.value) != "asyncio.ALL_COMPLETED"
        for each in call.keywords
    )


def _waited(frame: Frame) -> set[str]:
    """The variables that only hold results of `asyncio.wait`, where it does not return with the first."""
    found: list[str] = []
    for node in frame.nodes:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Await(value=ast.Call() as call)):
                if frame.scope.qualified(call.func) == "asyncio.wait" and not _is_first(frame, call):
                    found += [each.id for each in parts if isinstance(each, ast.Name)]
    return {name for name in found if frame.scope.stores[name] == found.count(name)}


def _keeps_order(flow: Flow, frame: Frame, loop: Loop) -> bool:
    """Whether a loop uses its items in a way that depends on their order."""
    match loop.node:
        case ast.For() | ast.AsyncFor():
            return flow.holds_step(frame, *loop.node.body) or any(
                _adds_in_order(frame, each) for statement in loop.node.body for each in ast.walk(statement)
            )
        case ast.ListComp():
            user = frame.module.parents.get(loop.node)
            name = frame.scope.qualified(user.func) if isinstance(user, ast.Call) else None
            return name not in {f"builtins.{each}" for each in _ANY_ORDER}
    return False


def _adds_in_order(frame: Frame, node: ast.AST) -> bool:
    """Whether this adds to a list that is not sorted afterwards."""
    match node:
        case ast.Call(func=ast.Attribute(value=target, attr=method)) if method in _KEEPS_ORDER:
            written = ast.unparse(target)
        case _:
            return False
    for call in frame.calls():
        sorts = frame.scope.qualified(call.func) in ("builtins.sorted", "builtins.set", "builtins.sum")
        if sorts and call.args and ast.unparse(call.args[0]) == written:
            return False
        if (
            isinstance(call.func, ast.Attribute)
            and call.func.attr == "sort"
            and ast.unparse(call.func.value) == written
        ):
            return False
    return True


def _has_steps(flow: Flow, frame: Frame, *nodes: ast.AST) -> bool:
    """Whether `nodes` start steps, or read a variable whose assignment does."""
    names = (each for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name))
    values = (value for each in names if (value := frame.scope.value_of(each)) is not None)
    return flow.holds_step(frame, *nodes, *values)
