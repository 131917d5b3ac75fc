"""A kind of binding that is in no release: a module for each layer, as a new kind would have them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from cfworkflows_emulator.analysis import kinds as analysis_kinds
from cfworkflows_emulator.analysis.annotations import Imports
from cfworkflows_emulator.analysis.kinds import TypedKind
from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.api import kinds as api_kinds
from cfworkflows_emulator.api.kind import ExplorerKind
from cfworkflows_emulator.config import Kind, Layer, LoadedConfig
from cfworkflows_emulator.config import kinds as config_kinds
from cfworkflows_emulator.config.markers import Section
from cfworkflows_emulator.runtime import Resources, Worker
from cfworkflows_emulator.runtime import kinds as runtime_kinds
from cfworkflows_emulator.runtime.kinds import RuntimeKind
from cfworkflows_emulator.testing import kinds as testing_kinds
from cfworkflows_emulator.testing.kit import KitKind


@dataclass(frozen=True, slots=True)
class ToySection(Section):
    """One element of `toys`."""

    binding: str
    colour: str = "red"


class ToyKind(Kind[ToySection]):
    """The configuration's part."""

    key = "toys"
    friendly = "Toy"
    section = ToySection
    layers = frozenset(Layer)

    def resource(self, section: ToySection, /) -> str:
        return section.colour


TOYS = ToyKind()


@dataclass
class ToyStore:
    """What toys of one colour share."""

    colour: str
    played: list[str] = field(default_factory=list)
    is_open: bool = True

    @asynccontextmanager
    async def open(self) -> AsyncIterator["ToyStore"]:
        """Itself, until the end of the block."""
        try:
            yield self
        finally:
            self.is_open = False


class Toy:
    """The binding."""

    def __init__(self, store: ToyStore) -> None:
        self.store = store

    def play(self, game: str) -> list[str]:
        """All that was played with the store."""
        self.store.played.append(game)
        return self.store.played


class ToyRuntime(RuntimeKind[ToySection]):
    """The part of `runtime`."""

    kind = TOYS
    binding = Toy
    store = ToyStore

    async def bind(self, section: ToySection, resources: Resources, /) -> Toy:
        return Toy(await resources.store(("toys", section.colour), ToyStore(section.colour).open))


class ToyTypes(TypedKind[ToySection]):
    """The part of `analysis`."""

    kind = TOYS
    promise = Toy

    def annotated(
        self, section: ToySection, program: Program, config: LoadedConfig, imports: Imports, /
    ) -> tuple[str, str]:
        imports.add("toys", "Toy")
        return "Toy", f"it is {section.colour}"


class ToyListed(ExplorerKind[ToySection]):
    """The part of `api`."""

    kind = TOYS
    group = "toys"

    def described(self, section: ToySection, worker: str, /) -> dict[str, Any]:
        return {"id": section.colour, "bindingName": section.binding}


@dataclass(frozen=True)
class FakeToy:
    """A toy for FakeEnv."""

    colour: str

    def section(self, binding: str, /) -> ToySection:
        return ToySection(binding, self.colour)

    def define(self, section: ToySection, worker: Worker, resources: Resources, /) -> None:
        """A toy has no code."""


class ToyFaked(KitKind[ToySection]):
    """The part of `testing`."""

    kind = TOYS

    def fake(self, value: Any, /) -> FakeToy | None:
        return value if isinstance(value, FakeToy) else None

    def seen(self, binding: Toy, world: Any, /) -> Any:
        return SeenToy(binding.store)


class SeenToy(Toy):
    """What a test has in place of a toy."""


def add(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the modules of the kind into the tuples of the layers."""
    monkeypatch.setattr(config_kinds, "SUPPORTED", (*config_kinds.SUPPORTED, TOYS))
    monkeypatch.setattr(runtime_kinds, "KINDS", (*runtime_kinds.KINDS, ToyRuntime()))
    monkeypatch.setattr(analysis_kinds, "KINDS", (*analysis_kinds.KINDS, ToyTypes()))
    monkeypatch.setattr(api_kinds, "KINDS", (*api_kinds.KINDS, ToyListed()))
    monkeypatch.setattr(testing_kinds, "KINDS", (*testing_kinds.KINDS, ToyFaked()))
