"""Values of the recordings: `describe` writes any value as JSON with `$tags`, `decode` reads the tags.

A recording is JavaScript's. Here None stands for undefined and null, an int beyond 2**53 for a bigint, bytes for a
Uint8Array, bytearray for an ArrayBuffer, a set for a Set, and a dict with a key that is no text for a Map.
"""

import asyncio
import json
import math
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from errors import described

from cfworkflows import ReadableStream, Response

LONGEST_TEXT = 400
LONGEST_LIST = 200
LONGEST_BYTES = 16
DEEPEST = 12
LARGEST_NUMBER = 2**53 - 1

NO_VALUE = object()
"""What `special` gives for a tag that makes no value."""


class Symbol:
    """Something that no platform stores."""

    def __init__(self, name: str) -> None:
        self.name = name


class Point:
    """An object with behaviour, of a class of the Worker's own."""

    def __init__(self, x: Any, y: Any) -> None:
        self.x = x
        self.y = y

    def sum(self) -> Any:
        return self.x + self.y


def describe(value: Any, depth: int = 0, inside: tuple[int, ...] = ()) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"$str": len(value), "head": value[:8]} if len(value) > LONGEST_TEXT else value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_NUMBER else {"$bigint": str(value)}
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return {"$date": iso(value)}
    if isinstance(value, BaseException):
        return {"$error": described(value, lambda part: describe(part, 1))}
    if isinstance(value, (bytes, bytearray)):
        kind = "Uint8Array" if isinstance(value, bytes) else "ArrayBuffer"
        return {"$bytes": list(value[:LONGEST_BYTES]), "type": kind, "length": len(value)}
    if isinstance(value, re.Pattern):
        return {"$regexp": f"/{value.pattern}/"}
    if isinstance(value, Symbol):
        return {"$symbol": f"Symbol({value.name})"}
    if isinstance(value, ReadableStream):
        return {"$stream": True}
    if callable(value):
        return {"$function": True}
    if id(value) in inside:
        return {"$cycle": True}
    if depth > DEEPEST:
        return {"$deep": True}
    return _container(value, depth + 1, (*inside, id(value)))


def _number(value: float) -> Any:
    if math.isfinite(value):
        return {"$number": "-0"} if value == 0 and math.copysign(1, value) < 0 else value
    return {"$number": js_text(value)}


def _container(value: Any, depth: int, inside: tuple[int, ...]) -> Any:
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            pairs = value.items()
            return {"$map": [[describe(key, depth, inside), describe(item, depth, inside)] for key, item in pairs]}
        return {key: describe(item, depth, inside) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return {"$set": [describe(item, depth, inside) for item in value]}
    if isinstance(value, (list, tuple)):
        if len(value) > LONGEST_LIST:
            return {"$array": len(value), "head": [describe(item, depth, inside) for item in value[:3]]}
        return [describe(item, depth, inside) for item in value]
    fields = {key: describe(item, depth, inside) for key, item in getattr(value, "__dict__", {}).items()}
    return {"$class": type(value).__name__, "fields": fields}


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def js_text(value: Any) -> str:
    """`value` as JavaScript puts it into a text."""
    match value:
        case None:
            return "undefined"
        case bool():
            return str(value).lower()
        case float() if math.isnan(value):
            return "NaN"
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case float() if value.is_integer():
            return str(int(value))
        case dict():
            return "[object Object]"
        case list():
            return ",".join(map(js_text, value))
        case BaseException():
            shown = described(value, describe)
            return f"{shown['name']}: {shown['message']}"
    return str(value)


def js_type(value: Any) -> str:
    """What `typeof` says."""
    match value:
        case None:
            return "undefined"
        case bool():
            return "boolean"
        case int() if abs(value) > LARGEST_NUMBER:
            return "bigint"
        case int() | float():
            return "number"
        case str():
            return "string"
        case Symbol():
            return "symbol"
    return "function" if callable(value) else "object"


def js_class(value: Any) -> str | None:
    """The name of the constructor."""
    match value:
        case None:
            return None
        case BaseException():
            shown = described(value, describe)
            return str(shown.get("ctor", shown["name"]))
        case dict():
            return "Object" if all(isinstance(key, str) for key in value) else "Map"
        case bool():
            return "Boolean"
        case int() if abs(value) > LARGEST_NUMBER:
            return "BigInt"
    names: dict[type, str] = {
        int: "Number", float: "Number", str: "String", list: "Array", set: "Set", bytes: "Uint8Array",
        bytearray: "ArrayBuffer", datetime: "Date", re.Pattern: "RegExp",
        ReadableStream: "ReadableStream",
    }  # fmt: skip
    return next((name for kind, name in names.items() if isinstance(value, kind)), type(value).__name__)


def json_text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_json_form)


def _json_form(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def decode(value: Any) -> Any:
    """A request's body with its tags read. Programs are left alone: they are read as they run."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if isinstance(value, dict):
        if (tag := tag_of(value)) is not None and (made := special(tag, value[tag])) is not NO_VALUE:
            return made
        return {key: item if key == "program" else decode(item) for key, item in value.items()}
    return value


def tag_of(value: dict[str, Any]) -> str | None:
    """The only key of an object, if it is a tag."""
    return next((key for key in value if key.startswith("$")), None) if len(value) == 1 else None


def special(tag: str, argument: Any) -> Any:
    """The value that a tag makes, or NO_VALUE."""
    match tag:
        case "$undefined":
            return None
        case "$number":
            return -0.0 if argument == "-0" else float(argument)
        case "$bigint":
            return int(argument)
        case "$date":
            return _date(argument)
        case "$now":
            return time.time() * 1000 + argument
        case "$dateNow":
            return datetime.now(UTC) + timedelta(milliseconds=argument)
        case "$map":
            return {key: item for key, item in decode(argument)}  # noqa: C416 - the pairs are lists
        case "$set":
            return set(decode(argument))
        case "$bytes" | "$zeros":
            return bytes(argument)
        case "$buffer":
            return bytearray(argument)
        case "$str":
            return "x" * argument
        case "$regexp":
            return re.compile(argument)
        case "$symbol":
            return Symbol(argument)
        case "$point":
            return Point(*argument)
        case "$error":
            return (
                type(argument["name"], (Exception,), {})(argument["message"])
                if "name" in argument
                else Exception(argument["message"])
            )
        case "$typeError":
            return TypeError(argument)
    return _special_container(tag, argument)


def _special_container(tag: str, argument: Any) -> Any:
    made: Any
    match tag:
        case "$circular":
            made = {"a": 1}
            made["self"] = made
        case "$sharedRef":
            inner = {"n": 1}
            made = {"p": inner, "q": inner}
        case "$stream":
            made = ReadableStream(b"s" * argument)
        case "$response":
            made = Response(argument)
        case "$promise":
            made = asyncio.get_running_loop().create_future()
            made.set_result(argument)
        case "$nested":
            made = 1
            for _ in range(argument):
                made = {"n": made}
        case "$array":
            made = [0] * argument
        case _:
            made = NO_VALUE
    return made


def _date(argument: Any) -> datetime:
    if isinstance(argument, str):
        return datetime.fromisoformat(argument)
    return datetime.fromtimestamp(argument / 1000, UTC)
