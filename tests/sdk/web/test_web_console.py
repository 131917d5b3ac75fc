import logging
import subprocess
import sys

import pytest

from cfworkflows.web.console import Console


@pytest.fixture
def console(caplog):
    caplog.set_level(logging.DEBUG, "cfworkflows")
    return Console()


def test_lines_have_their_level(console, caplog):
    """As the log knows it."""
    for name in ("log", "info", "debug", "warn", "error"):
        getattr(console, name)(name, 1, {"a": None})
    assert [
        ("INFO", "log 1 {'a': None}"),
        ("INFO", "info 1 {'a': None}"),
        ("DEBUG", "debug 1 {'a': None}"),
        ("WARNING", "warn 1 {'a': None}"),
        ("ERROR", "error 1 {'a': None}"),
    ] == [(record.levelname, record.message) for record in caplog.records]


def test_places_in_the_first_text_are_filled(console, caplog):
    """By what follows; a text alone is left as it is."""
    console.log("%s has %d of %f%% %o %c%j", "a", "7", 1, [1], "color: red", {}, "more")
    console.log("%d", "x", "%s")
    console.log("100%")
    console.log("%s and %s", "one")
    assert ["a has 7 of 1.0% [1] {} more", "NaN %s", "100%", "one and %s"] == caplog.messages


def test_counts_timers_groups_and_assertions(console, caplog):
    """As in every console."""
    console.count()
    console.count("x")
    console.count()
    console.countReset()
    console.count()
    console.time("t")
    console.timeLog("t", "so far")
    console.timeEnd("t")
    console.timeEnd("t")
    console.group("G")
    console.log("in\nside")
    console.groupEnd()
    console.assert_(1, "not shown")  # noqa: PT009 - it is the console's
    console.assert_(0, "shown")  # noqa: PT009 - it is the console's
    console.assert_()  # noqa: PT009 - it is the console's
    counted, timed, later = caplog.messages[:4], caplog.messages[4:7], caplog.messages[7:]
    assert ["default: 1", "x: 1", "default: 2", "default: 1"] == counted
    assert timed[0].startswith("t: ")
    assert timed[0].endswith("ms so far")
    assert "Timer 't' does not exist" == timed[2]
    assert ["G", "  in\n  side", "Assertion failed: shown", "Assertion failed"] == later


def test_a_table_has_rows_and_columns(console, caplog):
    """Of lists and dicts, of what they hold."""
    console.table([{"a": 1, "b": "x"}, {"b": 2}, 5])
    assert """\
┌─────────┬───┬─────┬────────┐
│ (index) │ a │ b   │ Values │
├─────────┼───┼─────┼────────┤
│ 0       │ 1 │ 'x' │        │
│ 1       │   │ 2   │        │
│ 2       │   │     │ 5      │
└─────────┴───┴─────┴────────┘""" == caplog.messages[0]
    console.table({"k": [1, 2]}, ["1"])
    assert "│ k       │ 2 │" in caplog.messages[1]
    console.table(5)
    assert "5" == caplog.messages[2]


def test_trace_says_where(console, caplog):
    """With the line of the caller last."""
    console.trace("here")
    assert caplog.messages[0].startswith("Trace: here\n")
    assert caplog.messages[0].splitlines()[-1].strip() == 'console.trace("here")'


def test_without_a_log_lines_go_to_the_standard_streams():
    """As print does it: in a script, nobody handles the log."""
    script = "from cfworkflows import console; console.log('out'); console.error('err')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ("out\n", "err\n") == (done.stdout, done.stderr)
