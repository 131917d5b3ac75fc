"""Loads the configuration of a Worker: finds the file, reads it, reports all that is wrong, resolves the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cfworkflows_emulator.config import bindings
from cfworkflows_emulator.config.bindings import BindingInfo
from cfworkflows_emulator.config.diagnostics import ConfigError, Diagnostic, did_you_mean, field_name, show
from cfworkflows_emulator.config.diagnostics import Path as KeyPath
from cfworkflows_emulator.config.discovery import Found, find_config
from cfworkflows_emulator.config.entry import check_main
from cfworkflows_emulator.config.environments import Resolved, resolve
from cfworkflows_emulator.config.models import WorkerConfig
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.rules import check_values, check_variables, check_whole
from cfworkflows_emulator.config.sections import check_section
from cfworkflows_emulator.config.source import read_source, shown_path
from cfworkflows_emulator.config.validation import build, check_acted
from cfworkflows_emulator.config.variables import Variable, load_variables


@dataclass(frozen=True, slots=True)
class ServiceSection:
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


def load_config(
    path: Path | None = None,
    *,
    cwd: Path,
    env: str | None = None,
    variables: Mapping[str, str] | None = None,
    env_files: Sequence[Path] = (),
    process_env: Mapping[str, str],
    main: Path | None = None,
) -> LoadedConfig:
    """Load the file at `path` (`--config`), or the one found from `cwd` upwards.

    `env` is the environment (`--env`); without it CLOUDFLARE_ENV counts, and "" is the top level whatever that says.
    `variables` come from `--var`, `env_files` from `--env-file` (relative to the folder of the configuration).
    `main` is the Worker's file, instead of the one that the configuration names. Raises ConfigError with every problem
    of the file.
    """
    cwd = cwd.absolute()
    found = find_config(path, cwd)
    source = read_source(found.path, cwd=cwd)
    data = source.data
    report = Report(source)
    for repeated, where in source.repeated():
        message = f'Duplicate key "{field_name(repeated)}": the last one counts.'
        report.diagnostics.append(Diagnostic(message, "warning", where, "Keep one of them.", source.shown))
    if found.redirect is not None:
        _tell_redirect(report, found, data.get("env"))

    resolved = resolve(report, data, process_env.get("CLOUDFLARE_ENV") if env is None else env)
    _check(report, data)
    if resolved.section is not None:
        _check(resolved.section, data["env"][resolved.env])
    check_whole(resolved)
    if main is None:
        main = check_main(resolved, found.path.parent)
    if report.errors or main is None:
        raise ConfigError(_in_order(report.errors + report.warnings))

    config = build(resolved.data)
    loaded = load_variables(
        config.vars,
        config_name=source.shown,
        directory=found.directory,
        cwd=cwd,
        env=resolved.env,
        required=config.secrets.required if config.secrets is not None else None,
        command_line=variables or {},
        env_files=env_files,
        process_env=process_env,
    )
    check_variables(resolved, loaded.values)
    if report.errors:
        raise ConfigError(_in_order(report.errors + report.warnings))
    return LoadedConfig(
        config=config,
        path=found.path,
        directory=found.directory,
        main=main,
        env=resolved.env,
        variables=loaded.values,
        bindings=_bindings(resolved),
        warnings=[*_in_order(report.warnings), *loaded.warnings],
        sources=loaded.sources,
        watched=[file for file in (found.path, found.original, found.redirect) if file is not None] + loaded.watched,
        _resolved=resolved,
    )


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


def _check(report: Report, data: Mapping[str, object]) -> None:
    check_section(report, data)
    check_acted(report, data)
    check_values(report, data)


def _bindings(resolved: Resolved) -> list[BindingInfo]:
    infos = []
    for kind in bindings.KINDS:
        for name, resource, path in bindings.named(kind, resolved.data):
            report = resolved.report(str(path[0]))
            prefix = () if report.env is None else ("env", report.env)
            infos.append(BindingInfo(name, kind.friendly, resource, kind.supported, (*prefix, *path), report.source))
    return infos


def _tell_redirect(report: Report, found: Found, environments: object) -> None:
    report.warning(
        "Using redirected Wrangler configuration.\n"
        f' - Configuration being used: "{found.path}"\n'
        f' - Original user\'s configuration: "{found.original or "<no user config found>"}"\n'
        f' - Deploy configuration file: "{found.redirect}"'
    )
    if environments:
        report.error(
            "Redirected configurations cannot include environments, but these were found: "
            f"{show(list(environments) if isinstance(environments, dict) else environments)}.",
            ("env",),
            at="key",
        )


def _in_order(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """By their place in the file; the environment's after those of the top level."""
    return sorted(
        diagnostics,
        key=lambda each: (
            each.env is not None,
            (each.location.line, each.location.column) if each.location else (0, 0),
        ),
    )
