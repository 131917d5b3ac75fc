"""What type checkers say of Workers: all of `accepted_*.py` is right, and each marked line of `refused_*.py` is wrong.

A mark is `# error: <mypy's>; <pyright's>`: a part of the message, of its code in brackets, or of the rule.
"""

import re
import runpy
from pathlib import Path

import pytest
from checkers import ROOT, Place, compare, mypy, pyright

HERE = Path(__file__).parent
ACCEPTED = sorted(HERE.glob("accepted_*.py"))
REFUSED = sorted(HERE.glob("refused_*.py"))
PATTERNS = ROOT / "examples" / "patterns" / "src"
ORDERS = ROOT / "examples" / "orders" / "src"
MARK = re.compile(r"# error: (.+); (.+)$")


def marks(checker: int) -> dict[Place, str]:
    """What is to be refused: 1 for mypy, 2 for pyright."""
    found = {}
    for file in REFUSED:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if mark := MARK.search(line):
                found[file.name, number] = mark[checker]
    return found


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


def test_mypy_accepts_the_example_with_a_database(cache: Path) -> None:
    """It is typed as a strict project would be, its bindings too."""
    assert [] == compare({}, list(mypy(sorted(ORDERS.glob("*.py")), cache, ORDERS)))


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
