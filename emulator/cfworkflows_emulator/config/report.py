"""Collects the problems of a file while it is checked."""

from typing import Literal

from cfworkflows_emulator.config.diagnostics import Diagnostic, Location, Path, Severity
from cfworkflows_emulator.config.source import Source


class Report:
    """The problems found so far. Paths are those of a section: `section()` returns a report for one below `env`."""

    def __init__(self, source: Source, env: str | None = None, diagnostics: list[Diagnostic] | None = None) -> None:
        self.source = source
        self.env = env
        self.diagnostics: list[Diagnostic] = [] if diagnostics is None else diagnostics

    def section(self, env: str) -> "Report":
        """A report that adds to the same list, for paths below `env.<env>`."""
        return Report(self.source, env, self.diagnostics)

    def location(self, path: Path, *, key: bool = False) -> Location:
        """Where the value at `path` of this section is, or with `key` its key."""
        prefix: Path = () if self.env is None else ("env", self.env)
        return self.source.location((*prefix, *path), key=key)

    def error(
        self, message: str, path: Path = (), *, at: Literal["value", "key"] = "value", suggestion: str | None = None
    ) -> None:
        """Add an error: the configuration cannot be used."""
        self._add("error", message, path, at, suggestion)

    def warning(
        self, message: str, path: Path = (), *, at: Literal["value", "key"] = "value", suggestion: str | None = None
    ) -> None:
        """Add a warning: the configuration can be used, but is probably not what was meant."""
        self._add("warning", message, path, at, suggestion)

    @property
    def errors(self) -> list[Diagnostic]:
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error"]

    @property
    def warnings(self) -> list[Diagnostic]:
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "warning"]

    def _add(self, severity: Severity, message: str, path: Path, at: str, suggestion: str | None) -> None:
        where = self.location(path, key=at == "key")
        self.diagnostics.append(Diagnostic(message, severity, where, suggestion, self.source.shown, self.env))
