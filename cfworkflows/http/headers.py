"""`Headers`, checked and normalised as on the platform."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Union

from cfworkflows.http.strings import to_string

HeadersInit = Union["Headers", Mapping[str, Any], Iterable[tuple[str, Any]], None]
"""What `Headers(...)` and every `headers` option accept."""

RawHeaders = Iterable[tuple[str | bytes, str | bytes]]
"""Header pairs as they came over the wire."""

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN_IN_VALUE = re.compile(r"[\x00\r\n]")


class Headers:
    """HTTP headers: case-insensitive names, each with one or more values.

    Names are read in lower case and in sorted order. Several values of a name read as one text, joined with `", "`,
    except those of `Set-Cookie`, which `keys`, `values`, `items` and `entries` list one by one. It is also a mapping:
    `headers["x"]` (KeyError if absent), `"x" in headers`, `len`, and iteration over the names.

    Raises TypeError `Invalid header name.` or `Invalid header value.`, and on the headers of an incoming request, a
    redirect or a fetched response `Can't modify immutable headers.`: `Headers(those)` is a copy that can be changed.
    """

    __slots__ = ("__weakref__", "_immutable", "_values")
    __hash__ = None  # type: ignore[assignment]  # mutable, so not hashable; Python spells it so

    def __init__(self, init: HeadersInit = None) -> None:
        self._values: dict[str, list[str]] = {}
        self._immutable = False
        if isinstance(init, Headers):
            self._values = {name: values.copy() for name, values in init._values.items()}
        elif init is not None:
            for name, value in _pairs(init):
                self.append(name, value)

    @classmethod
    def from_raw(cls, pairs: RawHeaders, *, immutable: bool = False) -> "Headers":
        """For the server: headers as they came over the wire, neither checked nor stripped.

        Bytes are read as UTF-8, or as Latin-1 where they are not UTF-8.
        """
        headers = cls()
        for name, value in pairs:
            headers._values.setdefault(_decode(name).lower(), []).append(_decode(value))
        headers._immutable = immutable
        return headers

    def get(self, name: str, default: str | None = None) -> str | None:
        """The values of `name` joined with `", "`, or `default`."""
        values = self._values.get(_check_name(name))
        return default if values is None else ", ".join(values)

    def get_set_cookie(self) -> list[str]:
        """The values of every `Set-Cookie` header, in the order they were added."""
        return self._values.get("set-cookie", []).copy()

    def get_all(self, name: str) -> list[str]:
        """The values of `Set-Cookie`; the platform refuses every other name with a TypeError."""
        if _check_name(name) != "set-cookie":
            raise TypeError('getAll() can only be used with the header name "Set-Cookie".')
        return self.get_set_cookie()

    def has(self, name: str) -> bool:
        return _check_name(name) in self._values

    def set(self, name: str, value: Any) -> None:
        """Set `name` to this one value, in place of those it has."""
        self._check_mutable()
        self._values[_check_name(name)] = [_check_value(name, value)]

    def append(self, name: str, value: Any) -> None:
        """Add a value to those of `name`."""
        self._check_mutable()
        self._values.setdefault(_check_name(name), []).append(_check_value(name, value))

    def delete(self, name: str) -> None:
        """Drop `name` with all its values, if it is there."""
        self._check_mutable()
        self._values.pop(_check_name(name), None)

    def keys(self) -> list[str]:
        return [name for name, _ in self.items()]

    def values(self) -> list[str]:
        return [value for _, value in self.items()]

    def items(self) -> list[tuple[str, str]]:
        """Sorted pairs of name and joined value; one pair for each `Set-Cookie`."""
        pairs: list[tuple[str, str]] = []
        for name in sorted(self._values):
            values = self._values[name]
            if name == "set-cookie":
                pairs.extend((name, value) for value in values)
            else:
                pairs.append((name, ", ".join(values)))
        return pairs

    def entries(self) -> Iterator[tuple[str, str]]:
        return iter(self.items())

    def for_each(self, callback: Callable[[str, str, "Headers"], object]) -> None:
        """Call `callback(value, name, headers)` for each pair of `items()`."""
        for name, value in self.items():
            callback(value, name, self)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self._check_mutable()
        if not self.has(name):
            raise KeyError(name)
        self.delete(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._values))

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return self.items() == other.items() if isinstance(other, Headers) else NotImplemented

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"

    def _check_mutable(self) -> None:
        if self._immutable:
            raise TypeError("Can't modify immutable headers.")

    getSetCookie = get_set_cookie  # noqa: N815 - the platform's name
    getAll = get_all  # noqa: N815 - the platform's name
    forEach = for_each  # noqa: N815 - the platform's name


def _pairs(init: object) -> Iterator[tuple[str, Any]]:
    if isinstance(init, (str, bytes)) or not isinstance(init, Iterable):
        raise TypeError(f"Headers are built from a dict, name and value pairs, or Headers, not {init!r}.")
    for pair in init.items() if isinstance(init, Mapping) else init:
        if isinstance(pair, (str, bytes)) or len(pair) != 2:
            raise TypeError(f"A header is a pair of name and value, not {pair!r}.")
        yield pair[0], pair[1]


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise TypeError("Invalid header name.")
    return name.lower()


def _check_value(name: str, value: object) -> str:
    text = to_string(value, f"The value of header {name!r}").strip(" \t\r\n")
    if _FORBIDDEN_IN_VALUE.search(text):
        raise TypeError("Invalid header value.")
    return text


def _decode(raw: str | bytes) -> str:
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
