"""Options that several commands have, and how they begin and fail."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from cfworkflows_emulator.shown import shown

if TYPE_CHECKING:
    from cfworkflows_emulator.config import LoadedConfig

Command = TypeVar("Command", bound=Callable[..., Any])


def config_options(command: Command) -> Command:
    """`--config` and `--env`, as `cfwf dev` has them."""
    env = click.option("-e", "--env", help="Environment of the configuration to use. [CLOUDFLARE_ENV]")
    config = click.option(
        "-c", "--config", type=click.Path(path_type=Path), help="Configuration file, instead of the nearest one."
    )
    return config(env(command))


def load(config: Path | None, env: str | None) -> "LoadedConfig":
    """The configuration, as `cfwf dev` would use it. Raises ConfigError."""
    from cfworkflows_emulator.config.loading import load_config

    return load_config(config, cwd=Path.cwd(), env=env, process_env=os.environ)


def fail(error: object) -> NoReturn:
    """Say what is wrong on the standard error, and end with exit code 1."""
    click.echo(f"{paint('error:', 'red', error=True)} {shown(error)}", err=True)
    sys.exit(1)


def say(text: object = "") -> None:
    """Print a text that is not coloured, whatever is in it."""
    click.echo(shown(text))


def paint(text: str, colour: str, *, bold: bool = False, error: bool = False) -> str:
    """Coloured for a terminal, unless NO_COLOR is set; plain for anything else."""
    stream = sys.stderr if error else sys.stdout
    coloured = stream.isatty() and not os.environ.get("NO_COLOR")
    return click.style(text, fg=colour, bold=bold) if coloured else text
