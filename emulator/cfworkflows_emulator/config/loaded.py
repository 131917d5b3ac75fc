"""A loaded configuration, as the rest of the emulator sees it. The code that loads it is in `loading`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cfworkflows_emulator.config.bindings import BindingInfo
from cfworkflows_emulator.config.diagnostics import Diagnostic
from cfworkflows_emulator.config.diagnostics import Path as KeyPath
from cfworkflows_emulator.config.kinds.kind import Kind, S
from cfworkflows_emulator.config.models import WorkerConfig
from cfworkflows_emulator.config.paths import value_at
from cfworkflows_emulator.config.resolved import Resolved
from cfworkflows_emulator.config.variables import Variable


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration that can be run, for one environment.

    `config` holds what this version acts on, except the bindings, which are in `sections`; `main` is the entry point as
    an absolute path. `path` is the file that was read, `directory` the folder for state and variables. `variables` has
    every variable by name, `bindings` all the other names in `env`, also those that this version does not support.
    `sources` names the files that variables come from; `watched` the files whose change, creation or removal changes
    it.
    """

    config: WorkerConfig
    path: Path
    directory: Path
    main: Path
    env: str | None
    variables: Mapping[str, Variable]
    bindings: Sequence[BindingInfo]
    warnings: Sequence[Diagnostic]
    sources: Sequence[str]
    watched: Sequence[Path]
    _sections: Mapping[str, Sequence[Any]]
    _resolved: Resolved = field(repr=False, compare=False)

    @property
    def secrets_lines(self) -> list[str]:
        """`Using secrets defined in .dev.vars`: a line for each source of variables."""
        return [f"Using secrets defined in {source}" for source in self.sources]

    @property
    def shown(self) -> str:
        """The path of the file for display."""
        return self._resolved.top.source.shown

    def sections(self, kind: Kind[S], /) -> Sequence[S]:
        """The bindings of a kind, in the order of the file."""
        return self._sections[kind.key]

    def place(self, path: KeyPath, /) -> str:
        """`file:line:column` of what is at `path` in the section that counts; the file where the path leads nowhere."""
        if value_at(self._resolved.data, path[:1]) is None:
            return self.shown
        return self._resolved.place(path)

    def problem(self, message: str, path: KeyPath, suggestion: str | None = None, /) -> Diagnostic:
        """An error about what is at `path` in the section that counts."""
        report = self._resolved.report(str(path[0]))
        where = report.location(path) if value_at(self._resolved.data, path[:1]) is not None else None
        return Diagnostic(message, "error", where, suggestion, self.shown, report.env)
