"""What `cfwf dev` does once it knows its options: a terminal, sockets, and a supervisor that keeps workers serving."""

import socket

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator import DEFAULT_PORT
from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.dev.attaching import free_address
from cfworkflows_emulator.dev.console import Console
from cfworkflows_emulator.dev.hotkeys import HINT, Hotkeys
from cfworkflows_emulator.dev.logs import Logs
from cfworkflows_emulator.dev.options import DevOptions
from cfworkflows_emulator.dev.output import end_pipes, guard_pipes
from cfworkflows_emulator.dev.reading import Reading
from cfworkflows_emulator.dev.worker import Workers
from cfworkflows_emulator.engine import EngineSettings
from cfworkflows_emulator.server import open_sockets
from cfworkflows_emulator.supervisor.keyboard import Keyboard
from cfworkflows_emulator.supervisor.supervisor import Supervisor


def serve(options: DevOptions, reading: Reading, started: float) -> int:
    """See `start`. `reading` has the configurations."""
    guard_pipes()
    console = Console(options.log_level)
    logs = Logs(console, options.log_level)
    logs.install()
    try:
        configs = reading.result()
        ip = options.ip or configs[0].config.dev.ip
        port = _port(options, configs[0])
        sockets = _open_sockets(ip, port)
        debug = None if options.debug is None else free_address(options.debug)
    except CfworkflowsError as error:
        console.fatal(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    taken = sockets[0].getsockname()[1]
    if port is None and taken != DEFAULT_PORT:
        console.warn(f"Port {DEFAULT_PORT} is taken, using {taken}.")
    keys = Keyboard() if Keyboard.is_there() else None
    workers = Workers(
        reading=reading,
        sockets=sockets,
        ip=ip,
        persist_to=options.persist_to,
        state=options.state,
        allowed_hosts=options.allowed_hosts,
        speed=options.speed,
        engine=EngineSettings(durability=options.durability, check_determinism=options.check_determinism),
        console=console,
        logs=logs,
        started=started,
        max_block_s=options.max_block_s,
        keys=HINT if keys is not None else None,
        watch=options.watch,
        debug=debug,
        debug_wait=options.debug_wait,
    )
    supervisor = Supervisor(workers.work, console, watch=options.watch, keys=keys)
    hotkeys = Hotkeys(supervisor, console, workers.address)
    code = supervisor.run(hotkeys.press)
    end_pipes()
    return code


def _port(options: DevOptions, config: LoadedConfig) -> int | None:
    """The port that was asked for: by the command line, or by the configuration."""
    return options.port if options.port is not None else config.config.dev.port


def _open_sockets(ip: str, port: int | None) -> list[socket.socket]:
    try:
        return open_sockets(ip, port)
    except OSError as error:
        where = ip if port is None else f"{ip}:{port}"
        raise CfworkflowsError(
            f"cfwf cannot listen on {where}: {error.strerror or error}. Choose another address with --ip, or another "
            "port with --port."
        ) from error
