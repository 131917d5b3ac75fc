"""Kinds of bindings: each stands in the layers that it declares, and a new one needs nothing but its modules."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import toy_kind

from cfworkflows import WorkflowEntrypoint, types
from cfworkflows.http import Request
from cfworkflows_emulator.analysis import Program
from cfworkflows_emulator.analysis import kinds as analysis_kinds
from cfworkflows_emulator.analysis.environment import env_types
from cfworkflows_emulator.api import kinds as api_kinds
from cfworkflows_emulator.api.explorer.api import PREFIXES, ExplorerApi
from cfworkflows_emulator.api.workflows import Workflows
from cfworkflows_emulator.config import SUPPORTED, ConfigError, Kind, Layer, LoadedConfig
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.dev.startup import bindings_table
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.runtime import kinds as runtime_kinds
from cfworkflows_emulator.testing import FakeEnv
from cfworkflows_emulator.testing import kinds as testing_kinds

STORES = ("cfworkflows_emulator.stores.", "cfworkflows_emulator.objects.", "cfworkflows_emulator.queues.")

# Where each kind of a layer says that it is there.
STANDS: dict[Layer, Callable[[Kind[Any]], bool]] = {
    Layer.TYPES: lambda kind: any(
        each.kind is kind and getattr(types, each.promise.__name__, None) is each.promise
        for each in analysis_kinds.KINDS
    ),
    Layer.BINDING: lambda kind: runtime_kinds.runtime_kind(kind).binding.__module__.startswith("cfworkflows_bindings."),
    Layer.STORE: lambda kind: str(getattr(runtime_kinds.runtime_kind(kind).store, "__module__", "")).startswith(STORES),
    Layer.RUNTIME: lambda kind: kind in [each.kind for each in runtime_kinds.KINDS],
    Layer.ANALYSIS: lambda kind: kind in [each.kind for each in analysis_kinds.KINDS],
    Layer.EXPLORER: lambda kind: kind in [each.kind for each in api_kinds.KINDS],
    Layer.KIT: lambda kind: kind in [each.kind for each in testing_kinds.KINDS],
}


@pytest.mark.parametrize("layer", Layer)
@pytest.mark.parametrize("kind", SUPPORTED, ids=lambda kind: kind.key)
def test_kind_stands_in_the_layers_that_it_declares(kind: Kind[Any], layer: Layer) -> None:
    """And in no other: what is there is declared."""
    is_there = STANDS[layer](kind)
    assert (layer in kind.layers) == is_there, f"{kind.key} {'has' if is_there else 'lacks'} the layer {layer}"


def test_every_kind_can_be_bound() -> None:
    """What the configuration calls supported is supported: no binding of it is without an object."""
    assert list(SUPPORTED) == [each.kind for each in runtime_kinds.KINDS]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LoadedConfig]:
    """Write a Worker with toys; the kind is there while the test runs."""
    toy_kind.add(monkeypatch)

    def write(name: str = "shop", toys: str = '[[toys]]\nbinding = "TOY"\n') -> LoadedConfig:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "entry.py").write_text("")
        config = f'name = "{name}"\nmain = "entry.py"\ncompatibility_date = "2026-11-01"\n{toys}'
        (folder / "wrangler.toml").write_text(config)
        return load_config(cwd=folder, process_env={})

    return write


async def test_new_kind_reaches_env(write: Callable[..., LoadedConfig]) -> None:
    """Its store is opened once for all Workers of the session, and closed with it."""
    blue = '[[toys]]\nbinding = "BLUE"\ncolour = "blue"\n'
    async with Project.open(write(), write("other", f'[[toys]]\nbinding = "SAME"\n{blue}')) as project:
        shop, other = project.worker.env, project.workers["other"].env
        shop.TOY.play("chess")
        assert ["chess", "go"] == other.SAME.play("go")
        assert ["dice"] == other.BLUE.play("dice")
        stores = [shop.TOY.store, other.BLUE.store]
        assert [True, True] == [store.is_open for store in stores]
        await project.close()
        assert [False, False] == [store.is_open for store in stores]


def test_new_kind_is_in_the_table_of_bindings(write: Callable[..., LoadedConfig]) -> None:
    """With what it is bound to."""
    loaded = write()
    assert "env.TOY (red)      Toy           local" == bindings_table(loaded, [loaded]).splitlines()[-1].rstrip()


def test_mistakes_in_a_new_kind_are_found(write: Callable[..., LoadedConfig]) -> None:
    """Its section is a dataclass, and that is all that the checks need."""
    with pytest.raises(ConfigError) as caught:
        write(toys="[[toys]]\ncolour = 5\n")
    assert [
        '"toys[0]" bindings should have a string "binding" field but got {"colour":5}.',
        '"toys[0]" bindings should, optionally, have a string "colour" field but got {"colour":5}.',
    ] == [each.message for each in caught.value.diagnostics]


def test_new_kind_is_annotated(write: Callable[..., LoadedConfig]) -> None:
    """`cfwf types` writes what its module says."""
    loaded = write()
    written = env_types(Program(loaded.main), loaded)
    assert "    TOY: Toy  # it is red" in written.splitlines()
    assert "from toys import Toy" in written.splitlines()


async def test_new_kind_is_listed_by_the_explorer(write: Callable[..., LoadedConfig]) -> None:
    """Among the bindings of its Worker."""
    async with Project.open(write()) as project:
        answer = await ExplorerApi(Workflows(project)).fetch(Request(f"http://localhost{PREFIXES[0]}/local/workers"))
        [worker] = json.loads(await answer.text())["result"]
    assert [{"id": "red", "bindingName": "TOY"}] == worker["bindings"]["toys"]


async def test_new_kind_can_be_given_to_fake_env() -> None:
    """The Worker has the binding, and the test what its module puts in place of it."""

    class Plays(WorkflowEntrypoint[Any, Any]):
        async def run(self, event: Any, step: Any) -> list[str]:
            return [type(self.env.TOY).__name__, *self.env.TOY.play("chess")]

    with pytest.MonkeyPatch.context() as patch:
        toy_kind.add(patch)
        async with FakeEnv(TOY=toy_kind.FakeToy("green"), PLAYS=Plays, N=1) as env:
            instance = await env.PLAYS.create()
            assert ["Toy", "chess"] == await instance.result()
            assert (toy_kind.SeenToy, "green", 1) == (type(env.TOY), env.TOY.store.colour, env.N)
            store = env.TOY.store
        assert not store.is_open
