"""`cfwf r2`: of a state folder, and of a running server."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from devserver import running, write

from cfworkflows_emulator.cli.main import main

__all__ = ["running", "write"]

CONFIG = '[[r2_buckets]]\nbinding = "FILES"\nbucket_name = "files"\n'
LARGE = bytes(range(256)) * 1000


def r2(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["r2", *arguments], input=given)


@pytest.fixture
def folder(write, monkeypatch):
    found = write(config=CONFIG)
    monkeypatch.chdir(found)
    return found


def check_commands(folder: Path) -> None:
    """Everything, wherever the buckets are."""
    (folder / "large.bin").write_bytes(LARGE)
    assert [{"name": "files"}] == json.loads(r2("bucket", "list", "--json").stdout)
    stored = r2("object", "put", "files/a/large", "--file", "large.bin", "--ct", "text/x", "-s", "InfrequentAccess")
    assert "Stored 256,000 bytes as files/a/large in the " in stored.stdout
    assert LARGE == r2("object", "get", "files/a/large", "--pipe").stdout_bytes
    assert 0 == r2("object", "put", "files/b", "--pipe", given=b"piped").exit_code
    assert 0 == r2("object", "get", "files/b", "--file", "copy").exit_code
    assert b"piped" == (folder / "copy").read_bytes()
    assert {"key": "b"} == json.loads(r2("object", "delete", "files/b", "--json").stdout)
    (folder / "up" / "d").mkdir(parents=True)
    (folder / "up" / "d" / "one.txt").write_text("1")
    assert {"copied": 1} == json.loads(r2("sync", "up", "files/site", "--json").stdout)
    assert {"copied": 0} == json.loads(r2("sync", "up", "files/site", "--json").stdout)
    assert {"copied": 1} == json.loads(r2("sync", "down", "files/site", "--down", "--json").stdout)
    assert "1" == (folder / "down" / "d" / "one.txt").read_text()


def test_commands_on_a_state_folder(folder: Path) -> None:
    """Without a server."""
    check_commands(folder)


async def test_commands_on_a_server(folder: Path, running) -> None:
    """Found by its state folder."""
    import asyncio

    async with running(cwd=folder):
        await asyncio.to_thread(check_commands, folder)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["object", "get", "files/nope"], "The specified key does not exist."),
        (["object", "get", "files"], "'files' is no object: write BUCKET/KEY."),
        (["object", "get", "other/a"], "The configuration has no bucket other; it has: files."),
        (["object", "put", "files/a"], "Either --file or --pipe says what is stored."),
        (["sync", "nope", "files"], "There is no folder nope."),
    ],
)
def test_refusals(folder: Path, arguments: list[str], text: str) -> None:
    """Each says what is wrong, in a line."""
    result = r2(*arguments)
    assert (1, f"error: {text}\n") == (result.exit_code, result.stderr)


def test_an_object_is_never_written_out_of_the_folder(folder: Path) -> None:
    """Whatever its key is."""
    assert 0 == r2("object", "put", "files/site/../../evil", "--pipe", given=b"x").exit_code
    result = r2("sync", "down", "files/site", "--down")
    assert 1 == result.exit_code
    assert "would be no file in down" in result.stderr
    assert not (folder.parent / "evil").exists()
