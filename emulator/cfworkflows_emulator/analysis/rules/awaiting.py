"""Steps that are not awaited, callbacks that cannot be called, and errors that are swallowed."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.cleanups import catches_cancellation
from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow, Frame
from cfworkflows_emulator.analysis.futures import is_dropped
from cfworkflows_emulator.analysis.scopes import parameters

_GROUPS = ("gather", "wait", "wait_for", "shield", "create_task", "ensure_future")


def dropped_steps(flow: Flow) -> Iterator[Finding]:
    """Steps, and helpers that call steps, whose future is dropped."""
    helpers = {step.frame.node for step in flow.steps}
    for frame in flow.frames:
        for call in frame.calls():
            if not is_dropped(frame.scope, call):
                continue
            if flow.step_of(frame, call) is not None:
                what = f"{frame.module.source(call.func)}(…) starts a step that is not awaited"
            elif (helper := frame.function(call.func)) is not None and helper.is_async and helper.node in helpers:
                what = f"{frame.module.source(call.func)}(…) calls steps and is not awaited: they never run"
            elif _is_group(frame, call) and any(flow.starts_step(frame, node) for node in ast.walk(call)):
                what = f"{frame.module.source(call.func)}(…) holds steps and is not awaited"
            else:
                continue
            yield finding(
                "not-awaited",
                frame.module,
                call,
                f"{what}. run() may end before it, and its error is not seen.",
                f"Write await {frame.module.source(call.func)}(…), or keep it and await it later.",
            )


def uncalled_steps(flow: Flow) -> Iterator[Finding]:
    """Functions below `@step.do(…)` that nothing refers to."""
    for function, step in flow.decorated.items():
        name = getattr(function, "name", "")
        loads = {node.id for node in ast.walk(step.frame.node) if isinstance(node, ast.Name) and _is_load(node)}
        needed = {each.arg for other in flow.decorated for each in parameters(other)}
        if name not in loads and step.name not in needed and name not in needed:
            yield finding(
                "never-called",
                step.frame.module,
                function,
                f"{name} is a step, and is never called. A decorated function does not run by itself.",
                f"Call it: await {name}()",
            )


def callbacks(flow: Flow) -> Iterator[Finding]:
    """Steps without a function to call."""
    for frame in flow.frames:
        for node in frame.nodes:
            for decorator in getattr(node, "decorator_list", ()):
                if isinstance(decorator, ast.Attribute) and decorator.attr == "do" and frame.is_step(decorator.value):
                    source = frame.module.source(decorator)
                    yield finding(
                        "callback", frame.module, decorator, "The decorator is not called, so that this is no step.",
                        f"Write @{source}() or @{source}(\"name\").",
                    )  # fmt: skip
    for step in flow.steps:
        if step.verb != "do" or step.function is not None or step.dynamic:
            continue
        given, module = step.callback, step.frame.module
        if given is None:
            if isinstance(module.parents.get(step.call), (ast.Await, ast.Expr)):
                yield finding(
                    "callback", module, step.call, "The step has no callback: there is nothing to run.",
                    f'Pass a function: await step.do("{step.shown_name}", lambda: …)',
                )  # fmt: skip
        elif isinstance(given, ast.Await) or (isinstance(given, ast.Call) and _gives_coroutine(step.frame, given)):
            call = given.value if isinstance(given, ast.Await) else given
            yield finding(
                "callback",
                module,
                given,
                f"{module.source(call)} is called before the step begins, and the step gets its result instead of a "
                "function: it cannot be tried again, and runs at every replay.",
                f"Pass a function: lambda: {module.source(call)}",
            )


def swallowed_errors(flow: Flow) -> Iterator[Finding]:
    """`except` clauses around steps that drop every error, or a cancellation."""
    for frame in flow.outside_steps():
        for node in frame.nodes:
            if isinstance(node, ast.Try) and _holds_step(flow, frame, node.body):
                yield from (each for handler in node.handlers for each in _swallowed(frame, handler))
            if isinstance(node, (ast.With, ast.AsyncWith)) and _holds_step(flow, frame, node.body):
                for item in node.items:
                    if isinstance(item.context_expr, ast.Call) and _suppresses(frame, item.context_expr):
                        yield _quiet(frame, item.context_expr)


def _swallowed(frame: Frame, handler: ast.ExceptHandler) -> Iterator[Finding]:
    raises = any(isinstance(node, ast.Raise) for node in ast.walk(handler))
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    if catches_cancellation(frame, handler):
        if not raises:
            yield finding(
                "swallowed-error",
                frame.module,
                handler,
                "This also catches what is no failure of the step: cancellations, as by asyncio.timeout or a "
                "TaskGroup, and sys.exit(). run() would go on.",
                "Catch Exception, or raise again at the end.",
                "error",
            )
    elif any(frame.scope.qualified(each) == "builtins.Exception" for each in caught if each is not None) and all(
        _does_nothing(each) for each in handler.body
    ):
        yield _quiet(frame, handler)


def _quiet(frame: Frame, node: ast.AST) -> Finding:
    return finding(
        "swallowed-error",
        frame.module,
        node,
        "When the step has failed for good, nothing reports it: also when it was refused for a wrong name or "
        "configuration, and when NonRetryableError was raised.",
        "Catch what you expect, such as WorkflowTimeoutError, or do something about it in the except clause.",
    )


def _does_nothing(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Pass, ast.Continue)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _suppresses(frame: Frame, call: ast.Call) -> bool:
    names = {frame.scope.qualified(argument) for argument in call.args}
    every = {"builtins.Exception", "builtins.BaseException", "asyncio.CancelledError"}
    return frame.scope.qualified(call.func) == "contextlib.suppress" and bool(names & every)


def _holds_step(flow: Flow, frame: Frame, body: list[ast.stmt]) -> bool:
    return any(flow.starts_step(frame, node) for statement in body for node in ast.walk(statement))


def _gives_coroutine(frame: Frame, call: ast.Call) -> bool:
    function = frame.function(call.func)
    return frame.scope.qualified(call.func) == "cfworkflows.fetch" or (function is not None and function.is_async)


def _is_group(frame: Frame, call: ast.Call) -> bool:
    return frame.scope.qualified(call.func) in {f"asyncio.{name}" for name in _GROUPS}


def _is_load(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)
