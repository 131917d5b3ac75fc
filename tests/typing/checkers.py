"""Runs the type checkers over files, as a user with strict settings does."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = [ROOT, ROOT / "bindings", ROOT / "emulator"]

Place = tuple[str, int]
"""File name and line."""


def mypy(files: list[Path], cache: Path, *paths: Path) -> Iterator[tuple[Place, str]]:
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--python-version=3.11", "--output=json"]
    path = os.pathsep.join(map(str, [*PACKAGES, *paths]))
    done = subprocess.run(
        [*command, f"--cache-dir={cache}", *map(str, files)],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "MYPYPATH": path},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    if done.returncode == 0:  # it says so in words
        return
    for line in done.stdout.splitlines():
        found = json.loads(line)
        if found["severity"] == "error":
            yield (Path(found["file"]).name, found["line"]), f"{found['message']} [{found['code']}]"


def pyright(files: list[Path], folder: Path, *, installed: bool = False) -> Iterator[tuple[Place, str]]:
    """`installed` takes the packages as the environment has them, with the rules for typed libraries."""
    project = folder / "pyrightconfig.json"
    project.write_text(
        json.dumps(
            {
                "include": [str(file) for file in files],
                "extraPaths": [] if installed else [str(path) for path in PACKAGES],
                "pythonVersion": "3.11",
                "typeCheckingMode": "strict",
            }
        )
    )
    command = [sys.executable, "-m", "basedpyright", "--project", project, "--pythonpath", sys.executable]
    done = subprocess.run([*command, "--outputjson"], capture_output=True, text=True, cwd=folder)
    report = json.loads(done.stdout)
    assert len(files) == report["summary"]["filesAnalyzed"], done.stdout + done.stderr
    for found in report["generalDiagnostics"]:
        # What comes of a name that is unknown is no error of its own.
        if found["severity"] == "error" and not found.get("rule", "").startswith("reportUnknown"):
            place = Path(found["file"]).name, found["range"]["start"]["line"] + 1
            yield place, f"{found['message']} [{found.get('rule')}]"


def compare(expected: dict[Place, str], met: list[tuple[Place, str]]) -> list[str]:
    """What differs, in words."""
    unexpected = [f"{place}: not expected: {message}" for place, message in met if place not in expected]
    missing = [
        f"{place}: expected {part!r}, met {[message for where, message in met if where == place] or 'nothing'}"
        for place, part in expected.items()
        if not any(where == place and part in message for where, message in met)
    ]
    return unexpected + missing
