"""Text that came from data, as it is shown to people: on a terminal, on a page, in a report, in a log.

Whoever names a step, raises an error or writes a configuration must not thereby clear a terminal, set its title, turn
the direction of a line round or pretend to be another line. Such characters are shown as Python writes them: `\\x1b`.
"""

import re

# Controls but for tabs and line breaks; what turns the direction of text, breaks lines or is invisible; surrogates.
# What joins letters and emoji (U+200C, U+200D) and the selectors of their form are part of honest text.
_CLASS = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e00ff"
)
_UNSAFE = re.compile(f"[{_CLASS}]")
_UNSAFE_IN_LINE = re.compile(f"[{_CLASS}\t\n]")
_NAMES = {"\r": r"\r", "\n": r"\n", "\t": r"\t"}


def shown(text: object) -> str:
    """`str(text)` with what a terminal would obey written out; tabs and line breaks stay, as in a traceback."""
    plain = str(text)
    return plain if plain.isprintable() else _UNSAFE.sub(_escape, plain)


def shown_line(text: object) -> str:
    """The same for what is part of a line, such as a name: tabs and line breaks are written out too."""
    plain = str(text)
    return plain if plain.isprintable() else _UNSAFE_IN_LINE.sub(_escape, plain)


def shown_json(text: str) -> str:
    """The same for JSON, which stays JSON of the same value: these characters are written as JSON writes them."""
    return text if text.isprintable() else _UNSAFE.sub(_json_escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    known = _NAMES.get(character)
    return known or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + ((code - 0x10000) >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
