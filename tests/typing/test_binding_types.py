"""What `env.X` is at run time keeps what the SDK says of it, for every kind of binding.

A new kind gets its row in KINDS; the last tests fail as long as one is missing.
"""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import NamedTuple, get_overloads, is_typeddict

import pytest
from checkers import compare, mypy, pyright

import cfworkflows.testing
import cfworkflows_bindings
from cfworkflows import types
from cfworkflows_bindings.d1.session import D1DatabaseSession
from cfworkflows_bindings.d1.statement import D1PreparedStatement
from cfworkflows_bindings.forms import snake_case
from cfworkflows_emulator.engine.subscription import Subscription


class Promise(NamedTuple):
    """The class `made` is what there is, the Protocol `promised` with its type arguments is what users write."""

    made: type
    promised: type
    arguments: str = ""

    def function(self, name: str) -> str:
        """A line that type checkers accept if the promise is kept."""
        made = f"{self.made.__module__}.{self.made.__name__}"
        promised = f"{self.promised.__module__}.{self.promised.__name__}{self.arguments}"
        return f"def {name}(made: {made}) -> {promised}: return made"


KINDS = {
    "workflow": Promise(cfworkflows_bindings.WorkflowBinding, types.Workflow, "[Any, Any]"),
    "kv": Promise(cfworkflows_bindings.KVBinding, types.KVNamespace),
    "d1": Promise(cfworkflows_bindings.D1Binding, types.D1Database),
    "r2": Promise(cfworkflows_bindings.R2Binding, types.R2Bucket),
    "service": Promise(cfworkflows_bindings.ServiceBinding, types.Fetcher),
}
HANDLES = {
    "d1_statement": Promise(D1PreparedStatement, types.D1PreparedStatement),
    "d1_session": Promise(D1DatabaseSession, types.D1DatabaseSession),
    "r2_object": Promise(cfworkflows_bindings.R2Object, types.R2Object),
    "r2_object_body": Promise(cfworkflows_bindings.R2ObjectBody, types.R2ObjectBody),
    "r2_multipart_upload": Promise(cfworkflows_bindings.R2MultipartUpload, types.R2MultipartUpload),
    "workflow_instance": Promise(cfworkflows_bindings.WorkflowInstance, types.WorkflowInstance, "[Any]"),
    "workflow_subscription": Promise(Subscription, types.WorkflowInstanceSubscription),
    "workflow_in_tests": Promise(cfworkflows.testing.Workflow, types.Workflow, "[Any, Any]"),
    "workflow_instance_in_tests": Promise(cfworkflows.testing.WorkflowInstance, types.WorkflowInstance, "[Any]"),
}
PROMISES = {**KINDS, **HANDLES}
BROKEN = Promise(cfworkflows_bindings.ServiceBinding, types.Workflow, "[Any, Any]")
PROTOCOLS = list(dict.fromkeys(promise.promised for promise in PROMISES.values()))

MODULES = [importlib.import_module(f"{types.__name__}.{found.name}") for found in pkgutil.iter_modules(types.__path__)]
OPTIONS = [each for module in MODULES for each in vars(module).values() if is_typeddict(each)]


@pytest.fixture
def promises(tmp_path: Path) -> tuple[Path, int]:
    """A file with every promise, and the line of one that is not kept."""
    modules = {cls.__module__ for promise in PROMISES.values() for cls in (promise.made, promise.promised)}
    lines = ["from typing import Any", *(f"import {module}" for module in sorted(modules))]
    lines += [promise.function(name) for name, promise in PROMISES.items()]
    lines.append(BROKEN.function("broken"))
    file = tmp_path / "promises.py"
    file.write_text("\n".join(lines))
    return file, len(lines)


def spellings(names: set[str]) -> set[str]:
    """The names in snake_case and in camelCase."""
    snakes = {snake_case(name).rstrip("_") for name in names}
    return snakes | {re.sub(r"_([a-z0-9])", lambda part: part[1].upper(), snake) for snake in snakes}


def public(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


def test_mypy_finds_every_promise_kept(promises: tuple[Path, int], cache: Path) -> None:
    """With `--strict`; and it would find one that is not."""
    file, broken = promises
    assert [] == compare({(file.name, broken): "Workflow"}, list(mypy([file], cache)))


@pytest.mark.pyright
def test_pyright_finds_every_promise_kept(promises: tuple[Path, int], tmp_path: Path) -> None:
    """In strict mode; and it would find one that is not."""
    file, broken = promises
    assert [] == compare({(file.name, broken): "Workflow"}, list(pyright([file], tmp_path)))


@pytest.mark.parametrize("promise", PROMISES.values(), ids=PROMISES)
def test_names_are_there_in_both_spellings(promise: Promise) -> None:
    """Methods are promised, and there, in snake_case and in camelCase."""
    promised = public(promise.promised)
    assert promised
    assert spellings(promised) == promised
    assert set() == promised - public(promise.made)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: options.__name__)
def test_options_are_there_in_both_spellings(options: type) -> None:
    """An options object may have each of its keys in snake_case or in camelCase. One that is required, and that makes
    another result of a call, is so in an object for each.
    """
    keys = set(options.__optional_keys__)
    assert spellings(keys) == keys


@pytest.mark.parametrize("promised", PROTOCOLS, ids=lambda cls: cls.__name__)
def test_keywords_are_there_in_both_spellings(promised: type) -> None:
    """So may each keyword."""
    for name in public(promised):
        method = getattr(promised, name)
        for form in (get_overloads(method) or [method]) if callable(method) else ():
            parameters = inspect.signature(form).parameters.values()
            keywords = {each.name.rstrip("_") for each in parameters if each.kind is each.KEYWORD_ONLY}
            assert spellings(keywords) == keywords, name


def test_every_kind_is_promised() -> None:
    """Each module of `cfworkflows.types` is that of a kind, and holds its Protocol."""
    assert {module.__name__ for module in MODULES} == {promise.promised.__module__ for promise in KINDS.values()}


def test_every_binding_keeps_a_promise() -> None:
    """Each binding that there is stands for a kind."""
    bindings = {name for name in cfworkflows_bindings.__all__ if name.endswith("Binding")}
    assert bindings == {promise.made.__name__ for promise in KINDS.values()}
