"""docs/parity.md is what its lists say, and the tests they name exist."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from bindings_comparison import PARITY
from comparison import rows
from parity_page import PAGE, Behaviour, behaviours, missing, page


def test_the_page_is_what_the_lists_say() -> None:
    """`make parity` writes it anew."""
    assert page(behaviours(), rows(), rows(PARITY)) == PAGE.read_text(), "docs/parity.md is stale: run make parity"


def test_every_test_that_is_named_exists() -> None:
    """By its node id, the file from the root of the project."""
    assert [] == missing(id for each in behaviours() for id in each.tests)


def test_a_test_that_does_not_exist_is_found(tmp_path: Path) -> None:
    """Also one that lacks its class, or its file."""
    (tmp_path / "test_a.py").write_text(
        "class TestB:\n    def test_c(self): ...\nasync def test_d(): ...\ndef e(): ...\n"
    )
    there = ["test_a.py::TestB::test_c", "test_a.py::test_d", "test_a.py::test_d[1-x]"]
    gone = ["test_a.py::test_c", "test_a.py::e", "test_a.py", "test_b.py::test_d"]
    assert gone == missing([*there, *gone], tmp_path)


@pytest.mark.parametrize("proof", [{}, {"tests": ("test_a.py::test_b",), "reason": "none"}])
def test_a_behaviour_has_tests_or_a_reason(proof: dict[str, object]) -> None:
    """Neither is as wrong as both."""
    with pytest.raises(ValueError, match="give either tests or a reason for 'It works'"):
        Behaviour("Steps", "It works", "Workers API", **proof)  # type: ignore[arg-type]


def test_no_behaviour_is_listed_twice() -> None:
    """Each is one line, and each area one section."""
    listed = behaviours()
    assert [] == [what for what, count in Counter(each.what for each in listed).items() if count > 1]
    areas = [each.area for each in listed]
    assert len(set(areas)) == 1 + sum(1 for one, other in pairwise(areas) if one != other)
