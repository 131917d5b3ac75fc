"""D1 databases: each id is one store, whichever Workers are bound to it."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cfworkflows_emulator.config import D1_DATABASES as KIND
from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.config.kinds.d1 import D1Section
from cfworkflows_emulator.runtime.kinds.kind import RuntimeKind
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.runtime.worker import Worker
from cfworkflows_emulator.storage import StateError
from cfworkflows_emulator.storage.kept import KeptFolder
from cfworkflows_emulator.storage.peer import Peer, Taken

if TYPE_CHECKING:
    from cfworkflows_bindings import D1Binding
    from cfworkflows_emulator.stores.d1 import D1Store


class D1Runtime(RuntimeKind[D1Section]):
    """A binding is the store of its id, and that."""

    kind = KIND

    @property
    def binding(self) -> "type[D1Binding]":
        from cfworkflows_bindings import D1Binding

        return D1Binding

    @property
    def store(self) -> "type[D1Store]":
        from cfworkflows_emulator.stores.d1 import D1Store

        return D1Store

    @property
    def kept(self) -> KeptFolder:
        from cfworkflows_emulator.stores.d1 import FOLDER, SCHEMA, described

        return KeptFolder(FOLDER, len(SCHEMA), described)

    def place(self, section: D1Section, /) -> Path:
        from cfworkflows_emulator.stores.d1 import file_of

        return file_of(Path(), section.database)

    def take_over(self, section: D1Section, peer: Peer, state: Path, /) -> Taken | None:
        from cfworkflows_emulator.stores.d1 import taken_over

        return taken_over(peer, section.database, state)

    async def bind(self, section: D1Section, resources: Resources, /) -> "D1Binding":
        from cfworkflows_bindings import D1Binding

        return D1Binding(await d1_store(section.database, resources), section.database)

    def define(self, loaded: LoadedConfig, worker: Worker, resources: Resources, /) -> None:
        sections = loaded.sections(KIND)
        if not sections:
            return
        from cfworkflows_emulator.stores.d1.changes import lacking

        for section in sections:
            store: D1Store = resources.opened(("d1", section.database))
            store.explain(partial(lacking, section=section, directory=loaded.directory))

    async def store_notices(self, loaded: LoadedConfig, resources: Resources, /) -> list[str]:
        notices: list[str] = []
        if not loaded.sections(KIND):
            return notices
        from cfworkflows_emulator.stores.d1.changes import lacking

        for section in loaded.sections(KIND):
            if not (loaded.directory / section.folder).is_dir():
                continue
            store = await d1_store(section.database, resources)
            try:
                notice = await lacking(store, section, loaded.directory)
            except StateError as error:  # it harms this binding alone
                notice = f"env.{section.binding} cannot be used: {error}"
            if notice is not None:
                notices.append(notice)
        return notices


D1_DATABASES = D1Runtime()


async def d1_store(database: str, resources: Resources) -> "D1Store":
    """The store of the database with that id."""
    from cfworkflows_emulator.stores.d1 import D1Store, file_of

    path = file_of(resources.folder.path, database) if resources.folder is not None else None
    store = D1Store(path, database, resources.engine.clock, resources.durability)
    return await resources.store(("d1", database), store.open)
