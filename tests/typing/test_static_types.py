"""What type checkers say of Workers: all of `accepted_*.py` is right, and each marked line of `refused_*.py` is wrong.

A mark is `# error: <mypy's>; <pyright's>`: a part of the message, of its code in brackets, or of the rule.
"""

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ACCEPTED = sorted(HERE.glob("accepted_*.py"))
REFUSED = sorted(HERE.glob("refused_*.py"))
PATTERNS = ROOT / "examples" / "patterns" / "src"
PACKAGES = [ROOT, ROOT / "bindings", ROOT / "emulator"]
MARK = re.compile(r"# error: (.+); (.+)$")

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
    for line in done.stdout.splitlines():
        found = json.loads(line)
        if found["severity"] == "error":
            yield (Path(found["file"]).name, found["line"]), f"{found['message']} [{found['code']}]"


def pyright(files: list[Path], folder: Path) -> Iterator[tuple[Place, str]]:
    project = folder / "pyrightconfig.json"
    project.write_text(
        json.dumps(
            {
                "include": [str(file) for file in files],
                "extraPaths": [str(path) for path in PACKAGES],
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


def marks(checker: int) -> dict[Place, str]:
    """What is to be refused: 1 for mypy, 2 for pyright."""
    found = {}
    for file in REFUSED:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if mark := MARK.search(line):
                found[file.name, number] = mark[checker]
    return found


def compare(expected: dict[Place, str], met: list[tuple[Place, str]]) -> list[str]:
    """What differs, in words."""
    unexpected = [f"{place}: not expected: {message}" for place, message in met if place not in expected]
    missing = [
        f"{place}: expected {part!r}, met {[message for where, message in met if where == place] or 'nothing'}"
        for place, part in expected.items()
        if not any(where == place and part in message for where, message in met)
    ]
    return unexpected + missing


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("file", ACCEPTED, ids=lambda file: file.stem)
def test_typed_workers_can_be_imported(file: Path) -> None:
    """What type checkers accept is also there at run time."""
    assert runpy.run_path(str(file))


def test_mypy_accepts_and_refuses_what_is_said(cache: Path) -> None:
    """With `--strict`, line by line: no error that is not expected, none expected that does not occur."""
    assert [] == compare(marks(1), list(mypy([*ACCEPTED, *REFUSED], cache)))


def test_mypy_accepts_the_steps_of_the_patterns(cache: Path) -> None:
    """The ports of the patterns leave out return types and parameters, as their TypeScript does; nothing else."""
    files = sorted(PATTERNS.glob("*.py"))
    untyped = ("[no-untyped-def]", "[no-untyped-call]")
    met = [found for found in mypy(files, cache, PATTERNS) if not found[1].endswith(untyped)]
    assert [] == compare({}, met)


@pytest.mark.pyright
def test_pyright_accepts_and_refuses_what_is_said(tmp_path: Path) -> None:
    """In strict mode, line by line, as with mypy."""
    assert [] == compare(marks(2), list(pyright([*ACCEPTED, *REFUSED], tmp_path)))


@pytest.mark.parametrize(
    ("expected", "met"),
    [({("f", 1): "code"}, []), ({}, [(("f", 1), "code")]), ({("f", 1): "code"}, [(("f", 1), "other")])],
    ids=["missing", "not expected", "another"],
)
def test_a_difference_is_told(expected: dict[Place, str], met: list[tuple[Place, str]]) -> None:
    """The comparison itself can fail, both ways."""
    assert 1 == len(compare(expected, met))
