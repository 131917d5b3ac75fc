"""`# cfwf: ignore[rule, rule]` at the end of a line, or `# cfwf: ignore` for every rule."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator

from cfworkflows_emulator.analysis.findings import RULES, Finding, finding
from cfworkflows_emulator.analysis.modules import Module
from cfworkflows_emulator.config.diagnostics import did_you_mean

_COMMENT = re.compile(r"#\s*cfwf:\s*ignore(?:\[(?P<rules>[^\]]*)\])?")


def apply_ignores(findings: Iterable[Finding], modules: Iterable[Module]) -> Iterator[Finding]:
    """The findings that no comment ignores, and one for each comment that ignores nothing.

    A comment counts for what begins or ends on its line.
    """
    comments = {module.shown: dict(_comments(module)) for module in modules}
    used: set[tuple[str, int]] = set()
    for each in findings:
        file = comments.get(each.location.file, {})
        lines = (each.location.line, each.last_line)
        line = next(
            (line for line in lines if line in file and (not file[line][0] or each.rule in file[line][0])), None
        )
        if line is None:
            yield each
        else:
            used.add((each.location.file, line))
    for module in modules:
        for line, (rules, column) in comments[module.shown].items():
            unknown = next((rule for rule in rules if rule not in RULES), None)
            place = ast.Constant(None, lineno=line, col_offset=column, end_lineno=line)
            if unknown is not None:
                fix = did_you_mean(unknown, RULES) or f"The rules are: {', '.join(RULES)}."
                yield finding("unused-ignore", module, place, f"There is no rule {unknown}.", fix)
            elif (module.shown, line) not in used:
                yield finding("unused-ignore", module, place, "Nothing is found here to ignore.", "Remove the comment.")


def _comments(module: Module) -> Iterator[tuple[int, tuple[list[str], int]]]:
    if "cfwf:" not in module.text or module.error is not None:
        return
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT and (match := _COMMENT.search(token.string)):
            rules = [rule.strip() for rule in (match["rules"] or "").split(",") if rule.strip()]
            line, column = token.start
            yield line, (rules, len(token.line[: column + match.start()].encode()))
