"""The database file and the folder it is in: who may use them, and what is told if they cannot be used."""

import os
import re
import signal
import sqlite3
import subprocess
import sys

import pytest

from cfworkflows_emulator.storage import Database, StateError, StateFolder
from cfworkflows_emulator.storage.instances import MIGRATIONS


def sqlite_file(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.close()


async def refused(path):
    with pytest.raises(StateError) as caught:
        await Database.open(path, MIGRATIONS)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


async def test_a_file_is_opened_again_with_its_schema(tmp_path):
    """Migrations run once."""
    for _ in range(2):
        database = await Database.open(tmp_path / "s", MIGRATIONS)
        assert 0 == await database.run(lambda c: c.execute("SELECT count(*) FROM instances").fetchone()[0])
        await database.close()


async def test_a_newer_schema_is_refused(tmp_path):
    """It says which, and to upgrade."""
    database = await Database.open(tmp_path / "s", MIGRATIONS)
    await database.run(lambda connection: connection.execute("PRAGMA user_version = 99"))
    await database.close()
    assert "newer cfworkflows (schema 99, this version knows" in await refused(tmp_path / "s")


async def test_files_that_are_not_ours_are_refused(tmp_path):
    """Another database, no database, a damaged one, a folder, a path that is not there."""
    sqlite_file(tmp_path / "other", "CREATE TABLE t (x)")
    assert "not one of cfworkflows" in await refused(tmp_path / "other")
    (tmp_path / "text").write_text("no database " * 1000)
    assert "file is not a database. The file is damaged" in await refused(tmp_path / "text")
    database = await Database.open(tmp_path / "damaged", MIGRATIONS)
    await database.close()
    with (tmp_path / "damaged").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)
    assert "malformed" in await refused(tmp_path / "damaged")
    assert "Check the permissions" in await refused(tmp_path)
    assert "Check the permissions" in await refused(tmp_path / "nowhere" / "s")


async def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path):
    """Half a schema would be worse than none."""

    def fail(connection):
        connection.execute("CREATE TABLE half (x)")
        raise StateError("cannot migrate")

    with pytest.raises(StateError, match="cannot migrate"):
        await Database.open(tmp_path / "s", [*MIGRATIONS, fail])
    connection = sqlite3.connect(tmp_path / "s")
    assert (len(MIGRATIONS),) == connection.execute("PRAGMA user_version").fetchone()
    assert [] == connection.execute("SELECT name FROM sqlite_schema WHERE name = 'half'").fetchall()
    connection.close()


HOLDER = """
import sys
from pathlib import Path
from cfworkflows_emulator.storage import StateFolder
folder = StateFolder(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_folder_is_used_by_one_process_at_a_time(tmp_path):
    """The error names the other one; its death, however sudden, frees the folder."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "state")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert "held\n" == holder.stdout.readline()
        with pytest.raises(StateError, match=rf"in use by another process \(pid {holder.pid}: -c .*--persist-to"):
            StateFolder(tmp_path / "state")
        os.kill(holder.pid, signal.SIGKILL)
    with StateFolder(tmp_path / "state") as folder:
        assert tmp_path / "state" / "workflows.sqlite" == folder.database
        assert "*\n" == (tmp_path / "state" / ".gitignore").read_text()
        (folder.path / "holder.json").write_text("{")
        with pytest.raises(StateError, match=r"in use by another process\. Stop it"):
            StateFolder(tmp_path / "state")
    StateFolder(tmp_path / "state").close()


@pytest.mark.parametrize("path", ["file/state", "file"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path, path):
    """It says which, and how to choose another."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=re.escape(f"{tmp_path / path} cannot be used as state folder: ")):
        StateFolder(tmp_path / path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    """Before anything else happens."""
    tmp_path.chmod(0o500)
    with pytest.raises(StateError, match="Choose a folder that can be written"):
        StateFolder(tmp_path / "state")
