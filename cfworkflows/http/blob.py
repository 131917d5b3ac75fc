"""`Blob` and `File`: bytes with a type, and with a name."""

from collections.abc import Iterable, Mapping
from typing import Any, Union

from cfworkflows.http.streams import ReadableStream, to_bytes

BlobPart = Union[str, bytes, bytearray, memoryview, "Blob"]
Bytes = bytes  # inside the class, `bytes` is the method


class Blob:
    """Bytes with a content type, in memory.

    `parts` is one part or an iterable of them; text is written as UTF-8. `{"type": ...}` may be a dict in second
    position or a keyword.
    """

    __slots__ = ("__weakref__", "_content", "_type")

    def __init__(
        self,
        parts: BlobPart | Iterable[BlobPart] = (),
        options: Mapping[str, Any] | None = None,
        *,
        type: str | None = None,
    ) -> None:
        given = dict(options or {})
        kind = given.pop("type", None) if type is None else type
        _refuse_unknown("Blob", given)
        single = isinstance(parts, (str, bytes, bytearray, memoryview, Blob))
        self._content = b"".join(map(_part, [parts] if single else parts))  # type: ignore[arg-type]  # a single part is put into a list
        self._type = "" if kind is None or not (kind.isascii() and kind.isprintable()) else kind.lower()

    @property
    def size(self) -> int:
        """The length in bytes."""
        return len(self._content)

    @property
    def type(self) -> str:
        """The content type in lower case, or `""`."""
        return self._type

    async def text(self) -> str:
        """The content as text, with U+FFFD where it is not UTF-8."""
        return self._content.decode("utf-8", "replace")

    async def bytes(self) -> Bytes:
        return self._content

    async def array_buffer(self) -> Bytes:
        """The same as `bytes()`: Python's form of an ArrayBuffer."""
        return self._content

    def stream(self) -> ReadableStream:
        return ReadableStream(self._content)

    def slice(
        self,
        start: int = 0,
        end: int | None = None,
        type: str = "",
    ) -> "Blob":
        """The bytes from `start` to before `end`; negative numbers count from the end."""
        return Blob(self._content[start:end], type=type)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}(size={self.size}, type={self._type!r})"

    arrayBuffer = array_buffer  # noqa: N815 - the platform's name


class File(Blob):
    """A Blob with a name.

    `last_modified` is in ms since 1970 and 0 by default: the current time would differ between a run and its replay.
    """

    __slots__ = ("_last_modified", "_name")

    def __init__(
        self,
        parts: BlobPart | Iterable[BlobPart],
        name: str,
        options: Mapping[str, Any] | None = None,
        *,
        type: str | None = None,
        last_modified: int = 0,
        lastModified: int = 0,  # noqa: N803 - the platform's name
    ) -> None:
        given = dict(options or {})
        modified = given.pop("lastModified", 0) or given.pop("last_modified", 0)
        super().__init__(parts, given, type=type)
        self._name = str(name)
        self._last_modified = last_modified or lastModified or modified

    @property
    def name(self) -> str:
        return self._name

    @property
    def last_modified(self) -> int:
        return self._last_modified

    lastModified = last_modified  # noqa: N815 - the platform's name


def _part(part: object) -> Bytes:
    if isinstance(part, Blob):
        return part._content
    if isinstance(part, (str, bytes, bytearray, memoryview)):
        return to_bytes(part)
    raise TypeError(f"A part of a Blob must be text, bytes or a Blob, not {type(part).__name__}.")


def _refuse_unknown(what: str, options: Mapping[str, Any]) -> None:
    if options:
        raise TypeError(f"{what} does not support the options {sorted(options)}; it takes type (File: lastModified).")
