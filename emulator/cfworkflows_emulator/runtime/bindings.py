"""Builds the `env` of a Worker: its variables and its bindings, of whatever kinds."""

from typing import Any

from cfworkflows.values import as_objects
from cfworkflows_bindings import Environment
from cfworkflows_emulator.config import LoadedConfig, absent
from cfworkflows_emulator.runtime import kinds
from cfworkflows_emulator.runtime.resources import Resources


async def environment(loaded: LoadedConfig, resources: Resources) -> Environment:
    """The `env` of the Worker of `loaded`, over the resources of its session."""
    bound: dict[str, Any] = {name: as_objects(variable.value) for name, variable in loaded.variables.items()}
    missing = dict(absent(loaded, resources.names))
    for each in kinds.KINDS:
        for section in loaded.sections(each.kind):
            name = getattr(section, each.kind.name)
            if name not in missing:
                bound[name] = await each.bind(section, resources)
    unsupported = {info.name: info.kind for info in loaded.bindings if not info.supported}
    return Environment(bound, unsupported, missing)
