"""Where a statement of SQL ends: SQLite's own rules, as compiled regular expressions that never go back."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# What has no end reaches as far as the text.
_COMMENT = r"--[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?+"
_BLANK = rf"(?:[ \t\n\f\r]++|{_COMMENT})*+"
_PIECE = rf"""[^;'"`\[\-/]++|'[^']*+'?+|"[^"]*+"?+|`[^`]*+`?+|\[[^\]]*+\]?+|{_COMMENT}|[-/]"""
_END = rf";{_BLANK}END\b{_BLANK}(?:;|\Z)"

_SPACE = re.compile(r"[ \t\n\f\r]*+")
_START = re.compile(_BLANK)
_PLAIN = re.compile(rf"(?:{_PIECE})*+;?+")
_TRIGGER = re.compile(rf"(?:{_PIECE}|;(?!{_END[1:]}))*+(?:{_END})?+", re.IGNORECASE)
_IS_TRIGGER = re.compile(
    rf"(?:EXPLAIN\b{_BLANK}(?:QUERY\b{_BLANK}PLAN\b{_BLANK})?+)?+"
    rf"CREATE\b{_BLANK}(?:TEMP(?:ORARY)?+\b{_BLANK})?+TRIGGER\b",
    re.IGNORECASE,
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
    line, at, length = 1, 0, len(sql)
    while at < length:
        start = _end(_SPACE, sql, at)
        line += sql.count("\n", at, start)
        if start == length:
            return
        first = _end(_START, sql, start)
        at = _end(_TRIGGER if _IS_TRIGGER.match(sql, first) else _PLAIN, sql, first)
        yield Statement(sql[start:at], line, first == length or sql[first] == ";")
        line += sql.count("\n", start, at)


def _end(pattern: re.Pattern[str], sql: str, start: int) -> int:
    found = pattern.match(sql, start)
    return found.end() if found is not None else start
