"""`TextEncoder` and `TextDecoder`, by the rules of the WHATWG encoding standard."""

import codecs
from collections.abc import Mapping
from typing import Any, TypedDict

from cfworkflows.web.labels import codec_of

_MARKED = {"utf-8", "utf-16le", "utf-16be"}


class EncodeResult(TypedDict):
    """What `encode_into` did: characters of the text, in units of UTF-16, and bytes of the buffer."""

    read: int
    written: int


class TextEncoder:
    """Text to UTF-8, as `text.encode()`; a lone surrogate becomes U+FFFD."""

    __slots__ = ()
    encoding = "utf-8"

    def encode(self, text: str = "") -> bytes:
        """The text as UTF-8."""
        return _utf8(text)

    def encode_into(self, text: str, buffer: "bytearray | memoryview[int]") -> EncodeResult:
        """Write as many whole characters as fit to the start of `buffer`."""
        read = written = 0
        for char in text:
            data = _utf8(char)
            if written + len(data) > len(buffer):
                break
            buffer[written : written + len(data)] = data
            written += len(data)
            read += 2 if ord(char) > 0xFFFF else 1
        return {"read": read, "written": written}

    encodeInto = encode_into  # noqa: N815 - the platform's name


class DecodeOptions(TypedDict, total=False):
    """`stream`: more bytes follow."""

    stream: bool


class TextDecoder:
    """Bytes to text. `label` is any name of the encoding standard, such as `"utf-8"` or `"latin1"`.

    Options, as a dict or by name: `fatal` raises TypeError for invalid bytes, which else become U+FFFD;
    `ignore_bom` (`ignoreBOM`) keeps a byte order mark, which else is dropped. ValueError for an unknown label:
    JavaScript's RangeError.
    """

    def __init__(
        self,
        label: str = "utf-8",
        options: Mapping[str, Any] | None = None,
        *,
        fatal: bool = False,
        ignore_bom: bool = False,
    ) -> None:
        given = dict(options or {})
        self.encoding, self._codec = codec_of(label)
        self.fatal = bool(given.pop("fatal", fatal))
        self.ignore_bom = bool(given.pop("ignoreBOM", given.pop("ignore_bom", ignore_bom)))
        if given:
            raise TypeError(f"TextDecoder does not support the option {next(iter(given))!r}: fatal and ignoreBOM.")
        self._decoder = self._new_decoder()
        self._at_start = True

    @property
    def ignoreBOM(self) -> bool:  # noqa: N802 - the platform's name
        return self.ignore_bom

    def decode(
        self,
        data: "bytes | bytearray | memoryview[int]" = b"",
        options: DecodeOptions | None = None,
        *,
        stream: bool = False,
    ) -> str:
        """The text of `data`. With `{"stream": True}` it may end within a character, which the next call continues."""
        more = bool(options.get("stream", stream)) if options else stream
        try:
            text = self._decoder.decode(bytes(data), not more)
        except UnicodeError as error:
            self._start()
            raise TypeError(f"Failed to decode input. {error}") from error
        if text and self._at_start:
            self._at_start = False
            if not self.ignore_bom and self.encoding in _MARKED:
                text = text.removeprefix("\ufeff")
        if not more:
            self._start()
        return text

    def _start(self) -> None:
        self._decoder = self._new_decoder()
        self._at_start = True

    def _new_decoder(self) -> codecs.IncrementalDecoder:
        errors = "strict" if self.fatal else "replace"
        if self.encoding.startswith("windows-"):
            errors = f"cfworkflows-controls-{errors}"
            codecs.register_error(errors, _keep_controls if self.fatal else _keep_controls_or_replace)
        return codecs.getincrementaldecoder(self._codec)(errors)


def _keep_controls(error: UnicodeError) -> tuple[str, int]:
    """Bytes without a character in a Windows code page are the control characters of their number (the standard)."""
    if isinstance(error, UnicodeDecodeError) and 0x80 <= error.object[error.start] <= 0x9F:
        return chr(error.object[error.start]), error.start + 1
    raise error


def _keep_controls_or_replace(error: UnicodeError) -> tuple[str, int]:
    try:
        return _keep_controls(error)
    except UnicodeDecodeError as undefined:
        return "\ufffd", undefined.start + 1


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
