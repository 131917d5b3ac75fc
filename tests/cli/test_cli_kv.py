"""`cfwf kv`: of a state folder, and of a running server."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from devserver import running, write

from cfworkflows_emulator.cli.main import main

__all__ = ["running", "write"]

CONFIG = '[[kv_namespaces]]\nbinding = "CACHE"\nid = "cache"\n'
BYTES = bytes(range(256))
OF = ("--binding", "CACHE")


def kv(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["kv", *arguments])


@pytest.fixture
def folder(write, monkeypatch):
    """A project with a namespace, which is the current folder."""
    found = write(config=CONFIG)
    monkeypatch.chdir(found)
    return found


def check_commands(folder: Path, said: str) -> None:
    """Everything, wherever the namespaces are; `said` is in what each says of where it looks."""
    assert [{"id": "cache", "title": "CACHE"}] == json.loads(kv("namespace", "list").stdout)
    stored = kv("key", "put", "greeting", "h\u00e4llo", *OF, "--metadata", '{"a": 1}', "--ttl", "600")
    assert ("Stored 6 bytes as greeting.\n", True) == (stored.stdout, said in stored.stderr)
    assert "h\u00e4llo\n" == kv("key", "get", "greeting", *OF, "--text").stdout
    (folder / "bytes").write_bytes(BYTES)
    assert 0 == kv("key", "put", "b", "--path", "bytes", "--namespace-id", "cache").exit_code
    assert BYTES == kv("key", "get", "b", *OF).stdout_bytes
    [first, second] = json.loads(kv("key", "list", *OF).stdout)
    assert ({"name": "b"}, "greeting", {"a": 1}, True) == (
        first, second["name"], second["metadata"], second["expiration"] > 0,
    )  # fmt: skip
    (folder / "pairs.json").write_text(json.dumps([{"key": f"n{i:04}", "value": str(i)} for i in range(1500)]))
    assert "Stored 1,500 keys.\n" == kv("bulk", "put", "pairs.json", *OF).stdout
    assert 1500 == len(json.loads(kv("key", "list", "--prefix", "n", *OF).stdout))
    (folder / "keys.json").write_text('["n0007", "none"]')
    assert {"n0007": {"value": "7"}, "none": None} == json.loads(kv("bulk", "get", "keys.json", *OF).stdout)
    assert "Deleted 2 keys.\n" == kv("bulk", "delete", "keys.json", "--force", *OF).stdout
    assert "Deleted greeting.\n" == kv("key", "delete", "greeting", *OF).stdout
    gone = kv("key", "get", "greeting", *OF)
    assert (1, "There is no key greeting." in gone.stderr) == (gone.exit_code, True)


def test_commands_on_a_state_folder(folder: Path) -> None:
    """Without a server."""
    check_commands(folder, "Using the state folder ")


async def test_commands_on_a_server(folder: Path, running) -> None:
    """Found by its state folder."""
    async with running(cwd=folder):
        await asyncio.to_thread(check_commands, folder, "http://")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("key", "get", "a"), "Give either --binding or --namespace-id."),
        (("key", "get", "a", *OF, "--namespace-id", "cache"), "Give either --binding or --namespace-id."),
        (("key", "get", "a", "--binding", "NONE"), "There are: CACHE."),
        (("key", "get", "a", "--namespace-id", "none"), "There is no 'none', but: cache."),
        (("key", "get", "a", *OF, "--remote"), "--remote is not supported"),
        (("key", "put", "a", *OF), "Give either VALUE or --path."),
        (("key", "put", "a", "v", *OF, "--metadata", "{"), "--metadata is not JSON"),
        (("key", "put", "a", "v", *OF, "--ttl", "5"), "60"),
        (("key", "put", "k" * 513, "v", *OF), "512"),
        (("bulk", "put", "wrangler.toml", *OF), "is not JSON"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    """In words, with an exit code."""
    done = kv(*arguments)
    assert (True, True) == (done.exit_code > 0, said in done.stderr), done.stderr
