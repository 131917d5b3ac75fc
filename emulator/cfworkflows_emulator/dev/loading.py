"""The configurations of a session, which are those of the Workers that one process runs."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cfworkflows_emulator.dev.options import DevOptions

if TYPE_CHECKING:
    from cfworkflows_emulator.config import LoadedConfig


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
        loaded = dataclasses.replace(loaded, config=dataclasses.replace(loaded.config, name=options.name))
    others = [load_config(path, cwd=cwd, env=options.env, process_env=os.environ) for path in options.configs[1:]]
    configs = [loaded, *others]
    check_session(configs)
    return configs
