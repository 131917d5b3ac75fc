"""`env.MY_KV`, over a store.

`binding` has the methods, `options` reads and checks what they are given, `store` is the Protocol that the emulator's
store implements. May import the SDK and `cfworkflows_bindings.forms`.
"""

from cfworkflows_bindings.kv.binding import KVBinding
from cfworkflows_bindings.kv.store import Entry, KVStore, Listed, Page

__all__ = ["Entry", "KVBinding", "KVStore", "Listed", "Page"]
