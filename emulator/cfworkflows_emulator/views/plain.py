"""Times and values as plain JSON."""

from datetime import UTC, datetime
from typing import Any

from cfworkflows.values import decode


def iso(time_ms: int) -> str:
    """A time as `2026-11-22T10:00:00.000Z`."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain(text: str | None) -> Any:
    """A stored value as plain JSON, None if there is none."""
    return printable(decode(text)) if text is not None else None


def printable(value: Any) -> Any:
    """`value` as plain JSON: what JSON has no form for is shown as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, dict):
        return {str(key): printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [printable(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return f"[{len(value)} bytes]"
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo is None else iso(round(value.timestamp() * 1000))
    if hasattr(value, "model_dump"):
        return printable(value.model_dump())
    if hasattr(value, "__dataclass_fields__"):
        return {name: printable(getattr(value, name)) for name in value.__dataclass_fields__}
    return str(value)
