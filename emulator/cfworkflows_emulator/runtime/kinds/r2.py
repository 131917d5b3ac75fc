"""R2 buckets: each name is one store, whichever Workers are bound to it."""

from pathlib import Path
from typing import TYPE_CHECKING

from cfworkflows_emulator.config import R2_BUCKETS as KIND
from cfworkflows_emulator.config.kinds.r2 import R2Section
from cfworkflows_emulator.runtime.kinds.kind import RuntimeKind
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.storage.kept import KeptFolder
from cfworkflows_emulator.storage.peer import Peer, Taken

if TYPE_CHECKING:
    from cfworkflows_bindings import R2Binding
    from cfworkflows_emulator.stores.r2 import R2Store


class R2Runtime(RuntimeKind[R2Section]):
    """A binding is the store of its bucket, and that."""

    kind = KIND

    @property
    def binding(self) -> "type[R2Binding]":
        from cfworkflows_bindings import R2Binding

        return R2Binding

    @property
    def store(self) -> "type[R2Store]":
        from cfworkflows_emulator.stores.r2 import R2Store

        return R2Store

    @property
    def kept(self) -> KeptFolder:
        from cfworkflows_emulator.stores.r2 import FOLDER, MIGRATIONS, described

        return KeptFolder(FOLDER, len(MIGRATIONS), described)

    def place(self, section: R2Section, /) -> Path:
        from cfworkflows_emulator.stores.r2 import file_of

        return file_of(Path(), section.bucket)

    def take_over(self, section: R2Section, peer: Peer, state: Path, /) -> Taken | None:
        from cfworkflows_emulator.stores.r2.peer import taken_over

        return taken_over(peer, section.bucket, state)

    async def bind(self, section: R2Section, resources: Resources, /) -> "R2Binding":
        from cfworkflows_bindings import R2Binding
        from cfworkflows_emulator.stores.r2 import R2Store, file_of

        bucket = section.bucket
        path = file_of(resources.folder.path, bucket) if resources.folder is not None else None
        made = R2Store(path, bucket, resources.engine.clock, resources.durability)
        store: R2Store = await resources.store(("r2", bucket), made.open)
        return R2Binding(store, bucket)


R2_BUCKETS = R2Runtime()
