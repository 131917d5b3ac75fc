"""Values of the programs: `made` reads the tags of what is written as JSON, `describe` writes any value with them.

The programs are written for JavaScript. Here None stands for undefined and null, bytes for a Uint8Array, bytearray for
an ArrayBuffer, an int for a BigInt, a set for a Set, and a Map for a dict that is to be described as one.
"""

import math
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import kinds

from cfworkflows import Blob, Headers, ReadableStream, Request, Response

LONGEST_TEXT = 600
LONGEST_LIST = 150
LONGEST_BYTES = 32
DEEPEST = 10
NO_VALUE = object()
"""What `_special` gives for a tag that makes no value."""

Look = Callable[[str], Any]


class Map(dict[Any, Any]):
    """A dict that is described as a Map."""


class Symbol:
    """Something that no platform stores."""


class Plain:
    """An ordinary object."""

    def __init__(self, x: Any) -> None:
        self.x = x


def describe_error(error: BaseException) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": getattr(error, "name", type(error).__name__), "message": str(error)}
    if error.__cause__ is not None:
        shown["cause"] = {"$error": describe_error(error.__cause__)}
    return shown


def describe(value: Any, depth: int = 0, inside: tuple[int, ...] = ()) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"$str": length(value), "head": value[:8]} if length(value) > LONGEST_TEXT else value
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, datetime):
        return {"$date": value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")}
    if isinstance(value, BaseException):
        return {"$error": describe_error(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": list(value[:LONGEST_BYTES]), "length": len(value)}
    if (shown := kinds.described(value)) is not None:
        return shown
    if (shown := _of_the_web(value)) is not None:
        return shown
    if callable(value):
        return {"$function": True}
    if id(value) in inside:
        return {"$cycle": True}
    if depth > DEEPEST:
        return {"$deep": True}
    return _container(value, depth + 1, (*inside, id(value)))


def length(text: str) -> int:
    """As JavaScript counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _number(value: float) -> Any:
    if not math.isfinite(value):
        return {"$number": js_text(value)}
    return {"$number": "-0"} if value == 0 and math.copysign(1, value) < 0 else value


def _of_the_web(value: Any) -> Any:
    match value:
        case ReadableStream():
            return {"$stream": True}
        case Headers():
            return {"$headers": [list(pair) for pair in value.items()]}
        case Response():
            return {"$response": {"status": value.status, "headers": [list(pair) for pair in value.headers.items()]}}
        case Request():
            headers = [list(pair) for pair in value.headers.items()]
            return {"$request": {"method": value.method, "url": value.url, "headers": headers}}
        case Blob():
            return {"$blob": value.size, "type": value.type}
        case re.Pattern():
            return {"$regexp": f"/{value.pattern}/"}
    return None


def _container(value: Any, depth: int, inside: tuple[int, ...]) -> Any:
    def each(item: Any) -> Any:
        return describe(item, depth, inside)

    match value:
        case Map():
            shown: dict[str, Any] = {"$map": [[each(key), each(item)] for key, item in list(value.items())[:150]]}
            return shown if len(value) <= LONGEST_LIST else {**shown, "size": len(value)}
        case dict():
            return {str(key): each(item) for key, item in value.items()}
        case set() | frozenset():
            return {"$set": [each(item) for item in value]}
        case list() | tuple():
            if len(value) > LONGEST_LIST:
                return {"$array": len(value), "head": [each(item) for item in value[:3]], "last": each(value[-1])}
            return [each(item) for item in value]
    return {"$class": type(value).__name__, "fields": {key: each(item) for key, item in vars(value).items()}}


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
    return str(value)


def made(value: Any, look: Look) -> Any:
    """An argument with its tags read. `look` finds what a path leads to."""
    if isinstance(value, str):
        return re.sub(r"\$\{([^}]+)\}", lambda found: js_text(look("$" + found[1])), value) if "${" in value else value
    if isinstance(value, list):
        return [made(item, look) for item in value]
    if isinstance(value, dict):
        if len(value) == 1 and (tag := next(iter(value))).startswith("$"):
            if tag == "$":
                return look(value["$"])
            if (special := _special(tag, value[tag], lambda part: made(part, look))) is not NO_VALUE:
                return special
        return {key: item if key == "program" else made(item, look) for key, item in value.items()}
    return value


def _special(tag: str, argument: Any, read: Callable[[Any], Any]) -> Any:
    match tag:
        case "$undefined":
            return None
        case "$number":
            return -0.0 if argument == "-0" else float(argument)
        case "$bigint":
            return int(argument)
        case "$date":
            return datetime.fromisoformat(argument) if isinstance(argument, str) else _moment(argument)
        case "$now":
            return round(time.time() * 1000) + argument
        case "$nowSeconds":
            return int(time.time()) + argument
        case "$dateNow":
            return datetime.now(UTC) + timedelta(milliseconds=argument)
        case "$bytes" | "$zeros":
            return bytes(argument)
        case "$buffer":
            return bytearray(argument)
        case "$uint16":
            return b"".join(number.to_bytes(2, "little") for number in argument)
        case "$str":
            return "x" * argument
        case "$repeat":
            return argument[0] * argument[1]
        case "$regexp":
            return re.compile(argument)
        case "$symbol":
            return Symbol()
        case "$error":
            kind = type(argument["name"], (Exception,), {}) if argument.get("name") else Exception
            return kind(argument["message"])
        case "$function":
            return lambda: argument
    return _special_container(tag, argument, read)


def _special_container(tag: str, argument: Any, read: Callable[[Any], Any]) -> Any:
    found: Any = NO_VALUE
    match tag:
        case "$map":
            found = Map((read(key), read(item)) for key, item in argument)
        case "$set":
            found = {read(item) for item in argument}
        case "$circular":
            found = {"a": 1}
            found["self"] = found
        case "$plain":
            found = Plain(argument)
        case "$nested":
            found = 1
            for _ in range(argument):
                found = {"n": found}
        case "$array":
            found = [0] * argument
        case "$range":
            found = list(range(argument[0], argument[0] + argument[1]))
        case "$stream":
            found = ReadableStream([b"s" * argument])
        case "$fixedStream":
            found = ReadableStream(b"f" * argument)
        case "$blob":
            found = Blob([argument.get("data", "")], {"type": argument["type"]} if argument.get("type") else None)
        case "$headers":
            found = Headers(argument)
        case "$request":
            found = Request(argument["url"], {key: item for key, item in argument.items() if key != "url"})
        case "$response":
            init = {"status": argument.get("status", 200), "headers": argument.get("headers")}
            found = Response(read(argument.get("body")), init)
    return found


def _moment(ms: float) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
