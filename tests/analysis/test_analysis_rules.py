"""The rules on the corpus: each `# !rule` in it marks a line where that rule, and no other, has something to say."""

import re
from pathlib import Path

import pytest

from cfworkflows_emulator.analysis import RULES, Program, check

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.py"))
OF_THE_PROJECT = {
    "syntax", "unknown-binding", "unsupported-binding", "missing-class", "unmatched-event", "shadowed-module",
    "python-flag",
}  # fmt: skip


def marks(text):
    lines = enumerate(text.splitlines(), 1)
    return [(number, rule) for number, line in lines for rule in re.findall(r"(?<= )!([a-z-]+)", line)]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_marked_lines_are_found_and_no_others(path):
    """What is wrong is found on its line, and what is right is left alone."""
    found = [(each.location.line, each.rule) for each in check(Program(path))]
    assert sorted(marks(path.read_text())) == sorted(found)


def test_every_rule_is_in_the_corpus():
    """No rule is without an example of what breaks it."""
    marked = {rule for path in CORPUS for _, rule in marks(path.read_text())}
    assert set(RULES) - OF_THE_PROJECT == marked
