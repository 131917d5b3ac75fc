"""KV namespaces."""

from cfworkflows.types import KVNamespace
from cfworkflows_emulator.analysis.kinds.kind import TypedKind
from cfworkflows_emulator.config import KV_NAMESPACES as KIND
from cfworkflows_emulator.config.kinds.kv import KVSection


class KVTypes(TypedKind[KVSection]):
    """`KVNamespace`, whatever its values are."""

    kind = KIND
    promise = KVNamespace


KV_NAMESPACES = KVTypes()
