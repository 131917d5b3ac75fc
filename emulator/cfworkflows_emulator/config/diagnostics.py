"""What is wrong in a configuration file, where, and what to do about it."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.shown import shown, shown_line

Severity = Literal["error", "warning"]
Path = tuple[str | int, ...]
"""The keys and indexes that lead to a value, as in `("workflows", 0, "class_name")`."""

_WIDTH = 110  # a frame shows no more of a line than this


class Location(NamedTuple):
    """A place in a file: `line` and `column` count from 1. `text` is the line itself, or empty to show no frame."""

    file: str
    line: int
    column: int
    text: str = ""

    def __str__(self) -> str:
        return f"{shown_line(self.file)}:{self.line}:{self.column}"

    def frame(self) -> str:
        """The line with a caret below the column; empty when the text is not to be shown."""
        if not self.text.strip():
            return ""
        start = max(0, self.column - _WIDTH // 2) if len(self.text) > _WIDTH else 0
        line = shown(self.text[start : start + _WIDTH])
        indent = re.sub(r"[^\t]", " ", shown(self.text[start : self.column - 1]))
        margin = " " * len(str(self.line))
        return f"{self.line} | {line.rstrip()}\n{margin} | {indent}^"


class Diagnostic(NamedTuple):
    """One problem. An error keeps the configuration from being used, a warning does not.

    `file` is the file it is about, as displayed; `env` the environment section, if it is in one.
    """

    message: str
    severity: Severity = "error"
    location: Location | None = None
    suggestion: str | None = None
    file: str | None = None
    env: str | None = None

    def __str__(self) -> str:
        parts = [shown(self.message)]
        if self.location is not None:
            parts.append(f"at {self.location}")
            if frame := self.location.frame():
                parts.append(_indent(frame, "  "))
        if self.suggestion:
            parts.append(shown(self.suggestion))
        return "\n".join(parts)


class ConfigError(CfworkflowsError):
    """The configuration cannot be used. `diagnostics` are all of its problems, `str()` is text to print."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        errors = render(each for each in diagnostics if each.severity == "error")
        warnings = render(each for each in diagnostics if each.severity == "warning")
        super().__init__(f"{errors}\n\nWarnings:\n{warnings}" if warnings else errors)
        self.diagnostics = list(diagnostics)

    def __reduce__(self) -> tuple[type["ConfigError"], tuple[list[Diagnostic]]]:
        return type(self), (self.diagnostics,)


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """Readable text: a heading for each file, a group for each environment, an item for each problem."""
    groups: dict[tuple[str | None, str | None], list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        groups.setdefault((diagnostic.file, diagnostic.env), []).append(diagnostic)
    lines: list[str] = []
    heading: str | None = None
    for (file, env), members in groups.items():
        if file is None:
            lines += [str(member) for member in members]
            continue
        if file != heading:
            lines.append(f"Processing {shown_line(file)} configuration:")
            heading = file
        if env is not None:
            lines.append(f'  - "env.{shown_line(env)}" environment configuration')
        lines += [_item(str(member), "  " if env is None else "    ") for member in members]
    return "\n".join(lines)


def field_name(path: Path) -> str:
    """The path as text: `workflows[0].class_name`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def show(value: object) -> str:
    """The value as compact JSON, which is how the messages quote it. Dates of TOML are quoted as text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def join_names(names: Sequence[str]) -> str:
    """`A`, `A and B`, or `A, B, and C`."""
    if len(names) < 3:
        return " and ".join(names)
    return f"{', '.join(names[:-1])}, and {names[-1]}"


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """`Did you mean "class_name"?`, or None when nothing known looks like `word`."""
    close = closest(word, candidates)
    return f'Did you mean "{close}"?' if close is not None else None


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most similar to `word`, ignoring case and whether it is camelCase or snake_case."""
    from difflib import get_close_matches

    plain = {_plain(candidate): candidate for candidate in candidates}
    matches = get_close_matches(_plain(word), plain, n=1, cutoff=0.65)
    return plain[matches[0]] if matches else None


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower()) or word


def _indent(text: str, by: str) -> str:
    return "\n".join(by + line if line else line for line in text.split("\n"))


def _item(text: str, by: str) -> str:
    return _indent(text, by + "  ").replace(by + "  ", by + "- ", 1)
