"""The tests that the examples have, run as their users run them: `pytest` in a copy of the folder."""

import shutil
import subprocess
from pathlib import Path

import pytest
from kit import ENVIRONMENT, PYTEST
from serving import EXAMPLES


@pytest.mark.parametrize(("example", "count"), [("quickstart", 5), ("patterns", 10), ("orders", 9)])
def test_tests_of_the_example_pass(example: str, count: int, tmp_path: Path) -> None:
    """All of them, without a warning."""
    folder = tmp_path / example
    shutil.copytree(EXAMPLES / example, folder, ignore=shutil.ignore_patterns(".cfwf", "__pycache__"))
    command = [*PYTEST, "-q", "-W", "error"]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert f"{count} passed" in done.stdout, done.stdout + done.stderr
    assert 0 == done.returncode
