"""Values to JSON text."""

import binascii
import enum
import json
import math
import re
import reprlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple
from uuid import UUID

from cfworkflows.errors import ErrorRecord, SerializationError, StepError, name_of, text_of
from cfworkflows.values.classes import class_name, is_model, model_field_as_json, model_fields
from cfworkflows.values.jsdict import JsDict
from cfworkflows.values.refusal import UnstorableError, refuse, refuse_as_finer

MAX_DEPTH = 200
"""How many containers deep a value may be nested."""

_SAFE_INTEGER = 2**53 - 1  # What every other reader of JSON keeps exactly.
_ATOMS = frozenset({str, bool, type(None)})
_SURROGATE_PAIR = re.compile(r"(?<=[\ud800-\udbff])(?=[\udc00-\udfff])")


def text_encoder(*, ensure_ascii: bool, allow_nan: bool) -> Callable[[Any], str]:
    """A function that writes compact JSON of what does not contain itself.

    `JSONEncoder.encode` makes its encoder in C anew for each value; this keeps one.
    """
    encoder = json.JSONEncoder(
        ensure_ascii=ensure_ascii, allow_nan=allow_nan, check_circular=False, separators=(",", ":")
    )
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # a Python without it
        return encoder.encode
    quoted = json.encoder.encode_basestring_ascii if ensure_ascii else json.encoder.encode_basestring
    write = make(None, encoder.default, quoted, None, ":", ",", False, False, allow_nan)
    return lambda tree: "".join(write(tree, 0))


_unicode_text = text_encoder(ensure_ascii=False, allow_nan=False)
_ascii_text = text_encoder(ensure_ascii=True, allow_nan=False)


def encode(value: object) -> str:
    """The JSON text of `value`, with type tags for what JSON lacks.

    `decode` returns the same value with the same type, save that a dict comes back as a JsDict, a memoryview as
    bytes, an exception as ErrorRecord rebuilds it, and an instance of a builtin's subclass as that builtin. A value
    that appears twice is written twice. A timezone is kept if it is a `datetime.timezone` or a ZoneInfo; of any other
    the offset is kept. Private attributes of a model are not stored.

    Raises SerializationError, which says where in the value, for what cannot be stored (locks, functions, files,
    instances of classes that are not data), for a value that contains itself, and for nesting beyond MAX_DEPTH.
    """
    if type(value) is int and -_SAFE_INTEGER <= value <= _SAFE_INTEGER:
        return repr(value)
    if value is None:
        return "null"
    if type(value) is dict and not value:
        return "{}"
    try:
        if _is_plain(value, MAX_DEPTH):
            text = _unicode_text(value)
            if text.isascii() or _is_utf8(text):
                return text
        tree = _tagged(value)
        text = _unicode_text(tree)
        return text if text.isascii() or _is_utf8(text) else _ascii_text(tree)
    except RecursionError:
        raise SerializationError("$: nested too deeply for the stack that is left. Return flatter data.") from None


def _tagged(value: object) -> Any:
    tagger = _Tagger()
    try:
        return tagger.tag(value)
    except (SerializationError, RecursionError):
        raise
    except BaseException as failure:  # noqa: BLE001 - whatever the methods of the user's classes raise
        raise tagger.error(
            f"it cannot be read: {name_of(type(failure))}: {text_of(failure)}. Return plain data."
        ) from None


def _is_plain(value: Any, depth: int) -> bool:
    """Whether JSON keeps `value` exactly, so that the C encoder can write it as it is. Lone surrogates aside."""
    kind = type(value)
    if kind is dict or kind is JsDict:
        if "$" in value or not depth:
            return False
        for key, item in value.items():
            if type(key) is not str or not (type(item) in _ATOMS or _is_plain(item, depth - 1)):
                return False
        return True
    if kind is list:
        if not depth:
            return False
        for item in value:  # noqa: SIM110 - a generator would double the time
            if not (type(item) in _ATOMS or _is_plain(item, depth - 1)):
                return False
        return True
    if kind is int:
        return bool(-_SAFE_INTEGER <= value <= _SAFE_INTEGER)
    if kind is float:
        return math.isfinite(value)
    return kind in _ATOMS


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Parts(NamedTuple):
    """A container taken apart: its items, their places, and how to build its tree from their trees."""

    places: Iterable[object]
    children: Iterable[object]
    build: Callable[[list[Any]], Any]
    otherwise: Callable[[Any], Any] | None = None  # another form of the child at a place, if the child has no tree


class _Label(str):
    """A place in a path that is not a key."""

    __slots__ = ()


class _Tagger:
    def __init__(self) -> None:
        self.path: list[object] = []
        self.open: list[int] = []

    def tag(self, value: object) -> Any:
        """The tree that the JSON encoder writes for `value`."""
        if value is None or value is True or value is False:
            return value
        try:
            written = _writer(value)(value)
        except UnstorableError as error:
            raise self.error(str(error)) from None
        if type(written) is not _Parts:
            return written
        if id(value) in self.open:
            raise self.error("it contains itself. Return data without cycles.")
        if len(self.open) == MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} levels deep. Return flatter data.")
        self.open.append(id(value))
        depth = len(self.path)
        trees = []
        for place, child in zip(written.places, written.children, strict=True):
            self.path.append(place)
            try:
                trees.append(self.tag(child))
            except SerializationError:
                if written.otherwise is None:
                    raise
                del self.path[depth + 1 :], self.open[depth + 1 :]
                try:
                    other = written.otherwise(place)
                except (ValueError, TypeError, KeyError):
                    other = None
                if other is None:
                    raise
                trees.append(self.tag(other))
            self.path.pop()
        self.open.pop()
        return written.build(trees)

    def error(self, text: str) -> SerializationError:
        path = "$" + "".join(map(_segment, self.path))
        shown = path if len(path) <= 200 else f"{path[:120]} … {path[-60:]}"
        return SerializationError(f"{shown}: {text}", path=path)


def _segment(place: object) -> str:
    if isinstance(place, _Label):
        return f".<{place}>"
    if isinstance(place, str):
        return f".{place}" if place.isidentifier() else f"[{json.dumps(place)}]"
    try:
        return f"[{reprlib.repr(place)}]"
    except ValueError:  # an integer too long for Python to print
        return f"[<{type(place).__name__}>]"


def _writer(value: object) -> Callable[[Any], Any]:
    kind = type(value)
    writer = _WRITERS.get(kind)
    if writer is not None:
        return writer
    if isinstance(value, BaseException):
        return _error
    if isinstance(value, enum.Enum):
        return _enum
    if is_model(kind):
        return _model
    if is_dataclass(kind):
        return _dataclass
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return _namedtuple
    if not getattr(value, "__dict__", {}).keys() - {"__orig_class__"}:  # set by a call of Subclass[T]()
        for base in kind.__mro__:
            if base in _WRITERS:
                return _WRITERS[base]
            if vars(base).get("__slots__"):
                break
    return refuse


def _int(value: int) -> Any:
    if -_SAFE_INTEGER <= value <= _SAFE_INTEGER:
        return value
    # Python refuses to convert very long decimals: those are written in base 16.
    return {"$": "int", "v": int.__repr__(value) if value.bit_length() < 2000 else hex(value)}


def _float(value: float) -> Any:
    return value if math.isfinite(value) else {"$": "float", "v": float.__repr__(value)}


def _str(value: str) -> Any:
    # Two lone surrogates side by side would be read as one character.
    if value.isascii() or not _SURROGATE_PAIR.search(value):
        return value
    return {"$": "str", "v": _SURROGATE_PAIR.split(value)}


def _base64(data: bytes | bytearray | memoryview) -> str:
    return binascii.b2a_base64(bytes(data), newline=False).decode("ascii")


def _moment(tag: str, kind: Any, value: Any) -> dict[str, Any]:
    """`kind` is the class itself: libraries that freeze the time replace it under its name."""
    if type(value) is not kind:
        local = value.replace(tzinfo=None)
        is_same = kind.fromisoformat(kind.isoformat(local)) == local  # its own `==`
        if not is_same:
            refuse_as_finer(value, tag)
    tree: dict[str, Any] = {"$": tag, "v": kind.isoformat(value)}
    if value.fold:
        tree["fold"] = 1
    zone = value.tzinfo
    if isinstance(zone, timezone):
        offset = zone.utcoffset(None)
        if offset.microseconds:  # fromisoformat overlooks them in an offset below a second
            tree["offset"] = [offset.days, offset.seconds, offset.microseconds]
        if zone.tzname(None) != timezone(offset).tzname(None):
            tree["tzname"] = _str(zone.tzname(None))
    elif zone is not None:
        from zoneinfo import ZoneInfo

        if isinstance(zone, ZoneInfo) and zone.key:
            tree["zone"] = zone.key
        elif value.utcoffset() is None:
            raise UnstorableError(
                f"a {tag} in {zone!r}, which has no fixed offset, cannot be stored. Use zoneinfo.ZoneInfo."
            )
    return tree


def _error(error: BaseException) -> dict[str, Any]:
    record = ErrorRecord.of(error, error.original_traceback if isinstance(error, StepError) else None)
    tree = {"$": "error", "name": _str(record.name), "message": _str(record.message)}
    return tree if record.traceback is None else tree | {"traceback": _str(record.traceback)}


def _pattern(value: "re.Pattern[Any]") -> dict[str, Any]:
    pattern = value.pattern
    source = _str(pattern) if isinstance(pattern, str) else {"$": "bytes", "v": _base64(pattern)}
    return {"$": "pattern", "v": source, "flags": value.flags & ~re.DEBUG}


def _list(value: Sequence[object]) -> _Parts:
    return _Parts(range(len(value)), value, lambda trees: trees)


def _tuple(value: Sequence[object]) -> _Parts:
    return _Parts(range(len(value)), value, lambda trees: {"$": "tuple", "v": trees})


def _set(value: set[object] | frozenset[object]) -> _Parts:
    # Sorted, because the order of a set changes from process to process, and the text must not.
    tag = "frozenset" if isinstance(value, frozenset) else "set"
    return _Parts(
        [_Label("set item")] * len(value), value, lambda trees: {"$": tag, "v": sorted(trees, key=_ascii_text)}
    )


def _dict(value: dict[Any, Any]) -> _Parts:
    keys, items = list(value.keys()), list(value.values())
    if _are_plain_keys(keys):
        return _Parts(keys, items, lambda trees: dict(zip(keys, trees, strict=True)))
    return _Parts(
        [place for key in keys for place in (_Label("key"), key)],
        [part for pair in zip(keys, items, strict=True) for part in pair],
        lambda trees: {"$": "dict", "v": [list(pair) for pair in zip(trees[::2], trees[1::2], strict=True)]},
    )


def _are_plain_keys(keys: list[Any]) -> bool:
    return all(type(key) is str and key != "$" and (key.isascii() or not _SURROGATE_PAIR.search(key)) for key in keys)


def _object(value: object, values: dict[str, Any], **more: Any) -> _Parts:
    names = list(values)

    def build(trees: list[Any]) -> dict[str, Any]:
        if _are_plain_keys(names):
            tagged: dict[str, Any] = dict(zip(names, trees, strict=True))
        else:
            tagged = {"$": "dict", "v": [[_str(name), tree] for name, tree in zip(names, trees, strict=True)]}
        return {"$": "object", "class": class_name(type(value)), "fields": tagged, **more}

    return _Parts(names, values.values(), build)


def _model(value: Any) -> _Parts:
    values = model_fields(value)
    unset = [name for name in type(value).model_fields if name in values and name not in value.model_fields_set]
    parts = _object(value, values, **({"unset": unset} if unset else {}))
    return parts._replace(otherwise=lambda name: model_field_as_json(value, name))


def _dataclass(value: Any) -> _Parts:
    names = [field.name for field in fields(value)]
    return _object(value, {name: getattr(value, name) for name in names if hasattr(value, name)})


def _namedtuple(value: Any) -> _Parts:
    return _object(value, dict(zip(value._fields, value, strict=True)))


def _enum(value: enum.Enum) -> _Parts:
    tree: dict[str, Any] = {"$": "enum", "class": class_name(type(value)), "name": value.name}
    return _Parts(["value"], [value.value], lambda trees: tree | {"v": trees[0]})


_WRITERS: dict[type, Callable[[Any], Any]] = {
    str: _str,
    int: _int,
    float: _float,
    list: _list,
    dict: _dict,
    JsDict: _dict,
    tuple: _tuple,
    set: _set,
    frozenset: _set,
    bytes: lambda value: {"$": "bytes", "v": _base64(value)},
    bytearray: lambda value: {"$": "bytearray", "v": _base64(value)},
    memoryview: lambda value: {"$": "bytes", "v": _base64(value)},
    complex: lambda value: {"$": "complex", "v": [_float(value.real), _float(value.imag)]},
    datetime: partial(_moment, "datetime", datetime),
    time: partial(_moment, "time", time),
    date: lambda value: {"$": "date", "v": date.isoformat(value)},
    timedelta: lambda value: {"$": "timedelta", "v": [value.days, value.seconds, value.microseconds]},
    Decimal: lambda value: {"$": "decimal", "v": str(value)},
    UUID: lambda value: {"$": "uuid", "v": str(value)},
    re.Pattern: _pattern,
    Path: lambda value: {"$": "path", "v": _str(str(value))},
    PurePosixPath: lambda value: {"$": "posixpath", "v": _str(str(value))},
    PureWindowsPath: lambda value: {"$": "windowspath", "v": _str(str(value))},
}
