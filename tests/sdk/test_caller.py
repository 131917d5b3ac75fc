"""Which code is the user's, and the line that a warning names."""

import asyncio
import concurrent.futures
import importlib._bootstrap
import json
import string
import sysconfig
import threading
import warnings
from contextvars import copy_context
from datetime import UTC, datetime
from pathlib import Path

import pytest

import cfworkflows
import cfworkflows_bindings
import cfworkflows_emulator
from cfworkflows import PortabilityWarning
from cfworkflows.caller import is_users, on_behalf_of, warn
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.http import Response
from cfworkflows.http.replay import ReplayStream
from cfworkflows.values import UnresolvedClassWarning, decode

LIBRARY = sysconfig.get_path("stdlib")
EVENT = WorkflowStepEvent(payload={"approved": True}, type="go", timestamp=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "file",
    [
        __file__,
        "/project/src/entry.py",
        "/project/src/cfworkflows/entry.py",
        "/project/.venv/lib/python3.11/site-packages/library/steps.py",
        f"{LIBRARY}/site-packages/library/steps.py",
        f"{LIBRARY}/dist-packages/library.py",
        pytest.__file__,
        "<string>",
        "<stdin>",
    ],
)
def test_code_of_the_user(file):
    """Also a library that is installed beside the standard one, and what has no file."""
    assert is_users(file)


@pytest.mark.parametrize(
    "file",
    [
        asyncio.events.__file__,
        concurrent.futures.__file__,
        json.__file__,
        threading.__file__,
        importlib._bootstrap._module_repr.__code__.co_filename,
        "<frozen runpy>",
        cfworkflows.__file__,
        cfworkflows_bindings.__file__,
        cfworkflows_emulator.__file__,
        str(Path(cfworkflows_emulator.__file__).parent / "engine" / "run" / "driver.py"),
    ],
)
def test_code_of_others(file):
    """Ours, and the standard library's."""
    assert not is_users(file)


def read_off():
    return EVENT.approved


def told(warned):
    return [(each.filename, each.lineno) for each in warned]


READ_OFF = (__file__, read_off.__code__.co_firstlineno + 1)


async def awaited():
    return read_off()


@pytest.mark.parametrize(
    "call",
    [
        read_off,
        lambda: sorted([1], key=lambda _: read_off()),
        lambda: next(read_off() for _ in range(1)),
        lambda: eval("read_off()"),
    ],
)
def test_a_warning_names_the_line_of_the_user(call):
    """However it was come to."""
    with pytest.warns(PortabilityWarning) as warned:
        call()
    assert [READ_OFF] == told(warned)


@pytest.mark.parametrize(
    "start",
    [
        lambda: asyncio.create_task(awaited()),
        lambda: asyncio.gather(awaited()),
        lambda: asyncio.to_thread(read_off),
    ],
    ids=["task", "gather", "thread"],
)
async def test_a_warning_names_the_line_in_a_task_and_in_a_thread(start):
    """They have no frames of who started them."""
    with pytest.warns(PortabilityWarning) as warned:
        await start()
    assert [READ_OFF] == told(warned)


def test_a_warning_passes_the_standard_library_over():
    """`string.Formatter` is written in Python, and is not where the mistake is."""
    with pytest.warns(PortabilityWarning) as warned:
        string.Formatter().format("{0.approved}", EVENT)
    assert [__file__] == [each.filename for each in warned]


def test_a_value_read_as_plain_data_is_told_of_where_it_is_read():
    """Not where we decode it."""
    with pytest.warns(UnresolvedClassWarning) as warned:
        decode('{"$":"object","class":"gone:Gone","fields":{}}')
    assert [__file__] == [each.filename for each in warned]


async def called_by_the_loop(function, *arguments, context=None):
    """The places of what `function` warns of, when nobody but the event loop calls it."""
    over = asyncio.Event()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        asyncio.get_running_loop().call_soon(function, *arguments, context=context)
        asyncio.get_running_loop().call_soon(over.set)
        await over.wait()
    return told(warned)


async def test_a_warning_of_nobodys_line_is_one_of_sys():
    """Neither asyncio's line is named, nor the one that runs the event loop."""

    async def chunks():
        yield b"a"

    stream = ReplayStream(chunks)
    assert "a" == await Response(stream).text()
    assert [("sys", 1)] == await called_by_the_loop(stream.get_reader)


async def test_a_warning_on_behalf_of_a_line_names_that():
    """While none of the user's code is on the stack."""
    context = copy_context()
    context.run(on_behalf_of.set, "/project/entry.py:7")
    assert [("/project/entry.py", 7)] == await called_by_the_loop(warn, "text", UserWarning, context=context)


def test_a_line_is_warned_of_once():
    """As Python does by default, for each module by itself."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default")
        for _ in range(2):
            read_off()
        read_off()
    assert [READ_OFF] == told(warned)


def test_filters_go_by_the_module_of_the_user():
    """`ignore:::module` in a configuration means the code that is warned of."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", module=__name__)
        read_off()
    assert [] == warned
