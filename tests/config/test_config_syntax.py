"""Files that cannot be read or parsed, and how a problem is shown."""

import pytest
from config_project import MINIMAL, Project

from cfworkflows_emulator.config import ConfigError, Diagnostic, Location, render
from cfworkflows_emulator.config.diagnostics import closest, did_you_mean, join_names


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("", "ValueExpected: the file is empty.", 1, 1),
        ('{\n  "name": \n}', "ValueExpected: a value is missing.", 3, 1),
        ('{\n  "name" "x"\n}', "ColonExpected: a colon is missing.", 2, 10),
        ('{\n  "name": "x"\n  "main": "y"\n}', "CommaExpected: a comma is missing.", 3, 3),
        ("{\n  name: 1\n}", "PropertyNameExpected: a key is missing.", 2, 3),
        ("{\n  'name': 1\n}", "PropertyNameExpected: a key is missing.", 2, 3),
        ("{,}", "PropertyNameExpected: a key is missing.", 1, 2),
        ('{"a":1,,}', "PropertyNameExpected: a key is missing.", 1, 8),
        ('{"a": [,]}', "ValueExpected: a value is missing.", 1, 8),
        ("{}\n}", "EndOfFileExpected: the configuration has ended before this.", 2, 1),
        ('{"a": "x', "UnexpectedEndOfString: the text has no end.", 1, 7),
        ('{"a": "x\n"}', "InvalidCharacter: a character that text may not hold.", 1, 9),
        ('{"a": "\\q"}', "InvalidEscapeCharacter: not an escape.", 1, 8),
        ('{"a": "\\u12"}', "InvalidUnicode: not an escape.", 1, 9),
        ('{"a": 1', "UnexpectedEndOfFile: the file ends too early.", 1, 8),
        ('{"a": /* x', "UnexpectedEndOfComment: the comment has no end.", 1, 7),
        ('{"b": "NaN",\n"a": NaN}', "InvalidSymbol: NaN is not JSON.", 2, 6),
        ('{"a": -Infinity}', "InvalidSymbol: -Infinity is not JSON.", 1, 7),
        ("[1]", "The configuration should be an object { ... }.", 1, 1),
    ],
)
def test_json_mistakes_are_named_and_placed(
    json_project: Project, text: str, message: str, line: int, column: int
) -> None:
    """The platform's name for the mistake, and exactly where it is."""
    json_project.text(text)
    [problem] = json_project.problems()
    assert problem.location is not None
    assert (message, line, column) == (problem.message, problem.location.line, problem.location.column)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ('name = "x"\nmain =\n', "Invalid value.", 2),
        ('name = "x"\nmain\n', "Expected '=' after a key in a key/value pair.", 2),
        ('name = "x"\nname = "y"\n', "Cannot overwrite a value.", 2),
        ("x = [1,\n", "Invalid value.", 1),
    ],
)
def test_toml_mistakes_are_named_and_placed(json_project: Project, text: str, message: str, line: int) -> None:
    """The standard library's message, at its line."""
    json_project.name = "wrangler.toml"
    json_project.text(text)
    [problem] = json_project.problems()
    assert problem.location is not None
    assert (message, line) == (problem.message, problem.location.line)
    assert problem.suggestion


def test_comments_trailing_commas_and_a_byte_order_mark_are_allowed(json_project: Project) -> None:
    """JSON is read with comments, whatever the ending of the file."""
    json_project.name = "wrangler.json"
    json_project.text(
        '\ufeff{ // "name": "no"\n "name": "shop", /* , } */ "main": "src/entry.py", "vars": {"L": ["a//b", 2,],}, }'
    )
    loaded = json_project.load()
    assert ("shop", {"L": ["a//b", 2]}) == (loaded.config.name, loaded.config.vars)


def test_toml_may_have_a_byte_order_mark(json_project: Project) -> None:
    """Editors on Windows write one."""
    json_project.name = "wrangler.toml"
    json_project.text('\ufeffname = "shop"\r\nmain = "src/entry.py"\r\n')
    assert "shop" == json_project.load().config.name


def test_repeated_key_is_a_warning_and_the_last_one_counts(json_project: Project) -> None:
    """The platform takes the last one in silence."""
    json_project.text('{"main": "src/entry.py", "compatibility_date": "2026-11-01",\n "name": "a",\n "name": "b"}')
    loaded = json_project.load()
    [warning] = loaded.warnings
    assert "b" == loaded.config.name
    assert 'Duplicate key "name": the last one counts.' == warning.message
    assert "wrangler.jsonc:3:2" == str(warning.location)


def test_binary_file_is_reported(json_project: Project) -> None:
    """A file that is not UTF-8 cannot be read."""
    (json_project.folder / "wrangler.jsonc").write_bytes(b"{\xff}")
    [problem] = json_project.problems()
    assert problem.message.startswith("Could not read file: wrangler.jsonc\nIt is not UTF-8")


def test_endless_nesting_is_reported(json_project: Project) -> None:
    """The parser's limit is not a crash."""
    json_project.text('{"a":' + "[" * 100_000)
    [problem] = json_project.problems()
    assert "The configuration is nested too deeply." == problem.message


def test_every_problem_is_shown_at_once_with_place_frame_and_suggestion(json_project: Project) -> None:
    """The text of the error: errors in the order of the file, then the warnings."""
    json_project.text('{\n\t"name": "My Shop",\n\t"main": 5,\n\t"compatibility_date": "2026-11-01",\n\t"mian": 1,\n}')
    with pytest.raises(ConfigError) as caught:
        json_project.load()
    assert (
        "Processing wrangler.jsonc configuration:\n"
        '  - Expected "name" to be of type string, alphanumeric and lowercase with dashes only but got "My Shop".\n'
        "    at wrangler.jsonc:2:10\n"
        '      2 | \t"name": "My Shop",\n'
        "        | \t        ^\n"
        '    For example "my-shop".\n'
        '  - Expected "main" to be of type string but got 5.\n'
        "    at wrangler.jsonc:3:10\n"
        '      3 | \t"main": 5,\n'
        "        | \t        ^\n"
        "\nWarnings:\n"
        "Processing wrangler.jsonc configuration:\n"
        '  - Unexpected fields found in top-level field: "mian"\n'
        "    at wrangler.jsonc:5:2\n"
        '      5 | \t"mian": 1,\n'
        "        | \t^\n"
        '    Did you mean "main"?'
    ) == str(caught.value)


def test_environment_has_a_group_of_its_own(json_project: Project) -> None:
    """As in the platform's output, the messages of a section are below its heading."""
    json_project.write({**MINIMAL, "env": {"s": {"name": "X Y"}}})
    with pytest.raises(ConfigError) as caught:
        json_project.load(env="s")
    assert '\n  - "env.s" environment configuration\n    - Expected "name" to be' in "\n" + str(caught.value)


def test_long_lines_are_cropped_around_the_column() -> None:
    """A frame stays readable for a file that is one long line."""
    location = Location("f", 1, 501, "x" * 500 + "!" + "y" * 500)
    shown, caret = location.frame().split("\n")
    assert len(shown) < 130
    assert "!" == shown[caret.index("^")]


def test_problem_without_a_file_is_its_text() -> None:
    """No heading for what is not in a file."""
    assert "No.\nTry." == render([Diagnostic("No.", suggestion="Try.")])


def test_suggestions_see_through_case_and_style() -> None:
    """camelCase, missing letters and exchanged letters lead to the known name; anything else to none."""
    known = ["class_name", "binding", "main"]
    assert ["class_name", "class_name", "main", None] == [
        closest(word, known) for word in ("className", "clas_name", "mian", "zzz")
    ]
    assert 'Did you mean "main"?' == did_you_mean("Main", known)
    assert closest("#", ["§"]) is None


def test_names_are_joined_with_a_comma_before_and() -> None:
    """One, two and three names."""
    assert ["A", "A and B", "A, B, and C"] == [join_names(list("ABC")[:count]) for count in (1, 2, 3)]
