"""The kinds of bindings that the test kit does something for; those of others are the Worker's own."""

from typing import Any

from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.runtime import Resources, runtime_kind
from cfworkflows_emulator.testing.d1 import D1_FAKED
from cfworkflows_emulator.testing.kit import Faked, KitKind
from cfworkflows_emulator.testing.kv import KV_FAKED
from cfworkflows_emulator.testing.r2 import R2_FAKED
from cfworkflows_emulator.testing.workflow import WORKFLOWS_FAKED
from cfworkflows_emulator.testing.world import World

KINDS: tuple[KitKind[Any], ...] = (WORKFLOWS_FAKED, KV_FAKED, D1_FAKED, R2_FAKED)


def faked(binding: str, value: Any) -> Faked | None:
    """What a keyword of FakeEnv stands for; None for a plain value."""
    fakes = ((kind, kind.fake(value)) for kind in KINDS)
    return next((Faked(kind, fake, fake.section(binding)) for kind, fake in fakes if fake is not None), None)


def prepare(loaded: LoadedConfig, resources: Resources) -> None:
    """Make what a test finds in the bindings of a configuration."""
    for kind in KINDS:
        for section in loaded.sections(kind.kind):
            kind.prepare(section, loaded, resources)


def seen(binding: Any, world: World) -> Any:
    """What a test has in place of what `env.X` is for the Worker."""
    kind = next((each for each in KINDS if isinstance(binding, runtime_kind(each.kind).binding)), None)
    return kind.seen(binding, world) if kind is not None else binding
