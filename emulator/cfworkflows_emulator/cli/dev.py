"""`cfwf dev`."""

import asyncio
import dataclasses
import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.cli.console import Console, ConsoleHandler
from cfworkflows_emulator.cli.startup import BANNER, bindings_table
from cfworkflows_emulator.cli.stopping import GRACE_S, StopSignal, leave
from cfworkflows_emulator.config import ConfigError, Diagnostic, LoadedConfig, load_config, render
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.server import Server, open_sockets
from cfworkflows_emulator.server.sockets import is_wildcard, network_address
from cfworkflows_emulator.storage.folder import DEFAULT


@dataclass(frozen=True, slots=True)
class DevOptions:
    """The command line. Paths are relative to `cwd`, but for those of `env_files`: to the configuration's folder."""

    script: Path | None = None
    port: int | None = None
    ip: str | None = None
    config: Path | None = None
    env: str | None = None
    env_files: Sequence[Path] = ()
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    name: str | None = None
    persist_to: Path | None = None
    allowed_hosts: Sequence[str] = ()
    log_level: str = "log"
    cwd: Path | None = None


def run(options: DevOptions, started: float) -> int:
    """Serve until a signal comes. Gives the exit code: 0, or 1 if it could not start.

    `started` is when the process began, by `time.perf_counter`.
    """
    console = Console(options.log_level)
    log = logging.getLogger("cfworkflows")
    log.addHandler(ConsoleHandler(console))
    log.setLevel(logging.DEBUG if options.log_level == "debug" else logging.INFO)
    log.propagate = False
    if options.cwd is not None:
        os.chdir(options.cwd)
    runner = asyncio.Runner()
    try:
        config = load(options)
        ip = options.ip or config.config.dev.ip
        sockets = _open_sockets(ip, _port(options, config))
        code = runner.run(_serve(options, config, ip, sockets, console, started))
    except CfworkflowsError as error:
        console.fatal(str(error))
        code = 1
    except KeyboardInterrupt:
        code = 130
    return leave(runner, code)


def load(options: DevOptions) -> LoadedConfig:
    """The configuration, with what the command line changes in it. Raises ConfigError."""
    cwd = Path.cwd()
    script = cwd / options.script if options.script is not None else None
    if script is not None and not script.is_file():
        raise ConfigError([Diagnostic(f'The entry-point file at "{options.script}" was not found.')])
    loaded = load_config(
        options.config,
        cwd=script.parent if script is not None and options.config is None else cwd,
        env=options.env,
        variables=options.variables,
        env_files=options.env_files,
        process_env=os.environ,
        main=script,
    )
    if options.name is not None:
        loaded = dataclasses.replace(loaded, config=loaded.config.model_copy(update={"name": options.name}))
    return loaded


async def _serve(
    options: DevOptions,
    config: LoadedConfig,
    ip: str,
    sockets: list[socket.socket],
    console: Console,
    started: float,
) -> int:
    console.info(BANNER)
    for line in config.secrets_lines:
        console.info(line)
    console.info(bindings_table(config))
    console.info()
    if config.warnings:
        console.warn(render(config.warnings))
    state = options.persist_to if options.persist_to is not None else config.directory / DEFAULT
    async with Project.open(config, state=state.absolute(), name_blocks=True) as project:
        stop = StopSignal()
        for notice in project.notices:
            console.warn(notice)
        server = Server(project, sockets, on_request=console.request, allowed_hosts=options.allowed_hosts)
        await server.start()
        _announce(ip, server.port, console, started)
        await stop.received.wait()
        console.info("Shutting down local server...")
        deadline = asyncio.get_running_loop().time() + GRACE_S
        cut_off = await server.stop(GRACE_S)
        cut_off += await project.close(max(deadline - asyncio.get_running_loop().time(), 0))
        for what in cut_off:
            console.warn(f"{what} was cut off after {GRACE_S:g} seconds.")
    return 0


def _announce(ip: str, port: int, console: Console, started: float) -> None:
    host = "0.0.0.0" if ip == "*" else ip  # noqa: S104 - printed
    ready_ms = (time.perf_counter() - started) * 1000
    console.info(f"Ready on http://{f'[{host}]' if ':' in host else host}:{port} (in {ready_ms:.0f} ms)")
    if is_wildcard(ip):
        for address in dict.fromkeys(("127.0.0.1", network_address())):
            if address is not None:
                console.info(f"- http://{address}:{port}")


def _port(options: DevOptions, config: LoadedConfig) -> int | None:
    """The port that was asked for: by the command line, or by the configuration."""
    if options.port is not None:
        return options.port
    dev = config.config.dev
    return dev.port if "port" in dev.model_fields_set else None


def _open_sockets(ip: str, port: int | None) -> list[socket.socket]:
    try:
        return open_sockets(ip, port)
    except OSError as error:
        where = ip if port is None else f"{ip}:{port}"
        raise CfworkflowsError(
            f"cfwf cannot listen on {where}: {error.strerror or error}. Choose another address with --ip, or another "
            "port with --port."
        ) from error
