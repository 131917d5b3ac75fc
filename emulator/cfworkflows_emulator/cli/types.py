"""`cfwf types`."""

from pathlib import Path

import click

from cfworkflows_emulator.cli.options import config_options, fail, load, say

DEFAULT = "worker_types.py"
"""The file that is written, beside the Worker's main file."""


@click.command()
@config_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
    help=f"File to write. [{DEFAULT} beside the Worker's main file]",
)  # fmt: skip
@click.option("--check", "only_check", is_flag=True, help="Write nothing; end with 1 if the file is out of date.")
def command(config: Path | None, env: str | None, output: Path | None, only_check: bool) -> None:
    """Write a typed Env for what the configuration binds.

    Workflows are typed with their Params and their output as the classes declare them, variables with their values,
    secrets as str. The Worker's code is read, and not run.

    \b
    Examples:
      cfwf types                        writes src/worker_types.py
      cfwf types --check                in CI: is it up to date?

    \b
    Then, in the Worker:
      from worker_types import Env
      class Default(WorkerEntrypoint[Env]): ...
    """
    from cfworkflows.errors import CfworkflowsError
    from cfworkflows_emulator.analysis import Program, env_types

    try:
        loaded = load(config, env)
        program = Program(loaded.main)
    except CfworkflowsError as error:
        fail(error)
    except OSError as error:
        fail(f"{error.filename} cannot be read: {error.strerror or error}.")
    broken = next((module for module in program.sources.modules.values() if module.error is not None), None)
    if broken is not None:
        fail(f"{broken.shown} is no Python, and its types are not known. cfwf check shows where.")
    path = output if output is not None else loaded.main.parent / DEFAULT
    text = env_types(program, loaded)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    current = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    if current == text:
        say(f"{shown} is up to date.")
    elif only_check:
        state = "is out of date" if current is not None else "is not there"
        fail(f"{shown} {state}. Run cfwf types to write it.")
    else:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            fail(f"{shown} cannot be written: {error.strerror or error}.")
        say(f"Wrote {shown}.")
