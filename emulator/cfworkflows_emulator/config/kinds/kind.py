"""What a kind of binding tells of itself."""

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
    """A layer of the house, where a kind that declares it has a module."""

    TYPES = "types"
    """What `env.X` promises, in the SDK."""
    BINDING = "binding"
    """What `env.X` is here."""
    STORE = "store"
    """Where its data is, if that is a store of its own."""
    RUNTIME = "runtime"
    """How it is opened and bound."""
    ANALYSIS = "analysis"
    """What `cfwf types` writes about it."""
    EXPLORER = "explorer"
    """How the Local Explorer lists it."""
    KIT = "kit"
    """What a test gets, and may give to FakeEnv, in its place."""


class Listed:
    """A kind of binding, whether this version has it or not.

    `key` is where it is in the file, `friendly` what people call it, and `name` the field with the binding's name.
    `checked_unique` is False for the few kinds that the platform leaves out when it looks for repeated names.
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
    """Something of another Worker: the name of the Worker, and what it is, in words."""

    worker: str
    what: str


class Configured(Protocol):
    """What rules about the Workers of a session see of each: a configuration that was loaded."""

    @property
    def config(self) -> WorkerConfig: ...

    @property
    def shown(self) -> str: ...

    def sections(self, kind: "Kind[S]", /) -> Sequence[S]: ...

    def place(self, path: Path, /) -> str: ...

    def problem(self, message: str, path: Path, suggestion: str | None = None, /) -> Diagnostic: ...


class Kind(Listed, Generic[S]):
    """A kind of binding that this version has. `section` is what an element of its array in the file becomes.

    `layers` are those in which it has a module, beside this one. The methods are what makes it special.
    """

    section: type[S]
    layers: frozenset[Layer]

    def resource(self, section: S, /) -> str | None:
        """What is bound, in the list that `cfwf dev` begins with."""
        return None

    def elsewhere(self, section: S, /) -> Elsewhere | None:
        """What has to be there for this binding, if it is of a Worker that is named in it."""
        return None

    def check(self, report: Report, path: Path, element: Mapping[str, Any], /) -> None:
        """The rules about single values of an element."""

    def check_whole(self, resolved: Resolved, /) -> None:
        """The rules about the section that counts, as a whole."""

    def check_session(self, configs: Sequence[Configured], /) -> Iterator[Diagnostic]:
        """What does not fit together in the configurations of several Workers."""
        return iter(())
