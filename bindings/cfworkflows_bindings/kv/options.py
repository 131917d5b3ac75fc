"""What the methods of a KV namespace are given: checked as the platform does, with its texts."""

import base64
import binascii
import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn

from cfworkflows.errors import KVError, SerializationError
from cfworkflows.http import ReadableStream
from cfworkflows_bindings.forms import Form

GET = Form("type", "cacheTtl")
PUT = Form("expiration", "expirationTtl", "metadata")
LIST = Form("prefix", "limit", "cursor")

MAX_KEY_BYTES = 512
MAX_METADATA_BYTES = 1024
MAX_VALUE_BYTES = 25 * 1024 * 1024
MAX_KEYS = 100
"""How many keys one call of `get` may ask for."""
MAX_LISTED = 1000
MIN_CACHE_TTL_S = 30
MIN_TTL_S = 60

_TYPES = ("text", "json", "arrayBuffer", "stream")
_BULK_TYPES = ("text", "json")
_LARGEST_INT = 2**31 - 1
_NOT_A_KEY = (".", "..")


def refuse(method: str, status: int, message: str) -> NoReturn:
    """Raise what the platform's store answers."""
    raise KVError(f"KV {method} failed: {status} {message}", status=status)


def key_of(method: str, key: object) -> str:
    """A key, checked. A number is its text, as in JavaScript."""
    text = _key_text(key)
    if not text:
        raise TypeError("Key name cannot be empty.")
    if text in _NOT_A_KEY:
        raise TypeError(f'"{text}" is not allowed as a key name.')
    check_length(method, text)
    return text


def keys_of(keys: Sequence[Any]) -> list[str]:
    """The keys of a call for many, each once."""
    method = "GET_BULK"
    if len(keys) > MAX_KEYS:
        refuse(method, 400, f"You can request a maximum of {MAX_KEYS} keys")
    if not keys:
        refuse(method, 400, "You must request a minimum of 1 key")
    found = list(dict.fromkeys(map(_key_text, keys)))
    for key in found:
        if not key:
            refuse(method, 400, "Key names must not be empty")
        if key in _NOT_A_KEY:
            refuse(method, 400, f'Illegal key name "{key}". Please use a different name.')
        check_length(method, key)
    return found


def _key_text(key: object) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, (int, float)):
        return _number_text(key)
    raise TypeError(f"The key of a KV entry is a str, not {type(key).__name__}.")


def check_length(method: str, key: str) -> None:
    """Refuse a key, or a prefix, that is too long."""
    length = len(key) if key.isascii() else len(key.encode("utf-8", "replace"))
    if length > MAX_KEY_BYTES:
        refuse(method, 414, f"UTF-8 encoded length of {length} exceeds key length limit of {MAX_KEY_BYTES}.")


def read_options(method: str, type_or_options: object, keywords: dict[str, Any]) -> dict[str, Any]:
    """The options of `get`: a type alone, an object, or keywords."""
    if isinstance(type_or_options, str):
        type_or_options = {"type": type_or_options}
    return GET.read(f"{method}()", type_or_options, keywords)


def type_of(options: dict[str, Any]) -> str:
    """The type in which a value is wanted."""
    wanted = options.get("type")
    if wanted is None:
        return "text"
    if wanted not in _TYPES:
        raise TypeError('Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".')
    return str(wanted)


def bulk_type_of(options: dict[str, Any]) -> str:
    """The type in which many values are wanted."""
    wanted = options.get("type")
    if wanted is None:
        return "text"
    if wanted not in _BULK_TYPES:
        refuse("GET_BULK", 400, f'"{wanted}" is not a valid type. Use "json" or "text"')
    return str(wanted)


def check_cache_ttl(method: str, options: dict[str, Any]) -> None:
    """`cacheTtl` has no effect but to be checked: there is one place, and no cache in front of it."""
    if "cache_ttl" in options and (ttl := integer(options["cache_ttl"])) < MIN_CACHE_TTL_S:
        refuse(method, 400, f"Invalid cache_ttl of {ttl}. Cache TTL must be at least {MIN_CACHE_TTL_S}.")


def expiration_of(options: dict[str, Any], now_ms: int) -> int | None:
    """When an entry expires, in seconds since the epoch. A time to live goes before a time."""
    ttl = integer(options["expiration_ttl"]) if "expiration_ttl" in options else None
    expiration = integer(options["expiration"]) if "expiration" in options else None
    now = now_ms // 1000
    if ttl is not None:
        wrong = f"Invalid expiration_ttl of {ttl}. "
        if ttl <= 0:
            refuse("PUT", 400, f"{wrong}Please specify integer greater than 0.")
        if ttl < MIN_TTL_S:
            refuse("PUT", 400, f"{wrong}Expiration TTL must be at least {MIN_TTL_S}.")
        return now + ttl
    if expiration is not None:
        wrong = f"Invalid expiration of {expiration}. "
        if expiration <= now:
            at_least = "Please specify integer greater than the current number of seconds since the UNIX epoch."
            refuse("PUT", 400, f"{wrong}{at_least}")
        if expiration < now + MIN_TTL_S:
            refuse("PUT", 400, f"{wrong}Expiration times must be at least {MIN_TTL_S} seconds in the future.")
    return expiration


def metadata_of(options: dict[str, Any]) -> str | None:
    """The metadata as JSON, None if there is none."""
    metadata = options.get("metadata")
    if metadata is None:
        return None
    try:
        text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SerializationError(f"The metadata of a KV entry has to be JSON: {error}") from None
    length = len(text.encode("utf-8", "replace"))
    if length > MAX_METADATA_BYTES:
        refuse("PUT", 413, f"Metadata length of {length} exceeds limit of {MAX_METADATA_BYTES}.")
    return text


async def value_of(value: object) -> bytes:
    """The bytes to store: those of a str, of bytes, or of a stream; a number, a bool and None are their text."""
    if isinstance(value, str):
        data = value.encode("utf-8", "replace")
    elif isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
    elif isinstance(value, ReadableStream):
        return await _read(value)
    elif value is None or isinstance(value, (bool, int, float)):
        data = ("null" if value is None else _number_text(value)).encode()
    else:
        raise TypeError("KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.")
    if len(data) > MAX_VALUE_BYTES:
        _too_long(len(data))
    return data


async def _read(stream: ReadableStream) -> bytes:
    """All of a stream. One that is too long is read no further than that is known."""
    parts: list[bytes] = []
    length = 0
    if stream.locked or stream.disturbed:
        raise TypeError("The ReadableStream has been locked to a reader.")
    reader = stream.get_reader()
    try:
        while (chunk := (await reader.read()).value) is not None:
            length += len(chunk)
            if length > MAX_VALUE_BYTES:
                await reader.cancel()
                _too_long(length)
            parts.append(chunk)
    finally:
        reader.release_lock()
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_long(length: int) -> NoReturn:
    refuse("PUT", 413, f"Value length of {length} exceeds limit of {MAX_VALUE_BYTES}.")


def limit_of(options: dict[str, Any]) -> int:
    """How many keys are wanted; without a positive number as many as there may be."""
    limit = integer(options.get("limit"))
    if limit > MAX_LISTED:
        refuse("GET", 400, f"Invalid key_count_limit of {limit}. Please specify an integer less than {MAX_LISTED}.")
    return limit if limit > 0 else MAX_LISTED


def text_of(options: dict[str, Any], name: str) -> str:
    """A text among the options, empty if there is none. TypeError for anything else."""
    value = options.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"list() takes a str as {name}, not {type(value).__name__}")
    return value


def cursor_after(key: str) -> str:
    """The cursor of a list that goes on after `key`."""
    return base64.b64encode(key.encode("utf-8", "replace")).decode()


def key_of_cursor(cursor: str) -> str | None:
    """The key after which a list goes on. Text that is no cursor is read as far as it is one, as on the platform."""
    try:
        return base64.b64decode(cursor + "===").decode("utf-8", "replace") or None
    except (binascii.Error, ValueError):
        return None


def integer(value: object) -> int:
    """An option as an int of 32 bits, as JavaScript makes one: no number is 0, a fraction is cut off."""
    try:
        number = float(value or 0)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        return 0
    if not math.isfinite(number):
        return 0
    if not -_LARGEST_INT - 1 <= number <= _LARGEST_INT:
        raise TypeError(f"Value out of range. Must be between {-_LARGEST_INT - 1} and {_LARGEST_INT} (inclusive).")
    return int(number)


def _number_text(value: float) -> str:
    """A number or a bool as JavaScript writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        if value.is_integer() and abs(value) < 1e21:
            return str(int(value))
    return str(value)
