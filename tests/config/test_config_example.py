"""wrangler.toml.example: it works, and it has every setting."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from config_project import Project

from cfworkflows_emulator.config import SUPPORTED, WORKFLOWS, Dev, WorkerConfig
from cfworkflows_emulator.config.kinds.d1 import D1Section
from cfworkflows_emulator.config.kinds.kv import KVSection
from cfworkflows_emulator.config.kinds.r2 import R2Section
from cfworkflows_emulator.config.kinds.service import ServiceSection
from cfworkflows_emulator.config.kinds.workflow.kind import WorkflowSection
from cfworkflows_emulator.config.models import Triggers
from cfworkflows_emulator.config.toml import Toml

EXAMPLE = (Path(__file__).parents[2] / "wrangler.toml.example").read_text()
ALL_ON = re.sub(r"(?m)^#(?=[\w\[])", "", EXAMPLE)

# Known, so that nobody's file is full of warnings, and without effect in this version.
WITHOUT_EFFECT = {(Dev, each.name) for each in fields(Dev) if each.name not in ("ip", "port")} | {
    (Triggers, "events"),
    (WorkflowSection, "remote"),
    (D1Section, "jurisdiction"),
    (D1Section, "database_internal_env"),
    (D1Section, "remote"),
    (KVSection, "remote"),
    *((R2Section, name) for name in ("jurisdiction", "remote")),
    *((ServiceSection, name) for name in ("environment", "cross_account_grant", "remote")),
}


@pytest.fixture
def example(json_project: Project) -> Project:
    """A project for the example."""
    json_project.name = "wrangler.toml"
    json_project.file(".dev.vars", "API_TOKEN=x\n")
    return json_project


@pytest.mark.parametrize("text", [EXAMPLE, ALL_ON], ids=["as it is", "all settings on"])
def test_example_loads_without_a_warning(example: Project, text: str) -> None:
    """Copied as it is, and with every setting switched on."""
    example.text(text)
    loaded = example.load()
    assert [] == loaded.warnings
    assert "order-service" == loaded.config.name
    assert {"GREETING", "MAX_ITEMS", "API_TOKEN"} == set(loaded.variables)


def test_environment_of_the_example_loads_without_a_warning(example: Project) -> None:
    """It repeats what is not inherited."""
    example.text(EXAMPLE)
    loaded = example.load(env="staging")
    assert [] == loaded.warnings
    assert ("order-service-staging", ["order-saga-staging"]) == (
        loaded.config.name,
        [workflow.name for workflow in loaded.sections(WORKFLOWS)],
    )


def settings(model: type[Any]) -> Iterator[tuple[type[Any], str]]:
    """Every field of a model and of the models in it."""
    for name, annotation in get_type_hints(model).items():
        yield model, name
        for part in (annotation, *get_args(annotation)):
            if is_dataclass(part):
                yield from settings(part)


def keys(value: Any) -> Iterator[str]:
    """Every key in a document."""
    if isinstance(value, dict):
        for key, element in value.items():
            yield key
            yield from keys(element)
    elif isinstance(value, list):
        for element in value:
            yield from keys(element)


def test_example_has_every_setting() -> None:
    """A field of the models that this version acts on is in the example, switched on or off."""
    models = (WorkerConfig, *(kind.section for kind in SUPPORTED))
    wanted = {name for each in models for model, name in settings(each) if (model, name) not in WITHOUT_EFFECT}
    assert set() == {*wanted, "env"} - set(keys(Toml(ALL_ON).data))
