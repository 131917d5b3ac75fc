"""What the test kit does for a kind of binding."""

from typing import Any, Generic, NamedTuple, Protocol

from cfworkflows_emulator.config import Kind, LoadedConfig, S
from cfworkflows_emulator.runtime import Resources, Worker
from cfworkflows_emulator.testing.world import World


class Fake(Protocol):
    """What a keyword of FakeEnv stands for, where that is a binding."""

    def section(self, binding: str, /) -> Any:
        """As a configuration would have it. Raises ValueError for settings that one may not have either."""
        ...

    def define(self, section: Any, worker: Worker, resources: Resources, /) -> None:
        """Make known what the Worker itself has of it."""
        ...


class Faked(NamedTuple):
    """A binding of FakeEnv."""

    kind: "KitKind[Any]"
    fake: Any
    section: Any


class KitKind(Generic[S]):
    """How the bindings of `kind` come into a test, and what the test sees of them."""

    kind: Kind[S]

    def fake(self, value: Any, /) -> Fake | None:
        """What `value`, given to FakeEnv, stands for; None where it is nothing of this kind."""
        return None

    def check(self, sections: list[S], /) -> None:
        """Raises ValueError where the bindings of one FakeEnv do not fit together."""

    def prepare(self, section: S, loaded: LoadedConfig, resources: Resources, /) -> None:
        """What a test finds in a binding of a configuration, before anything uses it."""

    def seen(self, binding: Any, world: World, /) -> Any:
        """What the test has in place of the Worker's own binding."""
        return binding
