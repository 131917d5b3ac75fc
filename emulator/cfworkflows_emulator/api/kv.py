"""KV namespaces, as the Local Explorer lists them."""

from typing import Any

from cfworkflows_emulator.api.kind import ExplorerKind
from cfworkflows_emulator.config import KV_NAMESPACES
from cfworkflows_emulator.config.kinds.kv import KVSection


class KVListed(ExplorerKind[KVSection]):
    """KV namespaces among the bindings of a Worker."""

    kind = KV_NAMESPACES
    group = "kv"

    def described(self, section: KVSection, worker: str, /) -> dict[str, Any]:
        return {"id": section.namespace, "bindingName": section.binding}


KV_LISTED = KVListed()
