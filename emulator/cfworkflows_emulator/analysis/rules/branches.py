"""Concurrent branches: steps of one name in them differ only in the order of their calls, which may change."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow, Frame
from cfworkflows_emulator.analysis.loops import loops_around
from cfworkflows_emulator.analysis.rules.naming import exclusive
from cfworkflows_emulator.analysis.scopes import FunctionNode
from cfworkflows_emulator.analysis.steps import Step

_AT_A_TIME = ("asyncio.gather", "asyncio.wait", "asyncio.create_task", "asyncio.ensure_future", "asyncio.as_completed")


def names_in_branches(flow: Flow) -> Iterator[Finding]:
    """Steps with a fixed name behind a wait, in a helper that runs several times at once."""
    told: set[ast.Call] = set()
    for frame in flow.outside_steps():
        for helper in _branches(flow, frame):
            for step in _behind_a_wait(flow, helper, False, set()):
                if step.call in told:
                    continue
                told.add(step.call)
                yield finding(
                    "branch-name",
                    step.frame.module,
                    step.name_node or step.call,
                    f'Several branches come to the step "{step.name}", each after a wait of its own. Steps of one name '
                    "are told apart by the order of their calls, and here that may be another one at a replay: one "
                    "branch would get another's result.",
                    f'Give each a name of its own, such as f"{step.name} {{id}}" with what the branch is about.',
                )


def _branches(flow: Flow, frame: Frame) -> set[FunctionNode]:
    """The helpers with steps that the frame calls several times and awaits together."""
    if not any(_starts_together(frame, call) for call in frame.calls()):
        return set()
    once: set[FunctionNode] = set()
    several: set[FunctionNode] = set()
    for call in frame.calls():
        helper = flow.helper_with_steps(frame, call)
        if helper is None or isinstance(frame.module.parents.get(call), ast.Await):
            continue
        if helper in once or any(not _ends(loop.node) for loop in loops_around(frame, call)):
            several.add(helper)
        once.add(helper)
    return several


def _starts_together(frame: Frame, call: ast.Call) -> bool:
    return frame.scope.qualified(call.func) in _AT_A_TIME or getattr(call.func, "attr", "") in (
        "create_task",
        "start_soon",
    )


def _ends(loop: ast.AST) -> bool:
    """Whether a loop has no second iteration."""
    return isinstance(loop, (ast.For, ast.AsyncFor)) and isinstance(loop.body[-1], (ast.Break, ast.Return, ast.Raise))


def _behind_a_wait(flow: Flow, node: FunctionNode, waited: bool, entered: set[FunctionNode]) -> Iterator[Step]:
    """The steps with a fixed name that the function calls after it has awaited another step."""
    frame = next((each for each in flow.outside_steps() if each.node is node), None)
    if frame is None or node in entered:
        return
    entered = entered | {node}
    waiting = [each for each in frame.nodes if isinstance(each, (ast.Await, ast.AsyncWith))]
    waits = [each for each in waiting if flow.holds_step(frame, each)]
    for call in frame.calls():
        step = flow.step_of(frame, call)
        behind = waited or any(_is_before(frame, wait, call) for wait in waits) or _in_waiting_loop(frame, call, waits)
        if step is not None:
            if behind and isinstance(step.name, str):
                yield step
        elif (helper := flow.helper_with_steps(frame, call)) is not None:
            yield from _behind_a_wait(flow, helper, behind, entered)


def _is_before(frame: Frame, wait: ast.Await | ast.AsyncWith, call: ast.Call) -> bool:
    inside = any(each is call for each in ast.walk(wait))
    after = (wait.lineno, wait.col_offset) < (call.lineno, call.col_offset)
    return after and not inside and not exclusive(frame.module, wait, call)


def _in_waiting_loop(frame: Frame, call: ast.Call, waits: list[ast.Await | ast.AsyncWith]) -> bool:
    for node in frame.module.ancestors(call):
        if node is frame.node:
            break
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            inside = set(ast.walk(node))
            if not _ends(node) and any(wait in inside for wait in waits):
                return True
    return False
