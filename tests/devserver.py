"""`cfwf dev` as a process, for tests: started, asked, read and ended."""

import asyncio
import os
import signal
import sys
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

import pytest

CFWF = Path(sys.executable).with_name("cfwf")
PRELUDE = "import asyncio, sys, threading\nfrom cfworkflows import *\n"
HELLO = """
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")
"""


class Dev:
    """A `cfwf dev` process. `lines` is what it printed so far, on both outputs, `url` where it listens."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self.url = None

    @property
    def text(self):
        return "\n".join(self.lines)

    async def line(self, containing):
        """Wait for a line; RuntimeError with all that was printed if the process ends before it comes."""
        async with asyncio.timeout(30):
            while line := await self.process.stdout.readline():
                self.lines.append(line.decode().rstrip("\n"))
                if containing in self.lines[-1]:
                    return self.lines[-1]
        raise RuntimeError(f"the process ended without {containing!r}:\n{self.text}")

    async def ready(self):
        self.url = (await self.line("Ready on ")).split()[2]
        return self

    async def get(self, path="/"):
        """Status and text of an answer."""
        return await asyncio.to_thread(fetch, self.url + path)

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    async def ended(self):
        """The exit code, once the process has ended and all it printed was read."""
        async with asyncio.timeout(30):
            rest = await self.process.stdout.read()
            self.lines += rest.decode().splitlines()
            return await self.process.wait()

    async def stop(self):
        self.signal()
        return await self.ended()


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture
def write(tmp_path):
    """Write a Worker and its configuration into the folder; gives the folder."""

    def write(source=HELLO, config=""):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "wrangler.toml").write_text('name = "shop"\nmain = "src/entry.py"\n' + dedent(config))
        (tmp_path / "src/entry.py").write_text(PRELUDE + dedent(source))
        return tmp_path

    return write


@pytest.fixture
def starting(tmp_path):
    """`async with starting("--port", "0") as dev`: the process, without waiting for anything; killed at the end."""

    @asynccontextmanager
    async def starting(*arguments, cwd=tmp_path, env=None, command="dev"):
        process = await asyncio.create_subprocess_exec(
            CFWF,
            command,
            *arguments,
            cwd=cwd,
            env={**clean_environment(), **(env or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=2**20,
        )
        try:
            yield Dev(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return starting


@pytest.fixture
def running(starting):
    """`async with running() as dev`: a server that is ready, on a free port."""

    @asynccontextmanager
    async def running(*arguments, **options):
        if "--port" not in arguments:
            arguments = ("--port", "0", *arguments)
        async with starting(*arguments, **options) as dev:
            yield await dev.ready()

    return running


@pytest.fixture
def failing(starting):
    """The text that `cfwf dev` ends with, when it ends with exit code 1."""

    async def failing(*arguments, **options):
        async with starting("--port", "0", *arguments, **options) as dev:
            code = await dev.ended()
        assert (1, []) == (code, [line for line in dev.lines if "cfworkflows_emulator" in line]), dev.text
        assert "Ready" not in dev.text
        return dev.text

    return failing


def clean_environment():
    """The environment without what would change the output."""
    left_out = ("CLOUDFLARE_", "NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
