"""A configuration file: its data, and the line and column of every value in it."""

from pathlib import Path as FilePath
from typing import Any, NamedTuple

from cfworkflows_emulator.config.diagnostics import ConfigError, Diagnostic, Location, Path
from cfworkflows_emulator.config.jsonc import Jsonc, JsonSyntaxError
from cfworkflows_emulator.config.toml import Toml, TomlSyntaxError


class Source(NamedTuple):
    """A file that could be read and parsed. `shown` is its path for display."""

    path: FilePath
    shown: str
    text: str
    document: Jsonc | Toml

    @property
    def data(self) -> Any:
        """The parsed content: dicts, lists, text, numbers, booleans, None, and in TOML dates."""
        return self.document.data

    @property
    def is_toml(self) -> bool:
        return isinstance(self.document, Toml)

    def location(self, path: Path, *, key: bool = False) -> Location:
        """Where the value at `path` is, or with `key` its key; if there is none, where the value around it is."""
        while path:
            offset = self.document.offset(path, key=key)
            if offset is not None:
                return locate(self.shown, self.text, offset)
            path = path[:-1]
            key = False
        return Location(self.shown, 1, 1)

    def repeated(self) -> list[tuple[Path, Location]]:
        """The keys that come twice in an object; TOML does not allow them at all."""
        if isinstance(self.document, Toml):
            return []
        return [(path, locate(self.shown, self.text, offset)) for path, offset in self.document.repeated()]


def read_source(path: FilePath, *, cwd: FilePath) -> Source:
    """Read and parse the file, by its ending: `.toml`, or anything else as JSON with comments.

    Raises ConfigError if it cannot be read or parsed.
    """
    shown = shown_path(path, cwd)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError([Diagnostic(f"Could not read file: {shown}\n{error.strerror or error}.")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            [Diagnostic(f"Could not read file: {shown}\nIt is not UTF-8: {error.reason} at byte {error.start}.")]
        ) from error
    try:
        document = Toml(text) if path.suffix == ".toml" else Jsonc(text)
    except (JsonSyntaxError, TomlSyntaxError) as error:
        where = locate(shown, text, error.offset)
        raise ConfigError([Diagnostic(str(error), "error", where, error.suggestion, file=shown)]) from None
    except RecursionError:
        raise ConfigError([Diagnostic("The configuration is nested too deeply.", file=shown)]) from None
    if not isinstance(document.data, dict):
        where = locate(shown, text, 0)
        raise ConfigError([Diagnostic("The configuration should be an object { ... }.", "error", where, file=shown)])
    return Source(path, shown, text, document)


def locate(file: str, text: str, offset: int) -> Location:
    """The line and column of `offset`. A line ends at `\\n`, with or without `\\r` before it."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)].rstrip("\r")
    return Location(file, text.count("\n", 0, start) + 1, offset - start + 1, line)


def shown_path(path: FilePath, cwd: FilePath) -> str:
    """The path relative to `cwd` if it is below it, else the whole path."""
    return path.relative_to(cwd).as_posix() if path.is_relative_to(cwd) else str(path)
