"""The options that all commands of `cfwf workflows` have, and how those fail."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cfworkflows_emulator import DEFAULT_PORT
from cfworkflows_emulator.cli.options import fail

STATUSES = (
    "queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting", "rollingBack",
)  # fmt: skip
Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the Workflows are: a server, if one of `host` and `port` is given, else what is found in the folder."""

    host: str | None = None
    port: int | None = None
    config: Path | None = None
    env: str | None = None
    persist_to: Path | None = None
    cwd: Path | None = None
    state: str | None = None


class Commands(click.Group):
    """Commands that say what is wrong in a line on the standard error: exit code 1; 130 after Ctrl-C."""

    def invoke(self, context: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):  # a text that the terminal cannot show is no error
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        try:
            return super().invoke(context)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except KeyboardInterrupt:
            sys.exit(130)
        except Exception as error:
            from cfworkflows.errors import CfworkflowsError

            if not isinstance(error, CfworkflowsError):
                raise
            fail(error)


def common(command: Command) -> Command:
    """`--json` as `as_json`, and the options that make a `target`."""

    @functools.wraps(command)
    def with_place(
        *,
        host: str | None,
        port: int | None,
        config: Path | None,
        env: str | None,
        persist_to: Path | None,
        cwd: Path | None,
        state: str | None,
        local: bool,
        **options: Any,
    ) -> None:
        command(Target(host, port, config, env, persist_to, cwd, state), **options)

    folder = click.Path(path_type=Path, file_okay=False)
    for option in (
        click.option("--local", is_flag=True, hidden=True),  # wrangler's: here everything is
        click.option("--cwd", type=folder, help="Run as if started in this folder."),
        click.option("--persist-to", type=folder, help="State folder. [.cfwf/state beside the configuration]"),
        click.option("--state", metavar="NAME", help="Branch of the state, as `cfwf state branch` makes it. [main]"),
        click.option("-e", "--env", help="Environment of the configuration to use. [CLOUDFLARE_ENV]"),
        click.option(
            "-c", "--config", type=click.Path(path_type=Path), help="Configuration file, instead of the nearest one."
        ),
        click.option("--host", help="Host of the server, instead of that of the folder. [localhost]"),
        click.option(
            "--port",
            type=click.IntRange(1, 65535),
            help=f"Port of the server, instead of that of the folder. [{DEFAULT_PORT} with --host]",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, and nothing else."),
    ):
        with_place = option(with_place)
    return with_place
