"""Times and values as plain JSON."""

from datetime import UTC, datetime
from typing import Any

from cfworkflows.errors import exact, name_of, text_of
from cfworkflows.values import decode

DEEPEST = 250
"""So many levels are shown: more than can be stored, unless a class of the user's makes them up."""


def iso(time_ms: float) -> str:
    """A time as `2026-11-22T10:00:00.000Z`; one behind the year 9999 as the last of it."""
    moment = _LAST if time_ms > _LAST_MS else datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_LAST_MS = 253_402_300_799_999
_LAST = datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)


def plain(text: str | None) -> Any:
    """A stored value as plain JSON, None if there is none. What cannot be read is said in its place."""
    if text is None:
        return None
    try:
        value = decode(text)
    except Exception as error:  # noqa: BLE001 - a damaged record, or a class of the user's that changed
        return f"[cannot be read: {text_of(error)}]"
    return printable(value)


def printable(value: Any, depth: int = DEEPEST) -> Any:
    """`value` as plain JSON: what JSON has no form for is shown as text, and what cannot be shown by its class."""
    try:
        return _printable(value, depth)
    except BaseException:  # noqa: BLE001 - whatever the methods of the user's classes raise
        return f"[{name_of(type(value))}]"


def shown(value: Any) -> str:
    """`repr(value)`, or what can be said instead."""
    try:
        return exact(repr(value))
    except BaseException:  # noqa: BLE001 - see above; also an integer that is too long for Python to print
        return exact(str(printable(value)))


def _printable(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        int.__repr__(value)  # raises for one that is too long for Python to print, and so for JSON
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if not depth:
        return "[…]"
    if isinstance(value, dict):
        return {_key(key): printable(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [printable(item, depth - 1) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return f"[{len(value)} bytes]"
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo is None else iso(round(value.timestamp() * 1000))
    if hasattr(value, "model_dump"):
        return printable(value.model_dump(), depth - 1)
    if hasattr(value, "__dataclass_fields__"):
        return {name: printable(getattr(value, name), depth - 1) for name in value.__dataclass_fields__}
    return exact(str(value))


def _key(key: Any) -> str:
    try:
        return exact(str(key))
    except BaseException:  # noqa: BLE001 - see above
        return f"[{name_of(type(key))}]"
