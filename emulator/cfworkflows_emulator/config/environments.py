"""Environments: what an `env.<name>` section inherits from the top level, and what it must repeat."""

from collections.abc import Mapping
from typing import Any

from cfworkflows_emulator.config import keys
from cfworkflows_emulator.config.diagnostics import did_you_mean, show
from cfworkflows_emulator.config.kinds.kind import Listed
from cfworkflows_emulator.config.kinds.listing import every_kind
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.resolved import Resolved


def _repeated() -> frozenset[str]:
    """Keys of bindings and the like that every environment repeats."""
    of_kinds = {kind.root for kind in every_kind()} - keys.TOP_LEVEL_ONLY.keys() - keys.INHERITABLE.keys()
    return keys.ACTED_NOT_INHERITED | keys.NOT_INHERITED.keys() | of_kinds


def sections(report: Report, data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The well-formed environments of a file; the others are reported."""
    value = data.get("env", {})
    if not isinstance(value, dict):
        return {}  # reported with the other types
    found = {}
    for name, section in value.items():
        if isinstance(section, dict):
            found[name] = section
        else:
            report.error(f'"env.{name}" should be an object, but got {show(section)}.', ("env", name))
    return found


def resolve(report: Report, data: Mapping[str, Any], env: str | None) -> Resolved:
    """Choose the section for `env`; None or "" is the top level."""
    environments = sections(report, data)
    top = {key: value for key, value in data.items() if key != "env"}
    if not env:
        return Resolved(top, None, report, None, frozenset())
    if env not in environments:
        _unknown(report, env, list(environments))
        return Resolved(_with_name(top, {}, env), env, report, None, frozenset())
    section = environments[env]
    repeated = _repeated()
    inherited = {key: value for key, value in top.items() if key not in repeated}
    # Keys of the top level only are kept.
    own = {key: value for key, value in section.items() if key in repeated or _inheritable(key)}
    below = report.section(env)
    _warn_missing(below, top, section, env, repeated)
    return Resolved(_with_name({**inherited, **own}, own, env), env, report, below, frozenset(own))


def _inheritable(key: str) -> bool:
    return key in keys.INHERITABLE or key in keys.ACTED_INHERITABLE


def _with_name(data: dict[str, Any], own: Mapping[str, Any], env: str) -> dict[str, Any]:
    name = data.get("name")
    if isinstance(name, str) and name and "name" not in own:
        return {**data, "name": f"{name}-{env}"}
    return data


def _unknown(report: Report, env: str, names: list[str]) -> None:
    snippet = f"[env.{env}]" if report.source.is_toml else f'"env": {{ "{env}": {{}} }}'
    message = (
        f'No environment found in configuration with name "{env}".\n'
        f"Before using `--env={env}` there should be an equivalent environment section in the configuration.\n"
        f"The available configured environment names are: {show(names)}\n\n"
        f"Consider adding an environment configuration section to the {report.source.path.name} file:\n"
        f"```\n{snippet}\n```"
    )
    if names:
        report.error(message, ("env",), at="key", suggestion=did_you_mean(env, names))
    else:
        report.warning(message)


def _warn_missing(
    report: Report, top: Mapping[str, Any], section: Mapping[str, Any], env: str, repeated: frozenset[str]
) -> None:
    for key in top:
        if key in repeated and key not in section:
            report.warning(
                f'"{key}" exists at the top level, but not on "env.{env}".\n'
                f'This is not what you probably want, since "{key}" is not inherited by environments.\n'
                f'Please add "{key}" to "env.{env}".'
            )
    _warn_missing_vars(report, top, section, env)
    for kind in every_kind():
        if kind.root in section and kind.root in repeated:
            _warn_missing_bindings(report, kind, top, section, env)


def _warn_missing_vars(report: Report, top: Mapping[str, Any], section: Mapping[str, Any], env: str) -> None:
    ours, theirs = section.get("vars"), top.get("vars")
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return
    missing = [name for name in theirs if name not in ours]
    if missing:
        names = "".join(f"\n- {name}" for name in missing)
        report.warning(
            f'The following vars exist at the top level, but not on "env.{env}.vars".\n'
            'This is probably not what you want, since "vars" configuration is not inherited by environments.\n'
            f'Please add these vars to "env.{env}.vars":{names}',
            ("vars",),
            at="key",
        )


def _warn_missing_bindings(
    report: Report, kind: Listed, top: Mapping[str, Any], section: Mapping[str, Any], env: str
) -> None:
    ours = {name for name, _ in kind.named(section)}
    missing = [name for name, _ in kind.named(top) if name not in ours]
    if kind.key == "durable_objects.bindings" and missing:
        names = "".join(f"\n- {name}" for name in missing)
        report.warning(
            f'The following bindings are at the top level, but not on "env.{env}".\n'
            'This is not what you probably want, since "durable_objects" configuration is not inherited by '
            f'environments.\nPlease add a binding for each to "env.{env}.durable_objects.bindings":{names}',
            ("durable_objects",),
            at="key",
        )
        return
    for name in missing:
        report.warning(
            f'There is a {kind.key} binding with name "{name}" at the top level, but not on "env.{env}".\n'
            f'This is not what you probably want, since "{kind.key}" configuration is not inherited by environments.\n'
            f'Please add a binding for "{name}" to "env.{env}.{kind.key}.bindings".',
            kind.path,
            at="key",
        )
