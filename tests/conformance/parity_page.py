"""Writes docs/parity.md from behaviours.toml, parity.toml and bindings/parity.toml.

python tests/conformance/parity_page.py
"""

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import bindings_comparison
from comparison import NORMALISED, REASONS, Row, rows

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "parity.md"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the platform's documentation says, and `where`; the `tests` that prove it, or the `reason` why none do."""

    area: str
    what: str
    where: str
    tests: tuple[str, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        if bool(self.tests) == bool(self.reason):
            raise ValueError(f"behaviours.toml: give either tests or a reason for {self.what!r}.")


def behaviours(path: Path = HERE / "behaviours.toml") -> list[Behaviour]:
    """The list. TypeError for a key that is not known, ValueError for a behaviour with neither tests nor a reason."""
    listed = tomllib.loads(path.read_text())["behaviour"]
    return [Behaviour(**{**each, "tests": tuple(each.get("tests", ()))}) for each in listed]


def missing(node_ids: Iterable[str], root: Path = ROOT) -> list[str]:
    """Those of the node ids that are no test. Parameters, in brackets at the end, are not looked at."""
    return [id for id in node_ids if id.partition("[")[0] not in set(_tests(root, id.partition("::")[0]))]


def _tests(root: Path, file: str) -> Iterator[str]:
    path = root / file
    if path.is_file():
        yield from _functions(ast.parse(path.read_text()).body, file)


def _functions(body: Iterable[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}::{node.name}")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            yield f"{prefix}::{node.name}"


def page(listed: list[Behaviour], table: list[Row], bindings: list[Row]) -> str:
    """The text of docs/parity.md."""
    proven = sum(1 for each in listed if each.tests)
    parts = ["# Parity with the platform\n\n<!-- Made by `make parity`; the tests fail if it is stale. -->\n"]
    parts.append(
        f"What Cloudflare's documentation says of Workflows, in {len(listed)} lines: {proven} are proven by tests, for"
        f" the other {len(listed) - proven} the reason is given.\n"
    )
    for area, each in groupby(listed, key=lambda behaviour: behaviour.area):
        parts.append(f"## {area}\n\n| behaviour | documented in | proof |\n|---|---|---|")
        parts += [f"| {_cell(one.what)} | {one.where} | {_proof(one)} |" for one in each]
        parts.append("")
    parts.append(
        "## Differences from the platform's own local server\n\nRecordings of `wrangler dev` are replayed by"
        " `make conformance`. What differs from them is one of these. Where the local server and the platform differ,"
        " this project follows the platform.\n"
    )
    parts += _differences(table, NORMALISED)
    parts.append(
        "\n## Bindings\n\nThe same for bindings with data, each call in both forms: with its options as a dict, and as"
        " keywords.\n"
    )
    parts += _differences(bindings, bindings_comparison.NORMALISED)
    return "\n".join(parts) + "\n"


def _differences(table: list[Row], normalised: Iterable[str]) -> Iterator[str]:
    for why in REASONS:
        if explained := [row for row in table if row.why == why]:
            yield f"### {why[0].upper()}{why[1:]}\n\n| the local server | here | source |\n|---|---|---|"
            yield from (f"| {_cell(row.peer)} | {_cell(row.ours)} | {row.source or '-'} |" for row in explained)
            yield ""
    yield "### Not compared\n\nOn both sides, because they are one fact and not a behaviour of each scenario:\n"
    yield from (f"- {_cell(each)}" for each in normalised)


def _proof(behaviour: Behaviour) -> str:
    if behaviour.reason:
        return f"none: {_cell(behaviour.reason)}"
    return ", ".join(f"[{id.rpartition('::')[2]}](../{id.partition('::')[0]})" for id in behaviour.tests)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    if gone := missing(id for each in behaviours() for id in each.tests):
        sys.exit("behaviours.toml names tests that do not exist:\n  " + "\n  ".join(gone))
    table, bindings = rows(), rows(bindings_comparison.PARITY)
    PAGE.write_text(page(behaviours(), table, bindings))
    differences = len(table) + len(bindings)
    print(f"{PAGE.relative_to(ROOT)}: {len(behaviours())} behaviours, {differences} differences")
