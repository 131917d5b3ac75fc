"""KV namespaces: each id is one store, whichever Workers are bound to it."""

from pathlib import Path
from typing import TYPE_CHECKING

from cfworkflows_emulator.config import KV_NAMESPACES as KIND
from cfworkflows_emulator.config.kinds.kv import KVSection
from cfworkflows_emulator.runtime.kinds.kind import RuntimeKind
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.storage.kept import KeptFolder
from cfworkflows_emulator.storage.peer import Peer, Taken

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

    def place(self, section: KVSection, /) -> Path:
        from cfworkflows_emulator.stores.kv import file_of

        return file_of(Path(), section.namespace)

    def take_over(self, section: KVSection, peer: Peer, state: Path, /) -> Taken | None:
        from cfworkflows_emulator.stores.kv import taken_over

        return taken_over(peer, section.namespace, state)

    async def bind(self, section: KVSection, resources: Resources, /) -> "KVBinding":
        from cfworkflows_bindings import KVBinding

        return KVBinding(await kv_store(section.namespace, resources), section.namespace)


KV_NAMESPACES = KVRuntime()


async def kv_store(namespace: str, resources: Resources) -> "KVStore":
    """The store of the namespace with that id."""
    from cfworkflows_emulator.stores.kv import KVStore, file_of

    path = file_of(resources.folder.path, namespace) if resources.folder is not None else None
    store = KVStore(path, namespace, resources.engine.clock, resources.durability)
    return await resources.store(("kv", namespace), store.open)
