"""`cfwf dev`."""

import dataclasses
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.cli.console import Console, ConsoleHandler
from cfworkflows_emulator.cli.hotkeys import HINT, Hotkeys
from cfworkflows_emulator.cli.startup import origin
from cfworkflows_emulator.cli.worker import Workers
from cfworkflows_emulator.config import ConfigError, Diagnostic, LoadedConfig, check_session, load_config
from cfworkflows_emulator.server import open_sockets
from cfworkflows_emulator.storage import Durability
from cfworkflows_emulator.supervisor.keyboard import Keyboard
from cfworkflows_emulator.supervisor.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class DevOptions:
    """The command line. Paths are relative to `cwd`, but for those of `env_files`: to the configuration's folder.

    `configs` has a file for each Worker. Script, name and variables are those of the first one.
    """

    script: Path | None = None
    port: int | None = None
    ip: str | None = None
    configs: Sequence[Path] = ()
    env: str | None = None
    env_files: Sequence[Path] = ()
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    name: str | None = None
    persist_to: Path | None = None
    allowed_hosts: Sequence[str] = ()
    log_level: str = "log"
    cwd: Path | None = None
    speed: float = 1
    watch: bool = True
    durability: Durability = "normal"
    check_determinism: bool = False


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
    try:
        configs = load(options)
        ip = options.ip or configs[0].config.dev.ip
        sockets = _open_sockets(ip, _port(options, configs[0]))
    except CfworkflowsError as error:
        console.fatal(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    keys = Keyboard() if Keyboard.is_there() else None
    workers = Workers(
        first=configs,
        load=lambda: load(options),
        sockets=sockets,
        ip=ip,
        persist_to=options.persist_to,
        allowed_hosts=options.allowed_hosts,
        speed=options.speed,
        durability=options.durability,
        check_determinism=options.check_determinism,
        console=console,
        started=started,
        keys=HINT if keys is not None else None,
    )
    supervisor = Supervisor(workers.work, console, watch=options.watch, keys=keys)
    hotkeys = Hotkeys(supervisor, console, origin(ip, sockets[0].getsockname()[1]))
    return supervisor.run(hotkeys.press)


def load(options: DevOptions) -> list[LoadedConfig]:
    """The configurations, with what the command line changes in the first one. Raises ConfigError."""
    cwd = Path.cwd()
    script = cwd / options.script if options.script is not None else None
    if script is not None and not script.is_file():
        raise ConfigError([Diagnostic(f'The entry-point file at "{options.script}" was not found.')])
    loaded = load_config(
        options.configs[0] if options.configs else None,
        cwd=script.parent if script is not None and not options.configs else cwd,
        env=options.env,
        variables=options.variables,
        env_files=options.env_files,
        process_env=os.environ,
        main=script,
    )
    if options.name is not None:
        loaded = dataclasses.replace(loaded, config=loaded.config.model_copy(update={"name": options.name}))
    others = [load_config(path, cwd=cwd, env=options.env, process_env=os.environ) for path in options.configs[1:]]
    configs = [loaded, *others]
    check_session(configs)
    return configs


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
