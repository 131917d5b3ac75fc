"""JSON with comments and trailing commas, as the standard library's parser reads it.

Comments and trailing commas are replaced by spaces of the same length: the rest is JSON, and every offset in it is an
offset in the file.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from cfworkflows_emulator.config.diagnostics import Path

_STRING = r'"(?:[^"\\\r\n]|\\.)*"?'
_COMMENT = re.compile(rf"{_STRING}|//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_COMMA = re.compile(rf"{_STRING}|,(?=[ \t\r\n]*[}}\]])")
_CONSTANT = re.compile(rf"{_STRING}|NaN|-?Infinity")
_NOT_LINE_END = re.compile(r"[^\r\n]")
_SPACE = re.compile(r"[ \t\r\n]*")
LONG_INTEGER = re.compile(r"(?<![\w.])[0-9][0-9_]{4299,}")
TOO_LONG = "A number has too many digits."
LONG_HINT = "Write it as text, in quotes."
_PLAIN = json.JSONDecoder()

# The first words of the standard library's message; the platform's name for the mistake; what is wrong; what to do.
_MISTAKES = {
    "Expecting value": ("ValueExpected", "a value is missing", 'Text is in double quotes, as in "src/entry.py".'),
    "Expecting ':'": ("ColonExpected", "a colon is missing", "Put a colon between a key and its value."),
    "Expecting ','": ("CommaExpected", "a comma is missing", "Put a comma, or a closing bracket, before this."),
    "Expecting property name": ("PropertyNameExpected", "a key is missing", 'Keys are in double quotes, as in "main".'),
    "Extra data": ("EndOfFileExpected", "the configuration has ended before this", "Remove what follows the last }."),
    "Unterminated string": ("UnexpectedEndOfString", "the text has no end", "Close it with a double quote."),
    "Invalid control": (
        "InvalidCharacter",
        "a character that text may not hold",
        r"Write \n for a line break, \t for a tab.",
    ),
    "Invalid \\u": ("InvalidUnicode", "not an escape", r"Write \u and four hexadecimal digits."),
    "Invalid \\": ("InvalidEscapeCharacter", "not an escape", r"A backslash in text is written twice: \\."),
}


class JsonSyntaxError(ValueError):
    """The text is not JSON. `offset` says where, `suggestion` what to do."""

    def __init__(self, message: str, offset: int, suggestion: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.suggestion = suggestion


class Jsonc:
    """A parsed document: `data`, and where its values are. `text` must come without a byte order mark."""

    def __init__(self, text: str) -> None:
        self._json = _to_json(text)
        self._repeated = False
        try:
            self.data: Any = json.loads(self._json, object_pairs_hook=self._object, parse_constant=self._constant)
        except json.JSONDecodeError as error:
            raise _explain(error) from None
        except ValueError:  # Python reads no longer integers, so as not to be busy for ever
            found = LONG_INTEGER.search(self._json)
            if found is None:
                raise
            raise JsonSyntaxError(TOO_LONG, found.start(), LONG_HINT) from None

    def offset(self, path: Path, *, key: bool = False) -> int | None:
        """Where the value at `path` starts, or with `key` its key; None if there is nothing at `path`."""
        at = key_at = self._skip(0)
        for part in path:
            # Of a repeated key the last one counts.
            found = [(member, value) for name, member, value in self._members(at) if name == part]
            if not found:
                return None
            key_at, at = found[-1]
        return key_at if key else at

    def repeated(self) -> Iterator[tuple[Path, int]]:
        """The path and the offset of each key that is repeated in its object."""
        return self._repetitions((), self._skip(0)) if self._repeated else iter(())

    def _repetitions(self, path: Path, at: int) -> Iterator[tuple[Path, int]]:
        seen = set()
        for name, key_at, value_at in self._members(at):
            if name in seen:
                yield (*path, name), key_at
            seen.add(name)
            yield from self._repetitions((*path, name), value_at)

    def _members(self, at: int) -> Iterator[tuple[str | int, int, int]]:
        """The key or index, the offset of the key, and the offset of the value, of each item of the value at `at`."""
        text = self._json
        opening = text[at]
        if opening not in "{[":
            return
        at = self._skip(at + 1)
        index = 0
        while text[at] not in "}]":
            name: str | int = index
            key_at = at
            if opening == "{":
                name, at = _PLAIN.raw_decode(text, at)
                at = self._skip(self._skip(at) + 1)
            yield name, key_at, at
            at = self._skip(_PLAIN.raw_decode(text, at)[1])
            if text[at] == ",":
                at = self._skip(at + 1)
            index += 1

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._json, at)
        assert match is not None
        return match.end()

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        self._repeated = self._repeated or len(value) < len(pairs)
        return value

    def _constant(self, name: str) -> None:
        for match in _CONSTANT.finditer(self._json):
            if match[0] == name:
                raise JsonSyntaxError(f"InvalidSymbol: {name} is not JSON.", match.start(), "Write a finite number.")


def _to_json(text: str) -> str:
    def blank(match: re.Match[str]) -> str:
        return match[0] if match[0][0] == '"' else _NOT_LINE_END.sub(" ", match[0])

    def comma(match: re.Match[str]) -> str:
        if match[0] != ",":
            return match[0]
        before = match.start() - 1
        while before >= 0 and plain[before] in " \t\r\n":
            before -= 1
        # A comma that follows nothing is a mistake, not a trailing comma.
        return "," if before < 0 or plain[before] in "[{,:" else " "

    plain = _COMMENT.sub(blank, text)
    return _COMMA.sub(comma, plain)


def _explain(error: json.JSONDecodeError) -> JsonSyntaxError:
    end = len(error.doc.rstrip())
    if end == 0:
        return JsonSyntaxError("ValueExpected: the file is empty.", 0, 'Start with { "name": "my-worker" }.')
    if error.doc.startswith("/*", error.pos):
        return JsonSyntaxError("UnexpectedEndOfComment: the comment has no end.", error.pos, "Close it with */.")
    if error.pos >= end:
        return JsonSyntaxError("UnexpectedEndOfFile: the file ends too early.", end, "Add the closing bracket.")
    for start, (code, message, suggestion) in _MISTAKES.items():
        if error.msg.startswith(start):
            return JsonSyntaxError(f"{code}: {message}.", error.pos, suggestion)
    return JsonSyntaxError(f"{error.msg}.", error.pos, "See https://www.json.org for the grammar.")
