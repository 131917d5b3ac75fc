"""JSON as `JSON.stringify` writes it: for bodies of responses."""

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cfworkflows.errors import SerializationError


def stringify(value: object) -> bytes:
    """`value` as compact JSON in UTF-8, as JavaScript's `JSON.stringify` writes it.

    NaN and the infinities are `null`. A datetime is its ISO text in UTC with milliseconds (one without a time zone is
    taken as UTC); a pydantic model is its `model_dump(mode="json")`, a dataclass its fields, what has `toJSON()`
    what that returns. Floats keep Python's spelling (`1.0`), which is the same number.

    Raises SerializationError, a TypeError, with the path of what JSON cannot hold: `$.items[3].lock`.
    """
    try:
        text = _encode(value)
    except (TypeError, ValueError):
        text = _encode(_plain(value, "$", ()))  # slower: visits every value, so it knows its path
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate becomes \udc80, as in JavaScript


def _known(value: object) -> object:
    if isinstance(value, datetime):
        return _iso(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    to_json = getattr(value, "toJSON", None)
    if to_json is not None and not isinstance(value, type):
        return to_json()
    dump = getattr(value, "model_dump", None)
    if dump is not None and not isinstance(value, type):
        return dump(mode="json")
    raise TypeError


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_known).encode


def _iso(moment: datetime) -> str:
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"


def _plain(value: Any, path: str, parents: tuple[int, ...]) -> object:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if id(value) in parents:
        raise SerializationError(f"JSON cannot hold the value at {path}: it contains itself.", path=path)
    parents = (*parents, id(value))
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(item, f"{path}{_step(key)}", parents) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{path}[{place}]", parents) for place, item in enumerate(value)]
    try:
        known = _known(value)
    except TypeError as error:
        kind = type(value).__name__
        raise SerializationError(f"JSON cannot hold the value at {path}: it is a {kind}.", path=path) from error
    return _plain(known, path, parents)


def _key(key: object, path: str) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, (bool, int, float)):
        return json.dumps(key)
    raise SerializationError(f"JSON cannot hold a key of {path}: {key!r} is a {type(key).__name__}.", path=path)


def _step(key: object) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{json.dumps(str(key))}]"
