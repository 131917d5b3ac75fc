"""What is wrong in a Worker's code, and the table of rules."""

import ast
from dataclasses import dataclass
from typing import Any

from cfworkflows_emulator.analysis.modules import Module
from cfworkflows_emulator.config.diagnostics import Location, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: what it is about, in one line, and how bad it is to break it."""

    severity: Severity
    summary: str


RULES: dict[str, Rule] = {
    "syntax": Rule("error", "A file that is not valid Python."),
    "side-effect": Rule("error", "Requests, bindings and files outside of a step: done again at every replay."),
    "nondeterminism": Rule("error", "Time, randomness and ids outside of a step: different at every replay."),
    "step-name": Rule("error", "Names that are too long, no text, or different at every replay."),
    "duplicate-name": Rule("warning", "Two steps of one name on one path."),
    "not-awaited": Rule("error", "A step or a call of a binding that is not awaited."),
    "never-called": Rule("warning", "A decorated step that is neither called nor depended on."),
    "callback": Rule("error", "A step without a callback, or with the result of a call in its place."),
    "swallowed-error": Rule("warning", "Errors of steps that disappear, and cancellations with them."),
    "cleanup": Rule(
        "warning",
        "Effects in `finally` around a step: done again at every replay, and not at all if the instance is ended.",
    ),
    "state-in-step": Rule("error", "A callback that keeps its result in a variable, which a replay does not set."),
    "event-mutation": Rule("error", "Changes of the event, which the next replay does not have."),
    "module-counter": Rule("error", "A counter of the process that `run()` increments: every replay does so again."),
    "loop-variable": Rule("error", "A callback that reads a loop's variable after the loop has moved on."),
    "unordered-steps": Rule("warning", "Steps in the order of a set, which differs between processes."),
    "unstorable": Rule("error", "Results that cannot be stored: functions, locks, files, responses."),
    "duration": Rule("error", "Text that is no duration, and durations beyond the limits."),
    "step-options": Rule("error", "Options of a step that are refused: retries, timeout, rollback."),
    "long-timeout": Rule("warning", "A step that may take longer than the recommended 30 minutes."),
    "plain-sleep": Rule("warning", "A sleep outside of a step, which does not survive a restart."),
    "race": Rule("warning", "The first of several to end, outside of a step: another one at the next replay."),
    "plain-timeout": Rule("warning", "A timeout of asyncio around a step, which is not stored."),
    "branch-name": Rule("warning", "One name for steps of several branches that wait, each in its own time."),
    "event-type": Rule("error", "A type of event that is refused."),
    "unmatched-event": Rule("warning", "A type of event that is sent, and that no workflow waits for."),
    "payload-field": Rule("error", "A field of the payload that has the name of a method of dict, such as `items`."),
    "non-retryable": Rule("warning", "A NonRetryableError under another name, which is retried."),
    "relative-import": Rule("error", "A relative import in a module that is in no package."),
    "shadowed-module": Rule("error", "A module that has the name of one of Python, or of a package that is needed."),
    "unsupported-module": Rule("error", "A module of the platform that is not supported yet."),
    "missing-name": Rule("error", "A name that cfworkflows does not have, such as a global of JavaScript."),
    "handler-arguments": Rule("error", "A handler whose signature the platform's arguments do not fit."),
    "unknown-binding": Rule("error", "A name of env that is not configured."),
    "unsupported-binding": Rule("warning", "A binding that is used, and that is not supported yet."),
    "python-flag": Rule("warning", "A configuration without the compatibility flag `python_workers`."),
    "missing-class": Rule("error", "A class of the configuration that is not in the main module."),
    "unused-ignore": Rule("warning", "An ignore comment that ignores nothing."),
}
"""Every rule by its id, as it is written in `# cfwf: ignore[id]`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a rule is broken: what happens there and why that is wrong, and what to do about it."""

    rule: str
    severity: Severity
    location: Location
    message: str
    fix: str
    last_line: int

    def __str__(self) -> str:
        frame = self.location.frame().replace("\n", "\n  ")
        shown = f"\n  {frame}" if frame else ""
        return f"{self.severity}[{self.rule}]: {self.message}\nat {self.location}{shown}\n{self.fix}"

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain JSON; `line` and `column` count from 1."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "file": self.location.file,
            "line": self.location.line,
            "column": self.location.column,
            "message": self.message,
            "fix": self.fix,
            "source": self.location.text.strip(),
        }


def finding(
    rule: str, module: Module, node: ast.AST, message: str, fix: str, severity: Severity | None = None
) -> Finding:
    """A finding at a node, by default with the severity of its rule."""
    first: int = getattr(node, "lineno", 1)
    last: int | None = getattr(node, "end_lineno", None)
    return Finding(rule, severity or RULES[rule].severity, module.location(node), message, fix, last or first)
