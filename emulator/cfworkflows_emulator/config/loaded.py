"""A configuration that was loaded, as the rest of the emulator gets it: without what reads one, in `loading`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cfworkflows_emulator.config import bindings
from cfworkflows_emulator.config.bindings import BindingInfo
from cfworkflows_emulator.config.diagnostics import Diagnostic, did_you_mean, field_name
from cfworkflows_emulator.config.diagnostics import Path as KeyPath
from cfworkflows_emulator.config.environments import Resolved
from cfworkflows_emulator.config.models import WorkerConfig
from cfworkflows_emulator.config.source import shown_path
from cfworkflows_emulator.config.variables import Variable


class ServiceSection(NamedTuple):
    """One element of `services`. `entrypoint` is a named class of the Worker `service`, None for its default export;
    `props` are what it finds in `ctx.props`.
    """

    binding: str
    service: str
    entrypoint: str | None = None
    props: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration that can be run, for one environment.

    `config` holds what this version acts on; `main` is the entry point as an absolute path. `path` is the file that
    was read, `directory` the folder for state and variables. `variables` has every variable by name, `bindings`
    all the other names in `env`, with those that this version does not support. `sources` names the files that
    variables come from; `watched` the files whose change, creation or removal changes this.
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
    _resolved: Resolved = field(repr=False, compare=False)

    @property
    def secrets_lines(self) -> list[str]:
        """`Using secrets defined in .dev.vars`: a line for each source of variables."""
        return [f"Using secrets defined in {source}" for source in self.sources]

    @property
    def shown(self) -> str:
        """The path of the file as people know it."""
        return self._resolved.top.source.shown

    @property
    def services(self) -> list[ServiceSection]:
        """The bindings to the handlers of Workers."""
        return [
            ServiceSection(each["binding"], each["service"], each.get("entrypoint"), each.get("props"))
            for each in self._resolved.data.get("services") or ()
        ]

    @property
    def crons(self) -> list[str]:
        """The cron expressions that fire the Worker's `scheduled` handler."""
        return list(bindings.value_at(self._resolved.data, ("triggers", "crons")) or ())

    def place(self, path: KeyPath) -> str:
        """`file:line:column` of what is at `path` in the section that counts; the file where the path leads nowhere."""
        if bindings.value_at(self._resolved.data, path[:1]) is None:
            return self.shown
        return str(self._resolved.report(str(path[0])).location(path))

    def problem(self, message: str, path: KeyPath, suggestion: str | None = None) -> Diagnostic:
        """An error about what is at `path` in the section that counts."""
        report = self._resolved.report(str(path[0]))
        where = report.location(path) if bindings.value_at(self._resolved.data, path[:1]) is not None else None
        return Diagnostic(message, "error", where, suggestion, self.shown, report.env)


def class_not_found(loaded: LoadedConfig, class_names: Iterable[str]) -> list[Diagnostic]:
    """An error for each Workflow of this Worker whose class is not among `class_names`, those of the main module."""
    names = sorted(class_names)
    problems = []
    for index, workflow in enumerate(loaded.config.workflows):
        if workflow.class_name in names or workflow.script_name not in (None, loaded.config.name):
            continue
        report = loaded._resolved.report("workflows")
        path = ("workflows", index, "class_name")
        where = report.location(path)
        there = f"the classes there are: {', '.join(names)}" if names else "there are no Workflow classes in it"
        main = shown_path(loaded.main, loaded.path.parent)
        problems.append(
            Diagnostic(
                f"class {workflow.class_name} ({field_name(path)}, {where}) is not in {main}; {there}",
                "error",
                where,
                did_you_mean(workflow.class_name, names)
                or f"Add `class {workflow.class_name}(WorkflowEntrypoint)` to it.",
                report.source.shown,
                report.env,
            )
        )
    return problems
