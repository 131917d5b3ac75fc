"""Names of steps: invalid ones, and duplicates."""

import ast
from collections.abc import Iterator

from cfworkflows.errors import WorkflowFatalError
from cfworkflows.step.call import MAX_NAME_LENGTH, check_name
from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow
from cfworkflows_emulator.analysis.literals import known
from cfworkflows_emulator.analysis.modules import Module
from cfworkflows_emulator.analysis.steps import Step

_ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_BRANCHES = ("body", "orelse", "handlers", "finalbody")


def step_names(flow: Flow) -> Iterator[Finding]:
    """Names that the platform refuses."""
    for step in flow.steps:
        name = step.name
        node = step.name_node
        if node is None or not known(name):
            continue
        try:
            check_name(name)
        except WorkflowFatalError:
            if not isinstance(name, str):
                what = f"A step's name is text, and {step.frame.module.source(node)} is not."
            elif len(name) > MAX_NAME_LENGTH:
                what = f"The step's name has {len(name)} characters, and {MAX_NAME_LENGTH} are allowed."
            else:
                what = "The step's name has control characters, such as a line break."
            yield finding(
                "step-name", step.frame.module, node, what, f"Name it in at most {MAX_NAME_LENGTH} characters."
            )


def duplicate_names(flow: Flow) -> Iterator[Finding]:
    """Steps of one kind with the same name that one run may call both."""
    seen: dict[tuple[str, str], list[Step]] = {}
    for step in sorted(flow.steps, key=lambda each: (each.frame.module.name, each.call.lineno, each.call.col_offset)):
        name = step.name
        if not isinstance(name, str) or step.frame.step is not None:
            continue  # a step inside of another is counted separately
        others = seen.setdefault((step.verb, name), [])
        if any(each.call is step.call for each in others):
            continue  # a helper that is called from two places
        before = next((each for each in others if not _exclusive(each, step)), None)
        others.append(step)
        if before is not None:
            yield finding(
                "duplicate-name",
                step.frame.module,
                step.name_node or step.call,
                f'There is a step called "{name}" before, at {before.location}. They are told apart by the order of '
                f'their calls alone, as "{name}-1" and "{name}-2": when the order changes, one gets the other\'s '
                "result.",
                "Give each a name of its own.",
            )


def _exclusive(first: Step, second: Step) -> bool:
    same = first.frame.node is second.frame.node
    return same and exclusive(first.frame.module, first.call, second.call)


def exclusive(module: Module, first: ast.AST, second: ast.AST) -> bool:
    """Whether no run calls both, in one function: the branches are exclusive, or the first one is left before."""
    around = [second, *module.ancestors(second)]
    inside = first
    for node in module.ancestors(first):
        if node in around:
            below = around[around.index(node) - 1]
            if isinstance(node, ast.IfExp):
                return inside in (node.body, node.orelse) and below in (node.body, node.orelse)
            if isinstance(node, ast.If):
                return inside is not node.test and (inside in node.body) != (below in node.body)
            return isinstance(node, ast.Match) and inside is not below and isinstance(inside, ast.match_case)
        if isinstance(node, (ast.If, ast.match_case, ast.ExceptHandler)) and _ends(node, inside):
            return True
        inside = node
    return False


def _ends(node: ast.AST, inside: ast.AST) -> bool:
    """Whether the last statement of the branch of `node` that has `inside` leaves it."""
    blocks = (getattr(node, name, []) for name in _BRANCHES)
    return any(inside in block and isinstance(block[-1], _ENDS) for block in blocks)
