"""What describes a kind of binding."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from cfworkflows_emulator.config.diagnostics import Diagnostic, Path
from cfworkflows_emulator.config.markers import Section
from cfworkflows_emulator.config.models import WorkerConfig
from cfworkflows_emulator.config.paths import elements
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.resolved import Resolved

S = TypeVar("S", bound=Section)


class Layer(StrEnum):
    """A layer of the project; a kind that declares it has a module there."""

    TYPES = "types"
    """The Protocol of `env.X`, in the SDK."""
    BINDING = "binding"
    """The implementation of `env.X`."""
    STORE = "store"
    """The store of its data, if it has one of its own."""
    RUNTIME = "runtime"
    """How it is opened and bound."""
    ANALYSIS = "analysis"
    """What `cfwf types` writes about it."""
    EXPLORER = "explorer"
    """How the Local Explorer lists it."""
    KIT = "kit"
    """What a test gets, and may pass to FakeEnv, in its place."""


class Listed:
    """A kind of binding, whether this version supports it or not.

    `key` is where it is in the file, `friendly` its name in messages, and `name` the field with the binding's name.
    `checked_unique` is False for the few kinds that the platform skips when it looks for repeated names.
    """

    key: str
    friendly: str
    name: str = "binding"
    checked_unique: bool = True

    @property
    def path(self) -> Path:
        return tuple(self.key.split("."))

    @property
    def root(self) -> str:
        """The key of the section that the kind is below."""
        return self.key.partition(".")[0]

    def named(self, data: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
        """The name and the path of each well-formed binding in a section."""
        for path, element in elements(data, self.path):
            if isinstance(element, dict) and isinstance(name := element.get(self.name), str):
                yield name, path


class Elsewhere(NamedTuple):
    """A requirement on another Worker: the name of the Worker, and what is needed of it, in words."""

    worker: str
    what: str


class Configured(Protocol):
    """The loaded configuration of a Worker, as the rules about a session see it."""

    @property
    def config(self) -> WorkerConfig: ...

    @property
    def shown(self) -> str: ...

    def sections(self, kind: "Kind[S]", /) -> Sequence[S]: ...

    def place(self, path: Path, /) -> str: ...

    def problem(self, message: str, path: Path, suggestion: str | None = None, /) -> Diagnostic: ...


class Kind(Listed, Generic[S]):
    """A kind of binding that this version supports. `section` is what an element of its array in the file becomes.

    `layers` are those in which it has a module, beside this one. The methods are what differs between kinds.
    """

    section: type[S]
    layers: frozenset[Layer]

    def resource(self, section: S, /) -> str | None:
        """What is bound, for the list that `cfwf dev` prints first."""
        return None

    def elsewhere(self, section: S, /) -> Elsewhere | None:
        """What this binding requires of the Worker that it names, if it names one."""
        return None

    def check(self, report: Report, path: Path, element: Mapping[str, Any], /) -> None:
        """The rules about single values of an element."""

    def check_whole(self, resolved: Resolved, /) -> None:
        """The rules about the section that counts, as a whole."""

    def check_session(self, configs: Sequence[Configured], /) -> Iterator[Diagnostic]:
        """The contradictions between the configurations of several Workers."""
        return iter(())
