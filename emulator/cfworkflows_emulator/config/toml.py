"""TOML: read by the standard library, and by tomlkit when the place of a value is needed."""

import json
import re
from typing import TYPE_CHECKING, Any

from cfworkflows_emulator.config.diagnostics import Path
from cfworkflows_emulator.config.jsonc import LONG_HINT, LONG_INTEGER, TOO_LONG

if TYPE_CHECKING:
    import tomllib

_KEY_BEFORE = re.compile(r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*=[ \t]*\Z""")
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")
_HEADER = re.compile(r"^[ \t]*\[[^\r\n]*", re.MULTILINE)
_LONG_OTHER = re.compile(r"\b0[xob][0-9a-fA-F_]{3000,}")
_MARK = "\0"  # never part of a TOML document


class TomlSyntaxError(ValueError):
    """The text is not TOML. `offset` says where, `suggestion` what to do."""

    def __init__(self, message: str, offset: int, suggestion: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.suggestion = suggestion


class Toml:
    """A parsed document: `data`, and where its values are. `text` must come without a byte order mark."""

    def __init__(self, text: str) -> None:
        import tomllib

        self._text = text
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _explain(error, text) from None
        except ValueError:  # as in JSON
            found = LONG_INTEGER.search(text)
            if found is None:
                raise
            raise TomlSyntaxError(TOO_LONG, found.start(), LONG_HINT) from None
        if (found := _LONG_OTHER.search(text)) is not None and not _is_shown(self.data):
            raise TomlSyntaxError(TOO_LONG, found.start(), LONG_HINT)

    def offset(self, path: Path, *, key: bool = False) -> int | None:
        """Where the value at `path` starts, or with `key` its key; None if there is nothing at `path`.

        A table is at its header. One that has no header of its own is where its first key is.
        """
        if not path:
            return 0
        at = self._marked(path)
        if at is None or not key:
            return at
        line_start = self._text.rfind("\n", 0, at) + 1
        match = _KEY_BEFORE.search(self._text, line_start, at)
        return match.start() if match else at

    def _marked(self, path: Path) -> int | None:
        """Put a mark where the value is, write the document, and find the mark in the text."""
        import tomlkit
        from tomlkit.container import OutOfOrderTableProxy
        from tomlkit.items import AoT, Table

        document = tomlkit.parse(self._text)
        unmarked = document.as_string()
        parent: Any = document
        try:
            for part in path[:-1]:
                parent = parent[part]
            item = parent[path[-1]]
        except (KeyError, IndexError, TypeError):
            return None
        if isinstance(item, AoT):
            return self._marked((*path, 0))
        if isinstance(item, Table):
            item.trivia.indent += _MARK
            at = document.as_string().find(_MARK)
            return self._place(unmarked, at) if at >= 0 else self._marked((*path, next(iter(item))))
        if isinstance(item, OutOfOrderTableProxy):
            return self._marked((*path, next(iter(item))))
        parent[path[-1]] = _mark()
        return self._place(unmarked, document.as_string().index(_MARK))

    def _place(self, written: str, at: int) -> int:
        """The offset in the text of what is at the offset `at` in tomlkit's output.

        tomlkit moves the elements of an array of tables together if other tables are between them. What follows a
        header stays with it, and equal headers keep their order.
        """
        if written == self._text:
            return at
        before = [header for header in _headers(written) if header.start() <= at]
        if not before:
            return at
        start, line = before[-1].start(), before[-1][0]
        number = sum(header[0] == line for header in before) - 1
        return [header.start() for header in _headers(self._text) if header[0] == line][number] + at - start


def _headers(text: str) -> list[re.Match[str]]:
    """The lines with headers of tables. Lines in a string or an array are none: the text before is not a document."""
    return [match for match in _HEADER.finditer(text) if _is_document(text[: match.start()])]


def _is_shown(data: Any) -> bool:
    """Whether Python writes all of the integers in it: one with other digits than decimal ones may be longer."""
    try:
        json.dumps(data, default=str)
    except ValueError:
        return False
    return True


def _is_document(text: str) -> bool:
    import tomllib

    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _mark() -> Any:
    from tomlkit.items import Item, Trivia

    class Mark(Item):
        @property
        def discriminant(self) -> int:
            return 0

        @property
        def value(self) -> str:
            return _MARK

        def unwrap(self) -> str:
            return _MARK

        def as_string(self) -> str:
            return _MARK

    return Mark(Trivia())


def _explain(error: "tomllib.TOMLDecodeError", text: str) -> TomlSyntaxError:
    message = str(error)
    match = _AT.search(message)
    offset = len(text.rstrip())
    if match and match[1]:
        offset = sum(len(line) for line in text.splitlines(keepends=True)[: int(match[1]) - 1]) + int(match[2]) - 1
    suggestion = "See https://toml.io for the grammar."
    if message.startswith("Cannot "):
        suggestion = "This key or table is in the file already: keep one of the two."
    elif message.startswith("Invalid value"):
        suggestion = 'Text is in quotes, as in main = "src/entry.py".'
    return TomlSyntaxError(f"{message[: match.start()] if match else message}.", offset, suggestion)
