"""What the watch on the event loop sees; that it is there for `cfwf dev` only."""

import asyncio
import logging
import threading
from pathlib import Path

import pytest

from cfworkflows_emulator.runtime import Project, blocking
from cfworkflows_emulator.runtime.blocking import blocks_named

HERE = Path(__file__)
WAIT = "def wait():\n    seen.set()\n    go.wait()\n"


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "cfwf-blocking"]


@pytest.fixture
def watch(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # paths are shown relative to the working folder
    return blocking._Watch(asyncio.new_event_loop(), threading.get_ident(), [HERE.parent])


def blocked(watch, filename, name):
    """What the watch sees while a function of that file, in a module of that name, waits in this thread."""
    seen, go, found = threading.Event(), threading.Event(), []
    scope = {"__name__": name, "seen": seen, "go": go}
    exec(compile(WAIT, filename, "exec"), scope)

    def look():
        seen.wait()
        found.append(watch._blocking())
        go.set()

    thread = threading.Thread(target=look)
    thread.start()
    scope["wait"]()
    thread.join()
    watch._loop.close()
    return found[0]


def test_the_innermost_line_of_the_project_is_named(watch):
    """Not that of the library in which it waits, nor that of an environment in the project's folder."""
    assert f"at {HERE}:" in blocked(watch, str(HERE.parent / "lib/site-packages/some.py"), "some")[1]


def test_the_project_comes_before_its_callers(watch):
    """A file in the folder is the user's."""
    assert f"at {HERE.parent / 'entry.py'}:3" == blocked(watch, str(HERE.parent / "entry.py"), "entry")[1]


def test_a_debugger_blocks_on_purpose(watch):
    """While somebody looks at a breakpoint nothing is told."""
    assert blocked(watch, "/usr/lib/python/bdb.py", "bdb") is None


def test_without_a_line_of_the_project_the_innermost_of_others_is_named(watch):
    """Such as of a library's own task."""
    watch._folders = ["/nowhere"]
    what, place, _ = blocked(watch, "/opt/some.py", "some")
    assert ("Something", "at /opt/some.py:3") == (what, place)


@pytest.mark.parametrize(
    ("cpu_s", "told"), [(0, []), (60, ["The event loop was blocked for 60.0 s by a call that let no other thread run"])]
)
def test_a_process_that_was_stopped_for_a_while_blames_nobody(watch, monkeypatch, caplog, cpu_s, told):
    """After SIGSTOP it has used no time of the processor; after a call that let no thread run it has."""
    times, cpu = iter([0, 60, 60, 60]), iter([0, cpu_s, cpu_s])
    monkeypatch.setattr(blocking, "monotonic", lambda: next(times))
    monkeypatch.setattr(blocking.time, "process_time", lambda: next(cpu))
    watch._tell_unseen(blocking._Stopwatch())
    assert told == [message.partition(",")[0] for message in caplog.messages]
    watch._loop.close()


async def test_a_loop_that_answers_is_not_named(monkeypatch, caplog):
    """Asked again and again; the thread ends with the block."""
    monkeypatch.setattr(blocking, "INTERVAL_S", 0.001)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    original, count = loop.call_soon_threadsafe, []

    def ask(callback, *arguments):
        count.append(1)
        if len(count) == 5:
            original(asked.set)
        return original(callback, *arguments)

    monkeypatch.setattr(loop, "call_soon_threadsafe", ask)
    with caplog.at_level(logging.WARNING), blocks_named(HERE.parent):
        (thread,) = threads()
        await asked.wait()
    await asyncio.to_thread(thread.join)
    assert ([], []) == (caplog.messages, threads())


@pytest.mark.parametrize("name_blocks", [False, True])
async def test_a_project_is_watched_only_if_asked(write, name_blocks):
    """As by `cfwf dev`; not by tests, nor over a virtual clock."""
    async with Project.open(write(), name_blocks=name_blocks):
        watching = threads()
        assert name_blocks == bool(watching)
    for thread in watching:
        await asyncio.to_thread(thread.join)
