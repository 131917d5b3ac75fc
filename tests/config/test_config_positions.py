"""Where values are in a file."""

import json
import string
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from cfworkflows_emulator.config.diagnostics import Path
from cfworkflows_emulator.config.jsonc import Jsonc
from cfworkflows_emulator.config.source import locate
from cfworkflows_emulator.config.toml import Toml

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=8) | st.sampled_from(
    ["//", "/* x */", ",}", ",]", '"', "a = 1", "[x]", "\\", "\n[[x]]\n"]
)
scalars = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
gaps = st.sampled_from(["", " ", "\n", "\r\n\t", ' // a, { " comment\n', "/* [ \n } */", "/**/ "])


def paths(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """Every path in `value` with what is there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(each for key, element in inner for each in paths(element, (*path, key)))]


@st.composite
def json_documents(draw: st.DrawFn) -> tuple[str, Any]:
    """JSON with comments and trailing commas anywhere, and what it says."""

    def write(value: Any) -> str:
        if isinstance(value, dict):
            members = [f"{gap()}{json.dumps(key)}{gap()}:{gap()}{write(each)}{gap()}" for key, each in value.items()]
            return "{" + ",".join(members) + trailing(members) + gap() + "}"
        if isinstance(value, list):
            members = [f"{gap()}{write(each)}{gap()}" for each in value]
            return "[" + ",".join(members) + trailing(members) + gap() + "]"
        return json.dumps(value, ensure_ascii=draw(st.booleans()))

    def gap() -> str:
        return str(draw(gaps))

    def trailing(members: list[str]) -> str:
        return "," if len(members) > 0 and draw(st.booleans()) else ""

    value = draw(st.dictionaries(texts, values, max_size=4))
    return gap() + write(value) + gap(), value


@settings(deadline=None)
@given(json_documents())
def test_json_offset_of_every_path_is_where_its_value_starts(document: tuple[str, Any]) -> None:
    """Whatever is between the values: the value reads the same from its offset, and the key from its own."""
    text, data = document
    parsed = Jsonc(text)
    assert data == parsed.data
    for path, value in paths(data):
        offset = parsed.offset(path)
        assert offset is not None
        if isinstance(value, (dict, list)):
            assert ("{" if isinstance(value, dict) else "[") == text[offset]
        else:
            assert value == json.JSONDecoder().raw_decode(text, offset)[0]
        if path and isinstance(path[-1], str):
            key = parsed.offset(path, key=True)
            assert key is not None
            assert path[-1] == json.JSONDecoder().raw_decode(text, key)[0]


names = st.text(string.ascii_lowercase + "_-", min_size=1, max_size=3) | st.sampled_from(["a b", "x.y", "é", "#"])
toml_scalars = st.booleans() | st.integers(-(2**53), 2**53) | texts.map(lambda text: text.replace("\r", " "))


@st.composite
def toml_documents(draw: st.DrawFn) -> tuple[str, list[tuple[Path, str, str]]]:
    """TOML written by hand: the text, and of every path which written text its value and its key start with."""
    expected: list[tuple[Path, str, str]] = []
    lines: list[str] = []
    chunks: list[tuple[str, int]] = []  # the name and the first line of each table of the top level

    def key_text(name: str) -> str:
        bare = all(char in string.ascii_lowercase + "_-" for char in name)
        return name if bare and draw(st.booleans()) else json.dumps(name)

    def inline(value: Any, path: Path) -> str:
        if isinstance(value, list):
            gap = draw(st.sampled_from(["", " ", "\n  ", " # [ = \n"]))
            written = "[" + ",".join(gap + inline(each, (*path, index)) for index, each in enumerate(value)) + gap + "]"
        elif isinstance(value, dict):
            members = []
            for name, each in value.items():
                key = key_text(name)
                members.append(f" {key} = {inline(each, (*path, name))}")
                expected.append(((*path, name), "", key))
            written = "{" + ",".join(members) + " }"
        else:
            written = json.dumps(value, ensure_ascii=False)
        expected.append((path, written, ""))
        return written

    def body(path: Path, depth: int) -> None:
        inline_values = st.recursive(
            toml_scalars,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
            max_leaves=6,
        )
        taken = draw(st.lists(names, max_size=4, unique=True))
        for name in taken:
            key = key_text(name)
            written = inline(draw(inline_values), (*path, name))
            indent, space = draw(st.sampled_from(["", "  ", "\t"])), draw(st.sampled_from(["", " ", "  "]))
            lines.append(f"{indent}{key}{space}={space}{written}{draw(st.sampled_from(['', ' # x = [1]']))}")
            expected.append(((*path, name), "", key))
        if depth == 0:
            return
        for name in draw(st.lists(names.filter(lambda each: each not in taken), max_size=2, unique=True)):
            header = ".".join(json.dumps(part) for part in (*path, name) if isinstance(part, str))
            if draw(st.booleans()):
                for index in range(draw(st.integers(1, 2))):
                    start(path, name)
                    lines.append(f"  [[{header}]] # [[other]]")
                    expected.append(((*path, name, index), f"[[{header}]]", ""))
                    body((*path, name, index), depth - 1)
            else:
                start(path, name)
                lines.append(f"[{header}]")
                expected.append(((*path, name), f"[{header}]", ""))
                body((*path, name), depth - 1)

    def start(path: Path, name: str) -> None:
        if not path:
            chunks.append((name, len(lines)))

    def mixed() -> list[str]:
        """The tables in any order that keeps the elements of an array of tables in theirs."""
        ends = [line for _, line in chunks[1:]] + [len(lines)]
        tables = [(name, lines[line:end]) for (name, line), end in zip(chunks, ends, strict=True)]
        order = draw(st.permutations([name for name, _ in tables]))
        waiting = {name: iter([table for other, table in tables if other == name]) for name, _ in tables}
        return lines[: chunks[0][1]] + [line for name in order for line in next(waiting[name])]

    body((), 2)
    if chunks:
        lines = mixed()
    return draw(st.sampled_from(["\n", "\r\n"])).join([*lines, ""]), expected


@settings(deadline=None, max_examples=50)
@given(toml_documents())
def test_toml_offset_of_every_path_is_where_its_value_starts(
    document: tuple[str, list[tuple[Path, str, str]]],
) -> None:
    """Values, keys and table headers are found, whatever strings and comments look like."""
    text, expected = document
    parsed = Toml(text)
    for path, value, key in expected:
        if value:
            offset = parsed.offset(path)
            assert offset is not None, path
            assert text[offset:].startswith(value.split("\n")[0])
        if key:
            offset = parsed.offset(path, key=True)
            assert offset is not None, path
            assert text[offset:].startswith(key)


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("name",), 2, 8),
        (("dev",), 3, 12),
        (("dev", "port"), 3, 12),
        (("a",), 5, 6),
        (("a", "on"), 5, 6),
        (("a", "deep"), 8, 1),
        (("b", "y", "w"), 7, 20),
        (("workflows",), 10, 1),
        (("workflows", 1), 13, 1),
        (("workflows", 0, "limits", "steps"), 12, 18),
        (("env",), 15, 1),
        (("env", "staging"), 15, 1),
        (("env", "staging", "vars", "DAY"), 16, 7),
    ],
)
def test_toml_finds_what_is_written_in_pieces(path: Path, line: int, column: int) -> None:
    """Dotted keys, tables in several places, and tables that only their subtables name have a place too."""
    text = (
        "# first\n"
        'name = "x"\n'
        "dev.port = 1\n"
        "[a] # a\n"
        "on = true\n"
        "[b]\n"
        'y = { z = "q", w = false }\n'
        "[a.deep]\n"
        "s = 1\n"
        "[[workflows]]\n"
        "n = 1\n"
        "  limits.steps = 2\n"
        "[[workflows]]\n"
        "n = 2\n"
        "[env.staging.vars]\n"
        "DAY = 2026-01-01\n"
    )
    offset = Toml(text).offset(path)
    assert offset is not None
    where = locate("f", text, offset)
    assert (line, column) == (where.line, where.column)


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [(("a", 0), 2, 1), (("b",), 3, 1), (("a", 1), 4, 1), (("a", 1, "x"), 5, 5), (("b2", "y"), 7, 5), (("top",), 1, 7)],
)
def test_toml_elements_may_have_other_tables_between_them(path: Path, line: int, column: int) -> None:
    """An array of tables need not be in one piece."""
    text = "top = 1\n[[a]]\n[b]\n[[a]]\nx = 1\n[b2]\ny = 1\n[[a]]\nx = 1\n"
    offset = Toml(text).offset(path)
    assert offset is not None
    where = locate("f", text, offset)
    assert (line, column) == (where.line, where.column)


def test_toml_line_of_an_array_is_not_taken_for_a_header() -> None:
    """Two arrays have a line that reads like the header of a table, and the tables change places."""
    text = "[[w]]\n[b]\nx = [\n[1]\n]\ny = 2\n[[w]]\nx = [\n[1]\n]\ny = 1\n"
    assert text.index("2") == Toml(text).offset(("b", "y"))
    assert text.rindex("1") == Toml(text).offset(("w", 1, "y"))


def test_toml_path_that_leads_nowhere_has_no_offset() -> None:
    """Neither a missing key nor a path through a number is an error."""
    parsed = Toml("a = 1\nb = [1]\n")
    assert [None, None, None] == [parsed.offset(("x",)), parsed.offset(("a", "x")), parsed.offset(("b", 3))]
    assert 0 == parsed.offset(())


def test_json_path_that_leads_nowhere_has_no_offset() -> None:
    """Neither a missing key nor a path through a number is an error."""
    parsed = Jsonc('{"a": 1, "b": [1]}')
    assert [None, None, None] == [parsed.offset(("x",)), parsed.offset(("a", "x")), parsed.offset(("b", 3))]


def test_repeated_keys_are_found_at_any_depth() -> None:
    """Each repetition is listed with its own place, and the offset of a path is that of the last."""
    text = '{"a": [{"k": 1, "k": 2, "k": 3}], "b": {}}'
    parsed = Jsonc(text)
    assert [(("a", 0, "k"), 16), (("a", 0, "k"), 24)] == list(parsed.repeated())
    assert text.index("3") == parsed.offset(("a", 0, "k"))
    assert [] == list(Jsonc('{"a": {"a": 1}}').repeated())


def test_lines_end_with_or_without_carriage_return() -> None:
    """The shown line has no line end, and columns count from its start."""
    where = locate("f", "ab\r\ncd\r\n", 5)
    assert ("cd", 2, 2) == (where.text, where.line, where.column)
    assert "f:2:2" == str(where)


def test_hand_written_toml_is_the_same_for_both_readers() -> None:
    """The text that positions are found in is the text that the values were read from."""
    text = '# x\nname = "x"\n[dev]\nport = 1\n'
    assert tomlkit.parse(text).unwrap() == Toml(text).data
