import asyncio
import os
import pty
import signal
from contextlib import asynccontextmanager

import pytest
from devserver import CFWF, clean_environment


class Session:
    """`cfwf dev` as the foreground of a terminal: `press` keys, read what it shows."""

    def __init__(self, pid, primary):
        self.pid = pid
        self.primary = primary
        self.text = ""

    def press(self, keys):
        os.write(self.primary, keys.encode())

    async def shows(self, text):
        async with asyncio.timeout(30):
            while text not in self.text:
                self.text += (await asyncio.to_thread(os.read, self.primary, 65536)).decode()
        before, _, self.text = self.text.partition(text)
        return before

    async def ended(self):
        async with asyncio.timeout(30):
            _, status = await asyncio.to_thread(os.waitpid, self.pid, 0)
        self.pid = None
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def terminal(tmp_path):
    @asynccontextmanager
    async def terminal():
        pid, primary = pty.fork()
        if pid == 0:
            os.chdir(tmp_path)
            os.execve(CFWF, [str(CFWF), "dev", "--port", "0"], {**clean_environment(), "BROWSER": "touch opened #%s"})
        session = Session(pid, primary)
        try:
            yield session
        finally:
            if session.pid is not None:
                os.kill(session.pid, signal.SIGKILL)
                os.waitpid(session.pid, 0)  # noqa: ASYNC222
            os.close(primary)

    return terminal


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
async def test_keys_work_in_a_terminal(write, terminal):
    """The keys are shown, each does its work without Enter and without an echo, in upper case too; x exits with 0."""
    write()
    async with terminal() as session:
        await session.shows("[b] open a browser  [r] restart  [c] clear console  [h] help  [x] exit")
        session.press("R")
        await session.shows("Reloaded in ")
        assert "(r was pressed)" in await session.shows("\n")
        session.press("z?")
        assert "z" not in await session.shows("open a browser")
        session.press("c")
        await session.shows("\x1b[2J")
        session.press("x")
        await session.shows("Shutting down local server...")
        assert 0 == await session.ended()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
async def test_ctrl_c_in_a_terminal_ends_in_order(write, terminal):
    """Ctrl+C goes to all processes of the terminal, and the command still ends with 0."""
    write()
    async with terminal() as session:
        await session.shows("[x] exit")
        session.press("\x03")
        await session.shows("Shutting down local server...")
        assert 0 == await session.ended()


async def test_without_a_terminal_there_are_no_keys(write, running):
    """In a pipe nothing is said about keys."""
    write()
    async with running() as dev:
        await dev.stop()
    assert "[x] exit" not in dev.text
