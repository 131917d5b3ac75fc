"""Configuration: `wrangler.jsonc`, `wrangler.json`, `wrangler.toml`, `.dev.vars` and `.env`.

`loading.load_config` finds, reads and checks the file. Callers import it late, because it needs pydantic and much else
that its result does not. From the bottom up: `jsonc` and `toml` parse, with the place of each value,
`source` and `report` turn places into diagnostics, `keys`, `shapes`, `models` and `kinds` say what may be in a file
(`markers` how that is checked), `sections`, `validation`, `rules` and `entry` check it, `environments`, `variables` and
`discovery` choose, `loading` combines all as the types of `loaded`, and `session` compares those of several Workers.
Imports nothing but `cfworkflows`.
"""

from cfworkflows_emulator.config.bindings import BindingInfo
from cfworkflows_emulator.config.diagnostics import ConfigError, Diagnostic, Location, render
from cfworkflows_emulator.config.kinds import (
    D1_DATABASES,
    KV_NAMESPACES,
    R2_BUCKETS,
    SERVICES,
    SUPPORTED,
    WORKFLOWS,
    Kind,
    Layer,
)
from cfworkflows_emulator.config.kinds.kind import S
from cfworkflows_emulator.config.kinds.workflow.classes import class_not_found
from cfworkflows_emulator.config.kinds.workflow.kind import WorkflowSection
from cfworkflows_emulator.config.loaded import LoadedConfig
from cfworkflows_emulator.config.models import Dev, Secrets, WorkerConfig
from cfworkflows_emulator.config.session import absent, check_session
from cfworkflows_emulator.config.variables import Variable

__all__ = [
    "D1_DATABASES",
    "KV_NAMESPACES",
    "R2_BUCKETS",
    "SERVICES",
    "SUPPORTED",
    "WORKFLOWS",
    "BindingInfo",
    "ConfigError",
    "Dev",
    "Diagnostic",
    "Kind",
    "Layer",
    "LoadedConfig",
    "Location",
    "S",
    "Secrets",
    "Variable",
    "WorkerConfig",
    "WorkflowSection",
    "absent",
    "check_session",
    "class_not_found",
    "render",
]
