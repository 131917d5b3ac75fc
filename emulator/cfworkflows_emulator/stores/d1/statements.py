"""Where a statement of SQL ends: SQLite's own rules, for text that comes in parts."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<quoted>'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\])
    |(?P<comment>--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))
    |(?P<end>;)
    |(?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*)
    |(?P<space>\s+)
    |(?P<open>['"`\[])
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)


class Statement(NamedTuple):
    """The text of a statement, with its semicolon if it has one, and the number of the line where it begins, from 1.

    `is_empty` if it has comments and blanks alone.
    """

    text: str
    line: int
    is_empty: bool = False


def split(sql: str) -> Iterator[Statement]:
    """The statements of a text, as SQLite reads them: a semicolon in a string, in a comment or in the body of a trigger
    ends none. What stands behind the last semicolon is one more, unless it is blank.
    """
    line, start, at = 1, 0, 0
    trigger = _Trigger()
    is_empty = True
    for token in _TOKEN.finditer(sql):
        kind, at = token.lastgroup, token.end()
        if kind in ("space", "comment"):
            if is_empty and kind == "space" and token.start() == start:
                line += sql.count("\n", start, at)
                start = at
            continue
        if kind == "end":
            if trigger.ends_at_semicolon():
                yield Statement(sql[start:at], line, is_empty)
                line += sql.count("\n", start, at)
                start, is_empty, trigger = at, True, _Trigger()
            continue
        is_empty = False
        trigger.see(token[0].upper() if kind == "word" else kind or "")
    if sql[start:].strip():
        yield Statement(sql[start:], line, is_empty)


class _Trigger:
    """Whether a statement is a CREATE TRIGGER, whose body ends with `END` behind a semicolon."""

    def __init__(self) -> None:
        self._words: list[str] | None = []  # the first words, until it is known what it is
        self._is_trigger = False
        self._behind_semicolon = False
        self._ended = False

    def see(self, word: str) -> None:
        """A word in upper case, or the kind of another token."""
        if self._is_trigger:
            self._ended = word == "END" and self._behind_semicolon
            self._behind_semicolon = False
        elif self._words is not None:
            self._words.append(word)
            rest = [each for each in self._words if each not in _BEFORE_CREATE]
            if (rest[:1] == ["CREATE"] and len(rest) < 2) or not rest:
                return
            self._is_trigger = rest[0] == "CREATE" and rest[1] == "TRIGGER"
            if not (rest[0] == "CREATE" and rest[1] in ("TEMP", "TEMPORARY") and len(rest) < 3):
                self._words = None

    def ends_at_semicolon(self) -> bool:
        if not self._is_trigger or self._ended:
            return True
        self._behind_semicolon = True
        return False


_BEFORE_CREATE = ("EXPLAIN", "QUERY", "PLAN", "TEMP", "TEMPORARY")
