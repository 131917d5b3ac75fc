"""`cfwf dev`: its options, and what it does first. The rest is in `session`, and is imported while this reads."""

import dataclasses
import importlib
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cfworkflows_emulator.cli.certificates import read_when_needed
from cfworkflows_emulator.cli.reading import Reading

if TYPE_CHECKING:
    from cfworkflows_emulator.config import LoadedConfig
    from cfworkflows_emulator.storage import Durability


class DevOptions(NamedTuple):
    """The command line. Paths are relative to `cwd`, but for those of `env_files`: to the configuration's folder.

    `configs` has a file for each Worker. Script, name and variables are those of the first one.
    """

    script: Path | None = None
    port: int | None = None
    ip: str | None = None
    configs: Sequence[Path] = ()
    env: str | None = None
    env_files: Sequence[Path] = ()
    variables: Mapping[str, str] = {}
    name: str | None = None
    persist_to: Path | None = None
    allowed_hosts: Sequence[str] = ()
    log_level: str = "log"
    cwd: Path | None = None
    speed: float = 1
    watch: bool = True
    durability: "Durability" = "normal"
    check_determinism: bool = False


def run(options: DevOptions, started: float) -> int:
    """Serve until a signal comes. Gives the exit code: 0, or 1 if it could not start.

    `started` is when the process began, by `time.perf_counter`.
    """
    if options.cwd is not None:
        os.chdir(options.cwd)
    reading = Reading(partial(load, options))
    with read_when_needed():
        importlib.import_module("aiohttp")
    from cfworkflows_emulator.cli.session import serve

    return serve(options, reading, started)


def load(options: DevOptions) -> "list[LoadedConfig]":
    """The configurations, with what the command line changes in the first one. Raises ConfigError."""
    from cfworkflows_emulator.config import ConfigError, Diagnostic, check_session
    from cfworkflows_emulator.config.loading import load_config

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
        loaded = dataclasses.replace(loaded, config=loaded.config._replace(name=options.name))
    others = [load_config(path, cwd=cwd, env=options.env, process_env=os.environ) for path in options.configs[1:]]
    configs = [loaded, *others]
    check_session(configs)
    return configs
