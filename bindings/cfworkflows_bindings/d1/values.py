"""Values that go into a database, and come out of it."""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from cfworkflows.errors import D1Error
from cfworkflows.values import JsDict
from cfworkflows_bindings.d1.store import Rows

LARGEST_INT = 2**53 - 1
"""The largest integer that a number of JavaScript has exactly."""


def bound(value: Any) -> str | float | bytes | None:
    """A value as it is bound. As on the platform, each number is a REAL, and what JSON does not have is NULL.

    Raises D1Error (`D1_TYPE_ERROR`) for what the platform refuses.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, int):  # a bool too
        if not -LARGEST_INT - 1 <= value <= LARGEST_INT + 1:
            raise _refusal(value, "bigint", str(value))
        return float(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return _octets(value)
    raise _refusal(value, "function" if callable(value) and not isinstance(value, type) else "object", _text(value))


def well_formed(text: str) -> str:
    """A text without lone surrogates, which UTF-8 does not have."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def objects(columns: list[str], rows: Rows) -> list[Any]:
    """Rows as objects. Of columns with one name the last counts."""
    return [JsDict(zip(columns, map(out, row), strict=True)) for row in rows]


def lists(columns: list[str], rows: Rows) -> tuple[list[str], list[list[Any]]]:
    """The names of the columns, and the rows as lists."""
    return columns, [list(map(out, row)) for row in rows]


def out(value: Any) -> Any:
    """A value of SQLite as the code gets it: a whole number is an int as far as JavaScript has it exactly, and a float
    beyond; what JSON does not have is None.
    """
    kind = type(value)
    if kind is int:
        return value if -LARGEST_INT <= value <= LARGEST_INT else float(value)
    if kind is float:
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) <= LARGEST_INT else value
    return value


def _octets(value: list[Any] | tuple[Any, ...]) -> bytes:
    """An array of numbers is a BLOB, as on the platform."""
    if all(isinstance(item, (int, float)) and 0 <= item < 256 for item in value):
        return bytes(int(item) for item in value)
    raise _refusal(value, "object", ",".join(map(str, value)))


def _refusal(value: Any, kind: str, text: str) -> D1Error:
    reason = f"Type '{kind}' not supported for value '{text[:200]}'"
    error = D1Error(f"D1_TYPE_ERROR: {reason}")
    for classes, hint in _HINTS:
        if isinstance(value, classes):
            error.add_note(f"{type(value).__name__} cannot be bound: {hint}")
            break
    error.__cause__ = Exception(reason)
    return error


def _text(value: Any) -> str:
    """What JavaScript makes of a value as text."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo is None else value.astimezone(UTC)
        return moment.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)")
    return "[object Object]" if isinstance(value, dict) else str(value)


_HINTS: Iterable[tuple[Any, str]] = (
    (datetime, "write `value.isoformat()` for text, or `value.timestamp()` for a number."),
    (date, "write `value.isoformat()`."),
    ((Decimal, UUID), "write `str(value)`."),
    (int, "numbers are floats on the platform, which have no integer beyond 2**53 exactly: write `str(value)`."),
    (dict, "write `json.dumps(value)`."),
    ((list, tuple), "a list is a BLOB, and holds integers from 0 to 255; write `json.dumps(value)` for JSON."),
    (Callable, "call it, and bind what it returns."),
)
