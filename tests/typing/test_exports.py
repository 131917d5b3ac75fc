"""The public names: those that `dir()` tells, those of `__all__`, and those that type checkers see are the same."""

import inspect
import keyword
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from checkers import Place, mypy, pyright

import cfworkflows
import cfworkflows.testing
from cfworkflows_emulator import testing

SOURCES = {cfworkflows: [cfworkflows], cfworkflows.testing: [cfworkflows.testing, testing]}
"""The modules that users import from, each with those whose text names what is in it."""

Name = tuple[str, str]
"""Of a module, and of what is in it."""


def candidates() -> Iterator[Name]:
    """Every word in the text of a module: what a type checker may see in it is one of them. Submodules aside."""
    for module, sources in SOURCES.items():
        words = {word for source in sources for word in re.findall(r"\b[A-Za-z]\w*", inspect.getsource(source))}
        submodules = {found.name for found in pkgutil.iter_modules(getattr(module, "__path__", []))}
        for word in sorted(words - submodules):
            if not keyword.iskeyword(word):
                yield module.__name__, word


@pytest.fixture
def questions(tmp_path: Path) -> tuple[Path, dict[Place, Name]]:
    """A file that imports one name a line, and which it is."""
    file = tmp_path / "questions.py"
    asked = dict(enumerate(candidates(), 1))
    file.write_text(
        "".join(f"from {module} import {name} as {name}_{line}\n" for line, (module, name) in asked.items())
    )
    return file, {(file.name, line): name for line, name in asked.items()}


def at_run_time() -> set[Name]:
    return {(module.__name__, name) for module in SOURCES for name in dir(module) if not name.startswith("_")}


def seen(asked: dict[Place, Name], found: Iterable[tuple[Place, str]]) -> set[Name]:
    refused = {place for place, message in found if "reportUnusedImport" not in message}
    return {name for place, name in asked.items() if place not in refused}


@pytest.mark.parametrize("module", SOURCES, ids=lambda module: module.__name__)
def test_names_at_run_time_are_those_of_all(module: ModuleType) -> None:
    """What `dir()` tells is what `import *` gives, and all of it is there."""
    listed = module.__all__
    assert sorted(set(listed)) == sorted(listed)
    assert set(listed) == {name for name in dir(module) if not name.startswith("_")}
    assert [] == [name for name in listed if not hasattr(module, name)]


def test_mypy_sees_the_names_of_run_time(questions: tuple[Path, dict[Place, Name]], cache: Path) -> None:
    """Those, and no other."""
    file, asked = questions
    assert at_run_time() == seen(asked, list(mypy([file], cache)))


@pytest.mark.pyright
def test_pyright_sees_the_names_of_run_time(questions: tuple[Path, dict[Place, Name]], tmp_path: Path) -> None:
    """Those, and no other."""
    file, asked = questions
    assert at_run_time() == seen(asked, list(pyright([file], tmp_path, installed=True)))
