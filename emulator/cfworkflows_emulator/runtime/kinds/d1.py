"""D1 databases: each id is one store, whichever Workers are bound to it."""

from cfworkflows_bindings import D1Binding
from cfworkflows_emulator.config import D1_DATABASES as KIND
from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.config.kinds.d1 import D1Section
from cfworkflows_emulator.runtime.kinds.kind import RuntimeKind
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.storage import StateError
from cfworkflows_emulator.stores.d1 import D1Store, file_of
from cfworkflows_emulator.stores.d1.changes import listed


class D1Runtime(RuntimeKind[D1Section]):
    """A binding is the store of its id, and that."""

    kind = KIND
    binding = D1Binding
    store = D1Store

    async def bind(self, section: D1Section, resources: Resources, /) -> D1Binding:
        return D1Binding(await d1_store(section.database, resources), section.database)

    async def store_notices(self, loaded: LoadedConfig, resources: Resources, /) -> list[str]:
        notices = []
        for section in loaded.sections(KIND):
            if not (loaded.directory / section.folder).is_dir():
                continue
            store = await d1_store(section.database, resources)
            try:
                found = (await listed(store, section, loaded.directory))["migrations"]
            except StateError as error:  # it harms this binding alone
                notices.append(f"env.{section.binding} cannot be used: {error}")
                continue
            if pending := [each["name"] for each in found if each["applied_at"] is None]:
                name = section.database_name or section.binding
                shown = ", ".join(pending[:5] + ["…"] * (len(pending) > 5))
                what = f"{len(pending)} migration{'s are' if len(pending) > 1 else ' is'} not applied"
                notices.append(
                    f"{what} to the D1 database {name} ({shown}): `cfwf d1 migrations apply {section.binding}`"
                )
        return notices


D1_DATABASES = D1Runtime()


async def d1_store(database: str, resources: Resources) -> D1Store:
    """The store of the database with that id."""
    path = file_of(resources.folder.path, database) if resources.folder is not None else None
    store = D1Store(path, database, resources.engine.clock, resources.durability)
    return await resources.store(("d1", database), store.open)
