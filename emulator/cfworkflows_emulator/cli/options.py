"""Options that several commands share, and how commands begin and fail."""

import json
import math
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from cfworkflows_emulator.shown import shown
from cfworkflows_emulator.terminals import is_coloured

if TYPE_CHECKING:
    from cfworkflows_emulator.config import LoadedConfig

Command = TypeVar("Command", bound=Callable[..., Any])


MOST_LEVELS = 500
LONGEST_QUOTED = 80


class FiniteRange(click.FloatRange):
    """A range that no `nan` is in, which compares with nothing."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        return found if math.isfinite(found) else self.fail(f"{value!r} is not a finite number.", param, ctx)


def read_json(text: str, what: str) -> Any:
    """The JSON in `text`. Ends the command if it is none, or nested too deeply to be sent."""
    quoted = f'"{text}"' if len(text) <= LONGEST_QUOTED else f'"{text[:LONGEST_QUOTED]}…" ({len(text):,} characters)'
    try:
        value = json.loads(text, parse_constant=_no_constant)
        if _is_deep(value):
            raise RecursionError
    except ValueError as error:
        fail(f"Error while parsing {what}: {quoted} is not JSON: {error}")
    except RecursionError:
        fail(f"Error while parsing {what}: {quoted} is nested too deeply.")
    return value


def read_json_file(path: Path) -> Any:
    """The JSON in a file; `-` is the standard input. Ends the command if it cannot be read, or is none."""
    try:
        data = sys.stdin.buffer.read() if path == Path("-") else path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror or error}.")
    except UnicodeDecodeError as error:
        fail(f"{path} is not JSON: it is not UTF-8 at byte {error.start}.")
    return read_json(text, str(path))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [item for each in level for item in _items(each)]
        if not level:
            return False
    return True


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


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
    click.echo(f"{paint('error:', 'red', error=True)} {shown(error)}", err=True, color=True)
    sys.exit(1)


def say(text: object = "") -> None:
    """Print a text that is not coloured, whatever is in it."""
    click.echo(shown(text))


def paint(text: str, colour: str, *, bold: bool = False, error: bool = False) -> str:
    """Coloured where that may be, see `is_coloured`. To be printed with `color=True`, so that click leaves it alone."""
    return click.style(text, fg=colour, bold=bold) if is_coloured(sys.stderr if error else sys.stdout) else text
