"""The kinds of bindings that the test kit does something for; those of others are the Worker's own."""

from typing import Any

from cfworkflows_emulator.runtime import runtime_kind
from cfworkflows_emulator.testing.kit import Faked, KitKind
from cfworkflows_emulator.testing.kv import KV_FAKED
from cfworkflows_emulator.testing.r2 import R2_FAKED
from cfworkflows_emulator.testing.workflow import WORKFLOWS_FAKED
from cfworkflows_emulator.testing.world import World

KINDS: tuple[KitKind[Any], ...] = (WORKFLOWS_FAKED, KV_FAKED, R2_FAKED)


def faked(binding: str, value: Any) -> Faked | None:
    """What a keyword of FakeEnv stands for; None for a plain value."""
    fakes = ((kind, kind.fake(value)) for kind in KINDS)
    return next((Faked(kind, fake, fake.section(binding)) for kind, fake in fakes if fake is not None), None)


def seen(binding: Any, world: World) -> Any:
    """What a test has in place of what `env.X` is for the Worker."""
    kind = next((each for each in KINDS if isinstance(binding, runtime_kind(each.kind).binding)), None)
    return kind.seen(binding, world) if kind is not None else binding
