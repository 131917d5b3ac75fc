"""JSON text back to values."""

import binascii
import json
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID

from cfworkflows.errors import ErrorRecord, SerializationError
from cfworkflows.values.classes import Resolve, resolve_class, revive_enum, revive_object, warn_unresolved
from cfworkflows.values.jsdict import JsDict

_untagged = json.JSONDecoder(object_hook=JsDict).raw_decode


def decode(text: str, resolve: Resolve | None = None) -> Any:
    """The value that `encode` wrote as `text`. Every plain object is a JsDict.

    `resolve` finds the class of a stored model, dataclass, namedtuple or enum by its name, `"module:qualname"`; by
    default `resolve_class`, which looks among the imported modules only. For a class that is not found, or that no
    longer fits what was stored, the result is plain data, with an UnresolvedClassWarning.

    Only for text that `encode` wrote. JSON from outside may hold tags of its own making: read that with
    `json.loads(text, object_hook=JsDict)`. Raises SerializationError for text that `encode` cannot have written.
    """
    try:
        if '"$":' not in text:
            value, end = _untagged(text)
            if end != len(text):
                raise json.JSONDecodeError("Extra data", text, end)
            return value
        return json.JSONDecoder(object_hook=partial(_revive, resolve or resolve_class)).decode(text)
    except json.JSONDecodeError as error:
        raise SerializationError(f"$: the stored text is not JSON: {error}. The record is damaged.") from error


# json calls it for each object as it closes, inner ones first: what is inside `tree` is already revived.
def _revive(resolve: Resolve, tree: dict[str, Any]) -> object:
    if "$" not in tree:
        return JsDict(tree)
    try:
        tag = tree["$"]
        if tag == "object":
            return revive_object(tree["class"], tree["fields"], tree.get("unset", []), resolve)
        if tag == "enum":
            return revive_enum(tree["class"], tree["name"], tree["v"], resolve)
        reader = _READERS[tag]
    except (KeyError, TypeError) as error:
        raise _damaged(tree) from error
    try:
        return reader(tree)
    except (KeyError, ValueError, TypeError, ArithmeticError, AttributeError, re.error) as error:
        raise _damaged(tree) from error


def _damaged(tree: dict[str, Any]) -> SerializationError:
    return SerializationError(
        f"$: a stored value is tagged {tree['$']!r}, and is not as this version of cfworkflows writes it. "
        "It is damaged, or written by a newer version: update cfworkflows, or restart the instance."
    )


def _moment(read: Callable[[str], Any], tree: dict[str, Any]) -> Any:
    moment = read(tree["v"])
    if "offset" in tree:
        moment = moment.replace(tzinfo=timezone(timedelta(*tree["offset"])))
    if "tzname" in tree:
        moment = moment.replace(tzinfo=timezone(moment.utcoffset(), tree["tzname"]))
    if "zone" in tree:
        from zoneinfo import ZoneInfo

        try:
            moment = moment.replace(tzinfo=ZoneInfo(tree["zone"]))
        except (KeyError, ValueError):
            warn_unresolved(f"timezone {tree['zone']}", "it is not among this machine's timezones (pip install tzdata)")
    return moment.replace(fold=tree.get("fold", 0))


def _hashed(read: Callable[[Any], object], tree: dict[str, Any]) -> object:
    """A set or a dict; a list where an item or key has lost its class, and cannot be hashed without."""
    try:
        return read(tree["v"])
    except TypeError as error:
        warn_unresolved(tree["$"], str(error))
        return tree["v"]


_READERS: dict[str, Callable[[dict[str, Any]], object]] = {
    "int": lambda tree: int(tree["v"], 0),
    "float": lambda tree: float(tree["v"]),
    "complex": lambda tree: complex(*tree["v"]),
    "str": lambda tree: "".join(tree["v"]),
    "bytes": lambda tree: binascii.a2b_base64(tree["v"]),
    "bytearray": lambda tree: bytearray(binascii.a2b_base64(tree["v"])),
    "tuple": lambda tree: tuple(tree["v"]),
    "set": partial(_hashed, set),
    "frozenset": partial(_hashed, frozenset),
    "dict": partial(_hashed, JsDict),
    "datetime": partial(_moment, datetime.fromisoformat),
    "time": partial(_moment, time.fromisoformat),
    "date": lambda tree: date.fromisoformat(tree["v"]),
    "timedelta": lambda tree: timedelta(*tree["v"]),
    "decimal": lambda tree: Decimal(tree["v"]),
    "uuid": lambda tree: UUID(tree["v"]),
    "pattern": lambda tree: re.compile(tree["v"], tree["flags"]),
    "path": lambda tree: Path(tree["v"]),
    "posixpath": lambda tree: PurePosixPath(tree["v"]),
    "windowspath": lambda tree: PureWindowsPath(tree["v"]),
    "error": lambda tree: ErrorRecord(tree["name"], tree["message"], tree.get("traceback")).rebuild(),
}
