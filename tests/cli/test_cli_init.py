"""`cfwf init`: a project that runs, and passes its tests, as it is."""

import json
import os
import subprocess
import sys
import urllib.request
from datetime import datetime

import pytest
from command import cfwf

from cfworkflows_emulator.cli.dev import DEBUG_PORT
from cfworkflows_emulator.cli.init import compatibility_date

FILES = [
    ".gitignore",
    ".vscode/launch.json",
    "README.md",
    "pyproject.toml",
    "src/entry.py",
    "tests/test_entry.py",
    "wrangler.toml",
]


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def ask(url, body=None):
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=20) as answer:
        return json.loads(answer.read())


def test_files_of_a_new_project(tmp_path):
    """A folder that is not there is made, with the files of a project named after it."""
    done = cfwf("init", "My Shop", cwd=tmp_path)
    assert (0, FILES) == (done.returncode, files(tmp_path / "My Shop"))
    assert 'name = "my-shop"' in (tmp_path / "My Shop/wrangler.toml").read_text()
    assert "cd My Shop" in done.stdout
    attach, tests = json.loads((tmp_path / "My Shop/.vscode/launch.json").read_text())["configurations"]
    assert ({"host": "127.0.0.1", "port": DEBUG_PORT}, True) == (attach["connect"], attach["restart"])
    assert ["${file}"] == tests["args"]


@pytest.mark.parametrize(
    ("today", "date"), [("2026-12-01", "2026-11-01"), ("2026-12-31", "2026-12-01"), ("2027-01-05", "2026-12-01")]
)
def test_compatibility_date_is_one_that_a_runtime_of_some_weeks_accepts(today, date):
    """It is the first of a month, and four to nine weeks old."""
    assert date == compatibility_date(datetime.fromisoformat(today))


async def test_new_project_is_served(tmp_path, running):
    """It has no findings, its types are written, and an order is created, approved and charged over HTTP."""
    cfwf("init", "--name", "shop", cwd=tmp_path)
    assert "No problems found" in cfwf("check", "--strict", cwd=tmp_path).stdout
    assert 0 == cfwf("types", cwd=tmp_path).returncode
    async with running() as dev:
        created = ask(f"{dev.url}/orders", {"item": "book", "amount": 5})
        assert "Ada" == created["approver"]
        order = f"{dev.url}/orders/{created['id']}"
        assert {"sent": True} == ask(f"{order}/approve", {"by": "Ada"})
        await dev.line("reserved a book")
        await dev.line("charged 5")
        assert ask(order)["status"] in ("running", "complete")


def test_tests_of_a_new_project_pass(tmp_path):
    """The generated tests pass as they are."""
    cfwf("init", "shop", cwd=tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "shop",
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout


def test_folder_that_is_not_empty(tmp_path):
    """What would be written is shown, nothing is, and the command ends with 1."""
    (tmp_path / "README.md").write_text("mine")
    done = cfwf("init", "--name", "shop", cwd=tmp_path)
    assert (1, ["README.md"]) == (done.returncode, files(tmp_path))
    assert "is not empty, and nothing was written" in done.stdout
    assert "  keep    README.md\n" in done.stdout
    assert "  create  src/entry.py\n" in done.stdout


def test_nothing_is_overwritten(tmp_path):
    """--force adds what is missing; what is there stays as it is, links too."""
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "wrangler.toml").symlink_to(tmp_path / "nowhere")
    done = cfwf("init", "--name", "shop", "--force", cwd=tmp_path)
    assert (0, "mine") == (done.returncode, (tmp_path / "README.md").read_text())
    assert not (tmp_path / "nowhere").exists()
    assert (tmp_path / "src/entry.py").is_file()


def test_git_repository_without_files(tmp_path):
    """A folder with nothing but .git counts as empty."""
    (tmp_path / ".git").mkdir()
    assert 0 == cfwf("init", "--name", "shop", cwd=tmp_path).returncode


@pytest.mark.parametrize("name", ["My Shop", "", "x" * 55])
def test_name_that_is_none(tmp_path, name):
    """A Worker's name is checked before anything is written."""
    done = cfwf("init", "--name", name, cwd=tmp_path)
    assert (1, []) == (done.returncode, files(tmp_path))
    assert "is no name of a Worker" in done.stderr
