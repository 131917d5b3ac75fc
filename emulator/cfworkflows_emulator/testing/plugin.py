"""The pytest plugin: options, and the hooks that fail and explain tests. PYTEST_DONT_REWRITE

The fixtures are in `fixtures`. Nothing of the emulator is loaded until a test asks for one.
"""

import dataclasses
import re
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import pytest

from cfworkflows_emulator.shown import shown
from cfworkflows_emulator.testing.records import Record, Settings, recording

RECORD = pytest.StashKey[Record]()
_MARK = "cfworkflows"
_INI = {
    "cfworkflows": ("off: no fixtures and no checks of the cfworkflows test kit", "on"),
    "cfworkflows_config": ("the wrangler file of the fixture env; by default the nearest one above the test", ""),
    "cfworkflows_environment": ("the environment of the wrangler file", ""),
    "cfworkflows_patience": ("real seconds that a callback may run while a test waits for it", "60"),
    "cfworkflows_evict_after": (
        "how long an instance that waits stays in memory, then to be replayed; or never",
        "never",
    ),
    "cfworkflows_unfinished": ("error: a test must not leave instances that have not ended; or allow", "allow"),
    "cfworkflows_determinism": (
        "on: every step of every instance is followed by a replay, which must not differ",
        "off",
    ),
    "cfworkflows_leaks": ("error: a test must not leave tasks and open files behind; or allow", "error"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, (help_, default) in _INI.items():
        parser.addini(name, help_, default=default)
    group = parser.getgroup("cfworkflows")
    group.addoption(
        "--cfwf-timeline",
        action="store_true",
        help="print what the instances did of tests that pass, too",
    )
    group.addoption(
        "--cfwf-record",
        action="store_true",
        help="write the histories that matches_history() and golden() compare with, instead of comparing",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "cfworkflows(config, environment, start, evict_after, unfinished, leaks, patience, determinism): settings of "
        "the test kit for one test; start is the datetime at which its clock begins",
    )
    if config.option.cfwf_timeline and not hasattr(config, "workerinput"):
        config.option.reportchars += "P"  # pytest then prints the sections of tests that passed
    if _choice(config.getini("cfworkflows"), "cfworkflows", "on", "off"):
        from cfworkflows_emulator.testing import fixtures

        config.pluginmanager.register(fixtures, "cfworkflows-fixtures")
        if config.pluginmanager.has_plugin("asyncio"):
            from cfworkflows_emulator.testing.coroutines import Coroutines

            config.pluginmanager.register(Coroutines(), "cfworkflows-coroutines")
        config.pluginmanager.register(Hooks(), "cfworkflows-hooks")


class Hooks:
    """What is done around each test."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What is wrong with a setting is said before anything runs."""
        for item in items:
            settings(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        record = Record(settings(item))
        record.root = item.config.rootpath
        record.histories = item.path.parent / "__histories__" / _folder(item)
        record.recording = item.config.getoption("--cfwf-record")
        with recording(record) as item.stash[RECORD]:
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """A failed assertion of a workflow fails the test, also if it never awaited the instance."""
        try:
            result = yield
        except BaseException as error:
            if (stalled := item.stash[RECORD].stalled()) is not None:
                raise stalled.with_traceback(error.__traceback__) from None  # where it waited
            if not isinstance(error, (Exception, pytest.fail.Exception)):
                raise
            if (failure := item.stash[RECORD].undelivered()) is not None:
                raise failure from None  # what the test met is a consequence of it
            raise
        if (failure := item.stash[RECORD].undelivered()) is not None:
            raise failure
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        record = item.stash.get(RECORD, None)
        if record is not None and record.worlds and call.excinfo is not None and not item.config.option.fulltrace:
            from cfworkflows_emulator.testing.reports import trim

            trim(call.excinfo.value)
            call.excinfo = pytest.ExceptionInfo.from_exception(call.excinfo.value)
        report = yield
        # What is printed or logged may hold half of a surrogate pair, which pytest-xdist cannot send.
        report.sections = [(title, _encodable(text)) for title, text in report.sections]
        if record is None:
            return report
        told, record.sections = record.sections, []
        if report.failed:
            record.failed = True
        if report.failed or (call.when == "call" and item.config.option.cfwf_timeline):
            told = _told(record) + told
        # The story comes before what was logged.
        report.sections[:0] = [(f"cfworkflows: {title}", shown(text)) for title, text in told]
        return report


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _told(record: Record) -> list[tuple[str, str]]:
    for world in record.worlds:
        # The test is over, its fixtures are not: the loop stands between the two.
        if not world.told and not world.loop.is_running() and not world.loop.is_closed():
            record.timelines.append(world.loop.run_until_complete(world.timelines()))
            world.told = True
    told = [section for tell in record.timelines for section in tell()]
    record.timelines.clear()
    return told


def _folder(item: pytest.Item) -> str:
    """The name of a test within its file, as that of a folder."""
    return re.sub(r"[^\w.-]+", "_", item.nodeid.partition("::")[2].replace("::", "."))


def settings(item: pytest.Item) -> Settings:
    """What the ini file and the markers say; the nearest marker counts. Raises pytest.UsageError for what is wrong."""
    config = item.config
    given = marked(item)
    patience = given.get("patience", config.getini("cfworkflows_patience"))
    try:
        patience_s = float(patience)
    except (TypeError, ValueError):
        raise pytest.UsageError(f"cfworkflows_patience is a number of seconds, not {patience!r}.") from None
    unfinished = given.get("unfinished", config.getini("cfworkflows_unfinished"))
    leaks = given.get("leaks", config.getini("cfworkflows_leaks"))
    determinism = given.get("determinism", config.getini("cfworkflows_determinism"))
    found = Settings(
        patience_s=patience_s,
        unfinished=_choice(unfinished, "cfworkflows_unfinished", "error", "allow"),
        leaks=_choice(leaks, "cfworkflows_leaks", "error", "allow"),
        evict_after_ms=_evict_after(given.get("evict_after", config.getini("cfworkflows_evict_after"))),
        determinism=_choice(determinism, "cfworkflows_determinism", "on", "off"),
    )
    if (start := given.get("start")) is not None:
        if not isinstance(start, datetime):
            raise pytest.UsageError(f"The start of the marker cfworkflows is a datetime, not {start!r}.")
        aware = start if start.tzinfo is not None else start.replace(tzinfo=UTC)
        found = dataclasses.replace(found, start=round(aware.timestamp() * 1000))
    return found


def marked(item: pytest.Item) -> dict[str, Any]:
    """The arguments of the markers of a test, the nearest last."""
    given: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers(_MARK))):
        known = {"config", "environment", "start", "evict_after", "unfinished", "leaks", "patience", "determinism"}
        if mark.args or mark.kwargs.keys() - known:
            raise pytest.UsageError(f"{item.nodeid}: the marker cfworkflows takes {', '.join(sorted(known))}.")
        given |= mark.kwargs
    return given


def _evict_after(value: Any) -> float | None:
    if value in (None, "never"):
        return None
    from cfworkflows.durations import parse_duration
    from cfworkflows.errors import DurationError

    try:
        return parse_duration(value)
    except DurationError as error:
        raise pytest.UsageError(f"cfworkflows_evict_after is a duration or never: {error}") from None


def _choice(value: object, name: str, yes: str, no: str) -> bool:
    if value not in (yes, no):
        raise pytest.UsageError(f"{name} is {yes} or {no}, not {value!r}.")
    return value == yes
