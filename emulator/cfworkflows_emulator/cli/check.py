"""`cfwf check`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cfworkflows_emulator.cli.options import config_options, fail, load, paint
from cfworkflows_emulator.shown import shown, shown_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfworkflows_emulator.analysis import Finding
    from cfworkflows_emulator.config import Diagnostic, LoadedConfig

_COLOURS = {"error": "red", "warning": "yellow"}


@click.command()
@config_options
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON, for editors and CI.")
@click.option("--strict", is_flag=True, help="Fail for warnings too.")
def command(config: Path | None, env: str | None, as_json: bool, strict: bool) -> None:
    """Find mistakes in the configuration and the code, unrun.

    The configuration is read as `cfwf dev` reads it; if it cannot be used, the code is looked at by itself. In the
    code, `run()` of every Workflow is followed into its helpers and the callbacks of its steps, and checked against
    the rules of Workflows: no effects and no randomness outside of steps, names and durations that are accepted,
    results that can be stored.

    Ends with 1 if there are errors, else with 0. A comment at the end of a line ignores a rule there:

    \b
        started = time.time()  # cfwf: ignore[nondeterminism]

    \b
    Examples:
      cfwf check                        the project in this folder
      cfwf check --strict               in CI, where a warning is a failure
      cfwf check --json | jq .errors    how many errors there are
    """
    from cfworkflows_emulator.analysis import Program, check
    from cfworkflows_emulator.config import ConfigError
    from cfworkflows_emulator.config.discovery import likely_main

    findings: list[Finding] = []
    looked_at = ""
    try:
        loaded: LoadedConfig | None = None
        try:
            loaded = load(config, env)
            diagnostics: Sequence[Diagnostic] = loaded.warnings
            main: Path | None = loaded.main
        except ConfigError as error:
            diagnostics = error.diagnostics
            main = likely_main(config, cwd=Path.cwd(), env=env)
        if main is not None:
            program = Program(main)
            findings = check(program, loaded)
            files, workflows = len(program.sources.modules), len(program.workflows())
            looked_at = f"{_count(files, 'file')}, {_count(workflows, 'workflow')}"
    except OSError as error:
        fail(f"{error.filename} cannot be read: {error.strerror or error}.")
    severities = [*(each.severity for each in diagnostics), *(each.severity for each in findings)]
    errors, warnings = severities.count("error"), severities.count("warning")
    if as_json:
        _print_json(diagnostics, findings, errors, warnings)
    else:
        for diagnostic in diagnostics:
            click.echo(_shown(diagnostic.severity, "config", str(diagnostic)) + "\n", color=True)
        for each in findings:
            click.echo(_shown(each.severity, each.rule, str(each).partition(": ")[2]) + "\n", color=True)
        what = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}" if severities else "No problems found"
        click.echo(f"{what}{f' in {looked_at}' if looked_at else ''}.")
    sys.exit(1 if errors or (strict and warnings) else 0)


def _shown(severity: str, rule: str, text: str) -> str:
    first, newline, rest = shown(text).partition("\n")
    label = paint(f"{severity}[{rule}]:", _COLOURS[severity], bold=True)
    return f"{label} {first}{newline}" + "\n".join(f"  {line}" if line else line for line in rest.split("\n"))


def _print_json(diagnostics: "Sequence[Diagnostic]", findings: "Sequence[Finding]", errors: int, warnings: int) -> None:
    import json

    rows: list[dict[str, Any]] = [
        {
            "rule": "config",
            "severity": each.severity,
            "file": each.location.file if each.location is not None else each.file,
            "line": each.location.line if each.location is not None else None,
            "column": each.location.column if each.location is not None else None,
            "message": each.message,
            "fix": each.suggestion or "",
            "source": each.location.text.strip() if each.location is not None else "",
        }
        for each in diagnostics
    ]
    rows += [each.as_dict() for each in findings]
    found = {"errors": errors, "warnings": warnings, "findings": rows}
    click.echo(shown_json(json.dumps(found, indent=2, ensure_ascii=False)))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
