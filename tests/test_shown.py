"""What came from data is shown to people, and never obeyed by their terminal: on every way there."""

import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cfworkflows.errors import CfworkflowsError
from cfworkflows.http import Request
from cfworkflows_emulator.analysis import Program, check
from cfworkflows_emulator.cli import options
from cfworkflows_emulator.cli.workflows import output
from cfworkflows_emulator.cli.workflows.timeline import Drawing
from cfworkflows_emulator.config.diagnostics import ConfigError, Diagnostic, Location, render
from cfworkflows_emulator.dev.console import Console, ConsoleHandler
from cfworkflows_emulator.engine import Entry, InstanceRow, Status
from cfworkflows_emulator.server.failure import Failure, failure_response
from cfworkflows_emulator.shown import shown, shown_json, shown_line
from cfworkflows_emulator.testing.leaks import LeakError
from cfworkflows_emulator.testing.trial import Outcome
from cfworkflows_emulator.views import History, describe_timeline, timeline, waits_for

HOSTILE = "a\x1b]0;title\x07\x1b[2J\r\x9b31mb\u2028\u2029\u202ec\u2066\u200b\x00\x7f\ufeff\U000e0041d"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200b\ufeff\U000e0041]")


def test_what_a_terminal_obeys_is_written_out() -> None:
    """Controls, directions, separators, invisible letters and halves of letters are written as Python writes them."""
    assert r"a\x1b[2J\r\x9b\u2028\u202e\u200b\x00\ud800\U000e0041" == shown(
        "a\x1b[2J\r\x9b\u2028\u202e\u200b\x00\ud800\U000e0041"
    )


def test_honest_text_stays_as_it_is() -> None:
    """Lines, tabs, accents, emoji made of several, right-to-left letters and spaces of all kinds are left alone."""
    text = "Traceback:\n\tline\xa0é 漢字 👩\u200d👧 ❤\ufe0f שלום\u3000"
    assert text == shown(text)


def test_a_name_stays_in_its_line() -> None:
    """In a part of a line the ends of lines and the tabs are written out too."""
    assert r"a\nb\tc" == shown_line("a\nb\tc")


def test_json_stays_the_same_json() -> None:
    """JSON is still JSON, of the same value."""
    value = {HOSTILE: [HOSTILE, "\ud800"]}
    text = shown_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert (value, None) == (json.loads(text), OBEYED.search(text))


def error() -> BaseException:
    try:
        raise ValueError(HOSTILE)
    except ValueError as caught:
        caught.add_note(HOSTILE)
        return caught


CONFIG = {"retries": {"limit": 1, "delay": 10}, "timeout": 1000}
ERROR = {"name": HOSTILE, "message": HOSTILE, "traceback": f'  File "{HOSTILE}", line 1\n{HOSTILE}\nnoted{HOSTILE}\n'}
AT = {"at": f"{HOSTILE}:1", "inside": HOSTILE}
JOURNAL = [
    Entry(1, 0, "workflow_queued", data={"timestamp": 0, "trigger": "binding"}, value=json.dumps({HOSTILE: HOSTILE})),
    Entry(2, 1, "workflow_started"),
    Entry(3, 1, "workflow_running"),
    Entry(4, 2, "step_started", f"{HOSTILE}-1", {"config": CONFIG, **AT}),
    Entry(5, 3, "attempt_started", f"{HOSTILE}-1", {"attempt": 1}),
    Entry(6, 4, "attempt_errored", f"{HOSTILE}-1", {"attempt": 1, "error": ERROR, "retryDelayMs": 10}),
    Entry(7, 4, "sleep_started", f"{HOSTILE}-1", {"until": 50, "durationMs": 48, **AT}),
    Entry(8, 4, "wait_started", f"{HOSTILE}-1", {"eventType": HOSTILE, "until": 90, "timeoutMs": 39, **AT}),
    Entry(9, 5, "event_received", data={"eventType": f"{HOSTILE}2"}, value=json.dumps(HOSTILE)),
]
ENDED = [
    *JOURNAL[:6],
    Entry(7, 14, "attempt_started", f"{HOSTILE}-1", {"attempt": 2}),
    Entry(8, 14, "attempt_errored", f"{HOSTILE}-1", {"attempt": 2, "error": ERROR}),
    Entry(9, 14, "step_errored", f"{HOSTILE}-1", {"error": ERROR}),
    Entry(10, 15, "rollback_started", data={"error": ERROR, "ending": "errored"}),
    Entry(11, 15, "rollback_errored", data={"error": ERROR}),
    Entry(12, 15, "workflow_errored", data={"error": ERROR}),
]
DIAGNOSTIC = Diagnostic(HOSTILE, "error", Location(HOSTILE, 1, 5, HOSTILE), HOSTILE, HOSTILE, HOSTILE)


def drawn(entries: list[Entry]) -> None:
    row = InstanceRow(1, "w", "i", Status.ERRORED, 0, 0)
    told = describe_timeline(row, History.of(entries), 0, 100)
    output.console().print(Drawing({**told, "diagnosis": [HOSTILE]}, outputs=True, limit=5000))


def logged(message: str, *args: object, **options: Any) -> None:
    logger = logging.Logger("hostile")
    logger.addHandler(ConsoleHandler(Console("debug")))
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logger.log(level, message, *args, **options)


class Client:
    is_served = False


TERMINALS: dict[str, Callable[[], object]] = {
    "info": lambda: Console("debug").info(HOSTILE),
    "debug": lambda: Console("debug").debug(HOSTILE),
    "warn": lambda: Console("debug").warn(HOSTILE),
    "error": lambda: Console("debug").error(HOSTILE),
    "fatal": lambda: Console("debug").fatal(HOSTILE),
    "request": lambda: Console("debug").request(HOSTILE, HOSTILE, 200, HOSTILE, 1),
    "record": lambda: Console("debug").record(logging.INFO, HOSTILE, HOSTILE, HOSTILE, HOSTILE),
    "log": lambda: logged(HOSTILE),
    "log of a name": lambda: logged("%s", HOSTILE),
    "log of an error": lambda: logged("failed", exc_info=error()),
    "say": lambda: options.say(HOSTILE),
    "json": lambda: output.print_json({HOSTILE: HOSTILE}),
    "table": lambda: output.table(("a",), [(HOSTILE,)]),
    "done": lambda: output.done(Client(), HOSTILE, {}, as_json=False),  # type: ignore[arg-type]  # all it asks
    "describe": lambda: drawn(JOURNAL),
    "describe what ended": lambda: drawn(ENDED),
}


@pytest.mark.parametrize("printer", TERMINALS.values(), ids=TERMINALS)
def test_no_printer_lets_data_reach_a_terminal(
    printer: Callable[[], object], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever a command prints, the terminal is not told to do anything, and the text can be read."""
    printer()
    printed = "".join(capsys.readouterr())
    assert (None, True) == (OBEYED.search(printed), r"\u202e" in printed)


def test_a_command_that_fails_says_so_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    """The reason why a command ends is shown by the same rule."""
    with pytest.raises(SystemExit):
        options.fail(HOSTILE)
    assert None is OBEYED.search(capsys.readouterr().err)


TEXTS: dict[str, Callable[[], object]] = {
    "diagnostic": lambda: DIAGNOSTIC,
    "configuration": lambda: render([DIAGNOSTIC]),
    "configuration that is wrong": lambda: ConfigError([DIAGNOSTIC]),
    "timeline": lambda: timeline(History.of(JOURNAL), error()),
    "timeline of what ended": lambda: timeline(History.of(ENDED)),
    "waits": lambda: "\n".join(waits_for(History.of(JOURNAL))),
    "leak": lambda: LeakError([HOSTILE]),
    "outcome": lambda: Outcome("errored", None, (HOSTILE, HOSTILE)),  # type: ignore[arg-type]  # as text
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_report_holds_what_a_terminal_obeys(text: Callable[[], object]) -> None:
    """The texts that end in reports and errors are harmless wherever they are printed."""
    assert (None, True) == (OBEYED.search(str(text())), r"\x1b" in str(text()))


@pytest.mark.parametrize("headers", [{"accept": "text/html"}, {"user-agent": "curl/8"}], ids=["page", "text"])
async def test_an_error_is_answered_harmlessly(headers: dict[str, str]) -> None:
    """A page and a text about an error show what is in it, and hold no control."""
    request = Request("http://localhost/", {"headers": headers})
    for response in (failure_response(error(), request), Failure(CfworkflowsError(HOSTILE)).response(request)):
        text = await response.text()
        assert (None, True) == (OBEYED.search(text), r"\u202e" in text)


def test_findings_are_harmless(tmp_path: Path) -> None:
    """What is wrong in code is shown with the line of it, whatever is in that line."""
    main = tmp_path / "entry.py"
    comment = HOSTILE.replace("\r", "").replace("\0", "")
    main.write_text(
        "import time\nfrom cfworkflows import WorkflowEntrypoint\n\n\nclass W(WorkflowEntrypoint):\n"
        f"    async def run(self, event, step):\n        time.time()  # {comment}\n"
    )
    found = [str(each) for each in check(Program(main), None)]
    assert [] != found
    assert [] == [each for each in found if OBEYED.search(each)]


def test_what_user_code_prints_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """`print` in a Worker reaches the terminal raw: colours of the user's are the user's."""
    Console("log")
    print("\x1b[31mred\x1b[0m", file=sys.stdout)
    assert "\x1b[31mred\x1b[0m\n" == capsys.readouterr().out
