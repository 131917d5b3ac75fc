"""The state folder: who may use it, and what the error says if it cannot be used."""

import os
import re
import signal
import subprocess
import sys

import pytest

from cfworkflows_emulator.storage import DiskError, StateError, StateFolder

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


def test_a_folder_that_could_not_be_written_is_not_held(tmp_path):
    """Whoever tries next may have it, though the process that failed lives on."""
    (tmp_path / "holder.new").mkdir()
    with pytest.raises(DiskError, match="Is a directory"):
        StateFolder(tmp_path)
    (tmp_path / "holder.new").rmdir()
    StateFolder(tmp_path).close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    """Before anything else happens."""
    tmp_path.chmod(0o500)
    with pytest.raises(StateError, match="Choose a folder that can be written"):
        StateFolder(tmp_path / "state")
