"""`cfwf dev`."""

import gc
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cfworkflows_emulator.cli.options import FiniteRange, fail

if TYPE_CHECKING:
    from cfworkflows_emulator.storage import Durability

DEBUG_PORT = 5678
"""Where debugpy's clients look by default."""


@click.command("dev")
@click.argument("script", required=False, type=click.Path(path_type=Path))
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 is any free one. [8787, or the next free one]"
)
@click.option("--ip", help="Address to listen on; 0.0.0.0 opens the server to your network. [localhost]")
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Host name, beside localhost, under which the APIs answer. Can be repeated.",
)
@click.option(
    "-c",
    "--config",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Configuration file, instead of the nearest one. Repeated, it adds Workers that run beside the first.",
)
@click.option("-e", "--env", help="Environment of the configuration to use. [CLOUDFLARE_ENV]")
@click.option(
    "--env-file",
    "env_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="File with variables, instead of .dev.vars and .env. Can be repeated.",
)
@click.option("--var", "variables", multiple=True, metavar="KEY:VALUE", help="Variable of the Worker. Can be repeated.")
@click.option("--name", help="Name of the Worker, instead of that of the configuration.")
@click.option(
    "--persist-to",
    type=click.Path(path_type=Path),
    help="Folder for the state. [.cfwf/state beside the configuration]",
)
@click.option("--state", metavar="NAME", help="Branch of the state to run on, as `cfwf state branch` makes it. [main]")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "log", "warn", "error", "none"]),
    default="log",
    show_default=True,
    help="What to print, beside what the Worker prints.",
)
@click.option(
    "--cwd", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Run as if started in this folder."
)
@click.option(
    "--speed",
    type=FiniteRange(0, 1_000_000, min_open=True),
    default=1,
    help="How many times as fast time passes for Workflows: sleeps, timeouts, retries, schedules. [1]",
)
@click.option("--check-determinism", is_flag=True, help="Replay each instance after every step, and say what differs.")
@click.option(
    "--durability",
    type=click.Choice(["normal", "full"]),
    default="normal",
    show_default=True,
    help="What is stored survives kill -9; with full also a power cut, but each step waits for the disk.",
)
@click.option(
    "--max-block",
    type=FiniteRange(0, 86_400),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="For how long code of the Worker may block the event loop; then another process goes on. 0: for ever.",
)
@click.option(
    "--debug",
    is_flag=False,
    flag_value=str(DEBUG_PORT),
    metavar="[HOST:]PORT",
    help=f"Let the debugger of an editor attach, by debugpy's protocol. [127.0.0.1:{DEBUG_PORT}]",
)
@click.option("--debug-wait", is_flag=True, help="Load the code when a debugger has attached; implies --debug.")
@click.option(
    "--watch/--no-watch",
    default=True,
    help="Whether to reload when a file changes, and to wait for code that loads. [--watch]",
)
@click.pass_obj
def command(
    started: float,
    *,
    script: Path | None,
    port: int | None,
    ip: str | None,
    allowed_hosts: tuple[str, ...],
    configs: tuple[Path, ...],
    env: str | None,
    env_files: tuple[Path, ...],
    variables: tuple[str, ...],
    name: str | None,
    persist_to: Path | None,
    state: str | None,
    log_level: str,
    cwd: Path | None,
    speed: float,
    check_determinism: bool,
    max_block: float,
    durability: "Durability",
    debug: str | None,
    debug_wait: bool,
    watch: bool,
) -> None:
    """Run a Worker and its Workflows on this machine.

    SCRIPT is the Worker's main file, instead of `main` of the configuration.

    With several configurations, the Worker of the first one answers the requests and has the state; bindings reach the
    others (`script_name` of a Workflow, `services`). Options about variables, name and script are for the first.
    """
    gc.disable()  # imports make no garbage, and collections would take a tenth of the start
    from cfworkflows_emulator.dev import DevOptions, start

    options = DevOptions(
        script=script,
        port=port,
        ip=ip,
        allowed_hosts=allowed_hosts,
        configs=configs,
        env=env,
        env_files=env_files,
        variables=dict(_key_and_value(each) for each in variables),
        name=name,
        persist_to=persist_to,
        state=state,
        log_level=log_level,
        cwd=cwd,
        speed=speed,
        durability=durability,
        check_determinism=check_determinism,
        max_block_s=max_block,
        watch=watch,
        debug=_debug_address(debug, wait=debug_wait),
        debug_wait=debug_wait,
    )
    sys.exit(start(options, started))


def _debug_address(text: str | None, *, wait: bool) -> tuple[str, int] | None:
    """Where a debugger attaches. Ends the command if that cannot be."""
    if text is None and not wait:
        return None
    host, _, port = (text or str(DEBUG_PORT)).rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(
            f"{text!r} is not [HOST:]PORT, as in --debug {DEBUG_PORT}. SCRIPT goes before --debug.",
            param_hint="--debug",
        )
    if find_spec("debugpy") is None:
        fail("--debug needs debugpy, which is not installed: pip install 'cfworkflows[debug]'")
    return host.strip("[]") or "127.0.0.1", int(port)


def _key_and_value(text: str) -> tuple[str, str]:
    key, colon, value = text.partition(":")
    if not colon or not key:
        raise click.BadParameter(f'{text!r} is not KEY:VALUE, as in --var "GREETING:hello".', param_hint="--var")
    return key, value
