"""Loads the configuration of a Worker: finds the file, reads it, reports all that is wrong, resolves the rest."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cfworkflows_emulator.config.bindings import BindingInfo
from cfworkflows_emulator.config.diagnostics import ConfigError, Diagnostic, field_name, show
from cfworkflows_emulator.config.diagnostics import Path as KeyPath
from cfworkflows_emulator.config.discovery import Found, find_config
from cfworkflows_emulator.config.entry import check_main
from cfworkflows_emulator.config.environments import resolve
from cfworkflows_emulator.config.kinds import Kind
from cfworkflows_emulator.config.kinds.listing import every_kind
from cfworkflows_emulator.config.kinds.unsupported import Unsupported
from cfworkflows_emulator.config.loaded import LoadedConfig
from cfworkflows_emulator.config.paths import value_at
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.resolved import Resolved
from cfworkflows_emulator.config.rules import check_values, check_variables, check_whole
from cfworkflows_emulator.config.sections import check_section
from cfworkflows_emulator.config.source import read_source
from cfworkflows_emulator.config.validation import build, build_sections, check_acted
from cfworkflows_emulator.config.variables import load_variables


@contextmanager
def _unreadable_is_a_problem() -> Iterator[None]:
    """What the file system refuses, such as a name that is too long, is a problem of the configuration."""
    try:
        yield
    except OSError as error:
        raise ConfigError([Diagnostic(f"Could not read file: {error.filename}\n{error.strerror or error}.")]) from error


@_unreadable_is_a_problem()
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

    `env` is the environment (`--env`); without it CLOUDFLARE_ENV counts, and "" is the top level even so.
    `variables` come from `--var`, `env_files` from `--env-file` (relative to the folder of the configuration).
    `main` is the Worker's file, instead of that of the configuration. Raises ConfigError with every problem
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
    sections = build_sections(resolved.data)
    return LoadedConfig(
        config=config,
        path=found.path,
        directory=found.directory,
        main=main,
        env=resolved.env,
        variables=loaded.values,
        bindings=_bindings(resolved, sections),
        warnings=[*_in_order(report.warnings), *loaded.warnings],
        sources=loaded.sources,
        watched=[file for file in (found.path, found.original, found.redirect) if file is not None] + loaded.watched,
        _sections=sections,
        _resolved=resolved,
    )


def _check(report: Report, data: Mapping[str, object]) -> None:
    check_section(report, data)
    check_acted(report, data)
    check_values(report, data)


def _bindings(resolved: Resolved, sections: Mapping[str, Sequence[Any]]) -> list[BindingInfo]:
    infos = []
    for kind in every_kind():
        report = resolved.report(kind.root)
        prefix = () if report.env is None else ("env", report.env)
        for name, resource, path in _resources(kind, resolved.data, sections):
            where = (*prefix, *path)
            infos.append(BindingInfo(name, kind.friendly, resource, isinstance(kind, Kind), where, report.source))
    return infos


def _resources(
    kind: Kind[Any] | Unsupported, data: Mapping[str, Any], sections: Mapping[str, Sequence[Any]]
) -> Iterator[tuple[str, str | None, KeyPath]]:
    """The name of each binding, what is bound, and its path."""
    if isinstance(kind, Kind):
        for index, section in enumerate(sections[kind.key]):
            yield getattr(section, kind.name), kind.resource(section), (*kind.path, index)
    else:
        yield from ((name, kind.resource(value_at(data, path)), path) for name, path in kind.named(data))


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
