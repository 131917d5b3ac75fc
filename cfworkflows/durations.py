"""Durations as the platform writes them: `"5 minutes"`, milliseconds, or a `timedelta`.

The grammar is the documented one: a number, spaces, and a unit from `second` to `year`, with or without `s`. A month
has 30 days and a year 365.25. The platform's local server also takes units it does not know as milliseconds and `"1s"`
as not-a-number; both are refused here, with the grammar in the message.
"""

import functools
import re
import sys
from datetime import timedelta

from cfworkflows.errors import DurationError

Duration = str | int | float | timedelta
"""Text such as `"5 minutes"`, a number of milliseconds, or a timedelta."""

GRAMMAR = (
    '"<number> <unit>", where unit is second, minute, hour, day, week, month or year, with or without "s" '
    '(for example "30 seconds"), or a number of milliseconds, or a timedelta'
)

_UNITS = {
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
    "month": 2_592_000_000,
    "year": 31_557_600_000,
}
_LARGEST = sys.float_info.max  # an int may be larger; it is refused
_TEXT = re.compile(rf"(\d+(?:\.\d+)?) +({'|'.join(_UNITS)})s?", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def parse_duration(value: Duration) -> float:
    """The duration in milliseconds.

    Raises DurationError, with the grammar in its message, for anything else, and for negative and infinite ones.
    """
    if type(value) is str:  # most are
        ms = _parse_text(value)
    elif isinstance(value, timedelta):
        ms = value / timedelta(milliseconds=1)
    elif isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise DurationError(f"{value!r} is not a duration: expected {GRAMMAR}.")
    elif isinstance(value, str):
        ms = _parse_text(value)
    else:
        ms = value
    if not 0 <= ms <= _LARGEST:
        # Python refuses to write very long integers.
        shown = "That integer" if isinstance(value, int) and abs(value) > _LARGEST else repr(value)
        raise DurationError(f"{shown} is not a duration: it must be finite and not negative.")
    return ms


@functools.lru_cache(maxsize=256)
def _parse_text(text: str) -> float:
    if match := _TEXT.fullmatch(text):
        return float(match[1]) * _UNITS[match[2]]
    if _NUMBER.fullmatch(text):
        return float(text)
    raise DurationError(f"{text!r} is not a duration: expected {GRAMMAR}.{_hint(text)}")


def _hint(text: str) -> str:
    glued = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", text, re.ASCII)
    if not glued:
        return ""
    unit = glued[2].lower()
    short = {
        "s": "second",
        "sec": "second",
        "m": "minute",
        "min": "minute",
        "h": "hour",
        "hr": "hour",
        "d": "day",
        "w": "week",
    }
    singular = unit.removesuffix("s") or unit
    name = short.get(unit) or short.get(singular) or (singular if singular in _UNITS else None)
    if unit == "ms":
        return f" Did you mean {glued[1]} (a number is milliseconds)?"
    return f' Did you mean "{glued[1]} {name}{"" if glued[1] == "1" else "s"}"?' if name else ""
