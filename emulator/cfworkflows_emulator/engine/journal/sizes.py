"""How large results, params and payloads are, against the platform's limit of 1 MiB, and what an instance may store."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from cfworkflows_emulator.engine.journal.entries import Entry

MAX_VALUE_BYTES = 1024 * 1024
MAX_STATE_BYTES = 1024 * 1024 * 1024
"""The most that is stored of one instance, its streams included."""


ENTRY_BYTES = 100
"""What an entry of the journal counts for, beside the values in it."""


def size_of(value: Any, text: str) -> int:
    """The bytes of a value's own data; `text` is what it was encoded as.

    Quotes, escapes and base64 do not count, since the platform stores none: a megabyte of bytes is a megabyte.
    """
    if len(text) * 4 <= MAX_VALUE_BYTES:
        return len(text)
    try:
        return _measure(value)
    except BaseException:  # noqa: BLE001 - the user's classes: they could be encoded, so this is a size
        return len(text)


def over(value: object, limit: int) -> str:
    """For errors about text: how long `value` is, if it is too long."""
    return f"; it has {len(value)}" if isinstance(value, str) and len(value) > limit else ""


def bytes_of(entry: Entry) -> int:
    """What an entry takes of the platform's limit: values, streams and errors as they are, and a bit for the rest."""
    _, _, _, _, data, value = entry
    size = ENTRY_BYTES
    if value is not None:
        size += len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if "stream" in data:
        size += data["stream"]["bytes"]
    if "error" in data:
        size += sum(len(part) for part in data["error"].values() if isinstance(part, str))
    return size


def no_room(stored: int, what: str) -> str:
    """For errors about `MAX_STATE_BYTES`: `what` goes beyond it."""
    return (
        f"The instance has exceeded the {shown_size(MAX_STATE_BYTES)} storage limit: {shown_size(stored)} of journal "
        f"and streams are stored, and {what}. Store large outputs elsewhere (R2), and return their keys."
    )


def shown_size(size: int) -> str:
    """`1.25MiB`."""
    for unit, name in ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB")):
        if size >= unit:
            return f"{size / unit:.4g}{name}"
    return f"{size} bytes"


def too_large(size: int) -> bool:
    return size > MAX_VALUE_BYTES


def _measure(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, (bytes, bytearray)):
        return len(value)
    if isinstance(value, memoryview):
        return value.nbytes
    if isinstance(value, Mapping):
        return sum(_measure(key) + _measure(item) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return sum(map(_measure, value))
    if is_dataclass(value):
        return sum(_measure(getattr(value, field.name, None)) for field in fields(value))
    if hasattr(value, "model_fields_set"):  # a pydantic model
        return sum(_measure(item) for item in vars(value).values())
    return 8  # a number, a date and the like
