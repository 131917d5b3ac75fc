"""Applies all rules to a Worker."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow
from cfworkflows_emulator.analysis.ignores import apply_ignores
from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.analysis.rules import FLOW_RULES, PROGRAM_RULES
from cfworkflows_emulator.analysis.rules.coroutines import dropped_calls
from cfworkflows_emulator.analysis.rules.environment import class_names, python_flag, unmatched_events, used_bindings
from cfworkflows_emulator.analysis.rules.errors import renamed_errors
from cfworkflows_emulator.config import LoadedConfig, class_not_found


def check(program: Program, config: LoadedConfig | None = None) -> list[Finding]:
    """The findings in a Worker's code, by file and line; at most one for each place and rule.

    Without a configuration only the code itself is checked.
    """
    found: dict[tuple[str, str, int, int], Finding] = {}
    for each in apply_ignores(_all(program, config), program.sources.modules.values()):
        found.setdefault((each.location.file, each.rule, each.location.line, each.location.column), each)
    return sorted(
        found.values(), key=lambda each: (each.location.file, each.location.line, each.location.column, each.rule)
    )


def _all(program: Program, config: LoadedConfig | None) -> Iterator[Finding]:
    for module in program.sources.modules.values():
        if module.error is not None:
            error = module.error
            place = ast.Constant(None, lineno=error.lineno or 1, col_offset=max((error.offset or 1) - 1, 0))
            yield finding(
                "syntax", module, place, f"This is not valid Python: {error.msg}.", "cfwf dev could not load this file."
            )
    flows = [Flow(program, workflow) for workflow in program.workflows()]
    for flow in flows:
        for rule in FLOW_RULES:
            yield from rule(flow)
    for of_program in PROGRAM_RULES:
        yield from of_program(program)
    yield from dropped_calls(program, config)
    yield from renamed_errors(program, flows)
    if config is None:
        return
    yield from python_flag(config)
    yield from used_bindings(program, config)
    yield from unmatched_events(program, flows, config)
    if program.main.error is None:
        for problem in class_not_found(config, class_names(program, config)):
            if problem.location is not None:
                yield Finding(
                    "missing-class",
                    "error",
                    problem.location,
                    problem.message,
                    problem.suggestion or "",
                    problem.location.line,
                )
