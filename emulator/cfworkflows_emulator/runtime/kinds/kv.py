"""KV namespaces: each id is one store, whichever Workers are bound to it."""

from typing import TYPE_CHECKING

from cfworkflows_emulator.config import KV_NAMESPACES as KIND
from cfworkflows_emulator.config.kinds.kv import KVSection
from cfworkflows_emulator.runtime.kinds.kind import RuntimeKind
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.storage.kept import KeptFolder

if TYPE_CHECKING:
    from cfworkflows_bindings import KVBinding
    from cfworkflows_emulator.stores.kv import KVStore


class KVRuntime(RuntimeKind[KVSection]):
    """A binding is the store of its id, and that."""

    kind = KIND

    @property
    def binding(self) -> "type[KVBinding]":
        from cfworkflows_bindings import KVBinding

        return KVBinding

    @property
    def store(self) -> "type[KVStore]":
        from cfworkflows_emulator.stores.kv import KVStore

        return KVStore

    @property
    def kept(self) -> KeptFolder:
        from cfworkflows_emulator.stores.kv import FOLDER, MIGRATIONS, described

        return KeptFolder(FOLDER, len(MIGRATIONS), described)

    async def bind(self, section: KVSection, resources: Resources, /) -> "KVBinding":
        from cfworkflows_bindings import KVBinding
        from cfworkflows_emulator.stores.kv import KVStore, file_of

        id = section.namespace
        path = file_of(resources.folder.path, id) if resources.folder is not None else None
        store = KVStore(path, id, resources.engine.clock, resources.durability)
        return KVBinding(await resources.store(("kv", id), store.open), id)


KV_NAMESPACES = KVRuntime()
