"""`cfwf types`: what it writes, and that a type checker takes it."""

import os
import subprocess
import sys

import pytest
from command import cfwf

CONFIG = """\
name = "shop"
main = "src/entry.py"
compatibility_date = "2026-11-01"

[vars]
GREETING = "hello"
MAX_ITEMS = 50
DEBUG = true
LIMITS = { a = 1 }

[secrets]
required = ["API_TOKEN"]

[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Orders"

[[workflows]]
name = "other"
binding = "OTHER"
class_name = "Elsewhere"
script_name = "another-worker"

[[services]]
binding = "BILLING"
service = "billing"

[[kv_namespaces]]
binding = "CACHE"
id = "1"

[[vectorize]]
binding = "INDEX"
index_name = "1"
"""
ENTRY = """\
from __future__ import annotations

from models import Order
from worker_types import Env

from cfworkflows import Response, WorkerEntrypoint, WorkflowEntrypoint, WorkflowEvent, WorkflowStep


class Orders(WorkflowEntrypoint[Env, Order]):
    async def run(self, event: WorkflowEvent[Order], step: WorkflowStep) -> dict[str, int]:
        return {"items": len(event.payload.items)}


class Default(WorkerEntrypoint[Env]):
    async def fetch(self, request: object) -> Response:
        instance = await self.env.ORDERS.create(params=Order(["book"]))
        status = await instance.status()
        reveal_type(self.env.GREETING)
        reveal_type(self.env.API_TOKEN)
        reveal_type(status.output)
        return Response.json({"id": instance.id})
"""
MODELS = """\
from dataclasses import dataclass


@dataclass
class Order:
    items: list[str]
"""
WRITTEN = '''\
"""The types of `env`, written by `cfwf types` from wrangler.toml. Run it again instead of editing this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from cfworkflows import Workflow
from cfworkflows.types import Fetcher, KVNamespace

if TYPE_CHECKING:
    from models import Order


class Env(Protocol):
    """What the configuration binds."""

    BILLING: Fetcher
    CACHE: KVNamespace
    INDEX: Any  # Vectorize Index, not supported yet
    ORDERS: Workflow[Order, dict[str, int]]
    OTHER: Workflow[Any, Any]  # of the Worker another-worker
    API_TOKEN: str
    DEBUG: bool
    GREETING: Literal["hello"]
    LIMITS: Any  # JSON
    MAX_ITEMS: int
'''


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "src/entry.py").write_text(ENTRY)
    (tmp_path / "src/models.py").write_text(MODELS)
    return tmp_path


def test_types_are_written_and_stay(shop):
    """The file has every binding, and a second call, or --check, finds it up to date."""
    assert "Wrote src/worker_types.py.\n" == cfwf("types", cwd=shop).stdout
    assert WRITTEN == (shop / "src/worker_types.py").read_text()
    for arguments in ((), ("--check",)):
        done = cfwf("types", *arguments, cwd=shop)
        assert (0, "src/worker_types.py is up to date.\n") == (done.returncode, done.stdout)


def test_check_fails_when_it_is_stale(shop):
    """--check writes nothing, and ends with 1 if the file is missing or differs."""
    done = cfwf("types", "--check", cwd=shop)
    assert (1, True) == (done.returncode, "src/worker_types.py is not there. Run cfwf types" in done.stderr)
    assert not (shop / "src/worker_types.py").exists()
    cfwf("types", cwd=shop)
    (shop / "wrangler.toml").write_text(CONFIG.replace("hello", "hi"))
    done = cfwf("types", "--check", cwd=shop)
    assert (1, True) == (done.returncode, "is out of date" in done.stderr)
    assert WRITTEN == (shop / "src/worker_types.py").read_text()


def test_secrets_stay_secret(shop):
    """A value of .dev.vars is no part of the types."""
    (shop / ".dev.vars").write_text("API_TOKEN=hush\nGREETING=psst\n")
    cfwf("types", "--output", "types.py", cwd=shop)
    text = (shop / "types.py").read_text()
    assert ("hush" in text, "psst" in text, "    GREETING: str\n" in text) == (False, False, True)


def test_type_checker_takes_it(shop):
    """mypy --strict knows the Params, the output, the variables and the secrets from it."""
    cfwf("types", cwd=shop)
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "src/entry.py", "src/worker_types.py"],
        cwd=shop,
        env={**os.environ, "MYPYPATH": os.pathsep.join(["src", *filter(None, path)])},
        capture_output=True,
        text=True,
        check=False,
    )
    notes = [line.partition("Revealed type is ")[2] for line in done.stdout.splitlines() if "Revealed" in line]
    assert "Success" in done.stdout, done.stdout
    assert ["\"Literal['hello']\"", '"str"'] == [note.replace("builtins.", "") for note in notes[:2]]
    assert "dict[str, int] | None" in notes[2].replace("builtins.", "")


def test_code_that_is_no_python(shop):
    """Types are not made of code that cannot be read."""
    (shop / "src/models.py").write_text("class Order(:\n")
    done = cfwf("types", cwd=shop)
    assert (1, False) == (done.returncode, (shop / "src/worker_types.py").exists())
    assert "src/models.py is no Python" in done.stderr
