"""What a kind of binding does at run time."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Generic

from cfworkflows_emulator.config import Kind, LoadedConfig
from cfworkflows_emulator.config.kinds.kind import S
from cfworkflows_emulator.runtime.exports import Exports
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.runtime.worker import Worker
from cfworkflows_emulator.storage.kept import KeptFolder
from cfworkflows_emulator.storage.peer import Peer, Taken


class RuntimeKind(Generic[S]):
    """How the bindings of `kind` are made: objects of the class `binding`, over a `store` if the kind has one.

    They are properties, so that a project without such bindings starts without their modules.
    """

    kind: Kind[S]

    @property
    def binding(self) -> type[Any]:
        raise NotImplementedError

    @property
    def store(self) -> type[Any] | None:
        return None

    @property
    def kept(self) -> KeptFolder | None:
        """The folder of its data."""
        return None

    async def bind(self, section: S, resources: Resources, /) -> Any:
        """What `env.X` is. A store comes from `resources`, which opens it once."""
        raise NotImplementedError

    def place(self, section: S, /) -> Path | None:
        """The file of its data, in the state folder; None if it has none of its own."""
        return None

    def take_over(self, section: S, peer: Peer, state: Path, /) -> Taken | None:
        """Copy what `wrangler dev` has of it into a state folder; None if that is nothing."""
        return None

    def check_code(self, loaded: LoadedConfig, module: ModuleType, exports: Exports, /) -> None:
        """Raises ConfigError for what the configuration names and the main module does not have."""

    def define(self, loaded: LoadedConfig, worker: Worker, resources: Resources, /) -> None:
        """Register what the Worker itself has of this kind, once its code is loaded."""

    async def store_notices(self, loaded: LoadedConfig, resources: Resources, /) -> list[str]:
        """Notices of what the stores lack that the configuration speaks of. Only what costs little is looked at."""
        return []

    def notices(self, loaded: LoadedConfig, /) -> Iterator[str]:
        """Notices of what the configuration asks for and does not get."""
        return iter(())
