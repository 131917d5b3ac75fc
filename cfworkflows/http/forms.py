"""`FormData` and `URLSearchParams`: ordered names and values, where a name may come more than once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, Self, TypeVar, Union

from cfworkflows.http.blob import Blob, File
from cfworkflows.http.strings import Text, to_string

V = TypeVar("V")

FormValue = str | File


class _Fields(Generic[V]):
    """An ordered list of names and values, where a name may come more than once."""

    def __init__(self) -> None:
        self._fields: list[tuple[str, V]] = []

    def _fill(self, init: Any) -> None:
        if isinstance(init, _Fields):
            self._fields = init._fields.copy()
            return
        if isinstance(init, (str, bytes)) or not isinstance(init, Iterable):
            kind = type(init).__name__
            raise TypeError(f"{type(self).__name__} is built from a dict or name and value pairs, not {kind}.")
        for name, value in init.items() if isinstance(init, Mapping) else init:
            self._fields.append((to_string(name, "A field's name"), self._value(name, value)))

    def _value(self, name: str, value: Any, filename: str | None = None) -> V:
        raise NotImplementedError  # each kind of form says what its values are

    def _changed(self) -> None:
        """Called after each change."""

    def _set(self, name: str, value: V) -> None:
        self._put(name, value)
        self._changed()

    def _put(self, name: str, value: V) -> None:
        places = [place for place, (other, _) in enumerate(self._fields) if other == name]
        if not places:
            self._fields.append((name, value))
            return
        self._fields[places[0]] = (name, value)
        for place in reversed(places[1:]):
            del self._fields[place]

    def get(self, name: str) -> V | None:
        """The first value of `name`, or None."""
        return next((value for other, value in self._fields if other == name), None)

    def get_all(self, name: str) -> list[V]:
        """Every value of `name`, in order."""
        return [value for other, value in self._fields if other == name]

    def keys(self) -> list[str]:
        return [name for name, _ in self._fields]

    def values(self) -> list[V]:
        return [value for _, value in self._fields]

    def items(self) -> list[tuple[str, V]]:
        """Every name and value in the order they were added."""
        return self._fields.copy()

    def entries(self) -> Iterator[tuple[str, V]]:
        return iter(self.items())

    def for_each(self, callback: Callable[[V, str, Self], object]) -> None:
        """Call `callback(value, name, self)` for each field."""
        for name, value in self.items():
            callback(value, name, self)

    def __getitem__(self, name: str) -> V:
        for other, value in self._fields:
            if other == name:
                return value
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(other == name for other, _ in self._fields)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self.keys()))

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._fields!r})"

    getAll = get_all  # noqa: N815 - the platform's name
    forEach = for_each  # noqa: N815 - the platform's name


class FormData(_Fields[FormValue]):
    """The fields of a form: text, or files.

    Built from a dict, pairs, or another FormData. Iteration goes over the names; `items()` has the values too.
    """

    def __init__(self, init: Union["FormData", Mapping[str, Any], Iterable[tuple[str, Any]], None] = None) -> None:
        super().__init__()
        if init is not None:
            self._fill(init)

    def append(self, name: str, value: str | float | Blob, filename: str | None = None) -> None:
        """Add a field. A Blob becomes a File called `filename`, or `"blob"`."""
        self._fields.append((name, self._value(name, value, filename)))

    def set(self, name: str, value: str | float | Blob, filename: str | None = None) -> None:
        """Put the field in the place of the first of that name and drop the others."""
        self._set(name, self._value(name, value, filename))

    def has(self, name: str) -> bool:
        return name in self

    def delete(self, name: str) -> None:
        """Drop every field of that name."""
        self._fields = [field for field in self._fields if field[0] != name]

    def __setitem__(self, name: str, value: str | float | Blob) -> None:
        self.set(name, value)

    def _value(self, name: str, value: Any, filename: str | None = None) -> FormValue:
        if isinstance(value, File) and filename is None:
            return value
        if isinstance(value, Blob):
            modified = value.last_modified if isinstance(value, File) else 0
            return File(value, "blob" if filename is None else filename, type=value.type, last_modified=modified)
        if filename is not None:
            raise TypeError(f"Form field {name!r} has a file name, so its value must be a Blob or a File.")
        return to_string(value, f"Form field {name!r}, unless it is a Blob or a File,")


class URLSearchParams(_Fields[str], Text):
    """The fields of a query string, read from text (with or without `?`), a dict, or pairs."""

    _write: Callable[[str], None] | None = None

    def __init__(
        self, init: Union[str, "URLSearchParams", Mapping[str, Any], Iterable[tuple[str, Any]], None] = None
    ) -> None:
        super().__init__()
        if isinstance(init, str):
            self.read(init)
        elif init is not None:
            self._fill(init)

    @classmethod
    def of_url(cls, search: str, write: Callable[[str], None]) -> "URLSearchParams":
        """The fields of a URL's query. `write` receives their text after each change."""
        params = cls(search)
        params._write = write
        return params

    def read(self, text: str) -> None:
        """Replace the fields by those of a query string, without a call of `write`."""
        self._fields = parse_urlencoded(text.removeprefix("?"))

    @property
    def size(self) -> int:
        """The number of fields."""
        return len(self._fields)

    def append(self, name: str, value: str | float) -> None:
        self._fields.append((name, self._value(name, value)))
        self._changed()

    def set(self, name: str, value: str | float) -> None:
        """Put the field in the place of the first of that name and drop the others."""
        self._set(name, self._value(name, value))

    def has(self, name: str, value: str | None = None) -> bool:
        """Whether there is a field of that name (and value, if passed)."""
        return name in self if value is None else (name, value) in self._fields

    def delete(self, name: str, value: str | None = None) -> None:
        """Drop every field of that name (and value, if passed)."""
        self._fields = [(n, v) for n, v in self._fields if n != name or (value is not None and v != value)]
        self._changed()

    def sort(self) -> None:
        """Sort by name; fields of the same name keep their order."""
        self._fields.sort(key=lambda field: field[0].encode("utf-16-be", "surrogatepass"))
        self._changed()

    def to_string(self) -> str:
        """The fields as `application/x-www-form-urlencoded` text."""
        return "&".join(f"{_quote(name)}={_quote(value)}" for name, value in self._fields)

    def _value(self, name: str, value: Any, filename: str | None = None) -> str:
        return to_string(value, f"Search parameter {name!r}")

    def _changed(self) -> None:
        if self._write is not None:
            self._write(self.to_string())

    def __setitem__(self, name: str, value: str | float) -> None:
        self.set(name, value)

    def __str__(self) -> str:
        return self.to_string()

    toString = to_string  # noqa: N815 - the platform's name


def parse_urlencoded(text: str) -> list[tuple[str, str]]:
    """The fields of `application/x-www-form-urlencoded` text, with U+FFFD where it is not UTF-8."""
    from urllib.parse import parse_qsl

    return parse_qsl(text, keep_blank_values=True, errors="replace")


def _quote(text: str) -> str:
    from urllib.parse import quote_plus

    return quote_plus(text, safe="*", errors="replace").replace("~", "%7E")
