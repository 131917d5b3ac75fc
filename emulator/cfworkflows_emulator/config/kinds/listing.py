"""All kinds of bindings, whether this version supports them or not."""

from typing import Any

from cfworkflows_emulator.config import kinds
from cfworkflows_emulator.config.kinds.kind import Kind
from cfworkflows_emulator.config.kinds.unsupported import UNSUPPORTED, Unsupported

# They are listed as on the platform: these first, then those of the table.
_FIRST = (
    "durable_objects.bindings", "workflows", "kv_namespaces", "queues.producers", "d1_databases", "r2_buckets",
    "services", "assets", "ratelimits",
)  # fmt: skip


def every_kind() -> list[Kind[Any] | Unsupported]:
    """All kinds, in the order in which they are listed."""
    every: list[Kind[Any] | Unsupported] = [*kinds.SUPPORTED, *UNSUPPORTED]
    return sorted(every, key=lambda kind: _FIRST.index(kind.key) if kind.key in _FIRST else len(_FIRST))
