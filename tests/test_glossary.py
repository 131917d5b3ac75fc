"""The glossary: one word for one thing, in the sources too."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]*)\|$", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
NO_WORD = ("", "word", "not", "---")
AVOIDED = [(row[0], word.strip()) for row in ROWS for word in row[2].split(",") if word.strip() not in NO_WORD]
SOURCES = [
    path
    for folder in ("cfworkflows", "bindings", "emulator", "docs", "examples")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".md") and path.name != "glossary.md"
]


def test_every_word_stands_once():
    """No word has two meanings."""
    words = [word.strip() for row in ROWS for word in row[0].split(",") if word.strip() not in NO_WORD]
    assert sorted(set(words)) == sorted(words)
    assert len(words) >= 30


@pytest.mark.parametrize(("word", "avoided"), AVOIDED, ids=lambda value: value)
def test_a_word_that_is_avoided_stands_nowhere(word, avoided):
    """Where the glossary names one that is not used, neither code nor documents use it."""
    pattern = re.compile(rf"\b{re.escape(avoided)}\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert [] == found, f"the glossary says {word}"
