"""`cfwf dev` in a terminal, for tests."""

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
