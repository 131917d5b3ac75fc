"""`btoa` and `atob`: base64 of text whose characters are bytes, with the web's lenient rules."""

import binascii
import re

from cfworkflows.errors import DOMException

_SPACE = re.compile(r"[\t\n\f\r ]+")
_DATA = re.compile(r"[A-Za-z0-9+/]*")


def btoa(text: str) -> str:
    """The base64 of text, each of whose characters is a byte.

    DOMException `InvalidCharacterError` for a character above U+00FF. Bytes are refused: that is
    `base64.b64encode(data).decode()`.
    """
    if not isinstance(text, str):
        raise TypeError(f"btoa takes text, not {type(text).__name__}: for bytes use base64.b64encode(data).decode().")
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        raise DOMException(
            "btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range.", "InvalidCharacterError"
        ) from None
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def atob(text: str) -> str:
    """The decoded bytes as text, one character each. `.encode("latin-1")` makes bytes of it.

    White space is skipped, and the `=` at the end may be left out. DOMException `InvalidCharacterError` for what is not
    base64.
    """
    if not isinstance(text, str):
        raise TypeError(f"atob takes text, not {type(text).__name__}: for bytes use base64.b64decode(data).")
    data = _SPACE.sub("", text)
    if len(data) % 4 == 0:
        data = data.removesuffix("=").removesuffix("=")
    if len(data) % 4 == 1 or not _DATA.fullmatch(data):
        raise DOMException(
            "atob() called with invalid base64-encoded data. (Only whitespace, '+', '/', alphanumeric ASCII, and up to "
            "two terminal '=' signs when the input data length is divisible by 4 are allowed.)",
            "InvalidCharacterError",
        )
    return binascii.a2b_base64(data + "=" * (-len(data) % 4)).decode("latin-1")
