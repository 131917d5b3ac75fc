import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.server import serve

PRELUDE = """\
import asyncio, json
from cfworkflows import *
from cfworkflows.http import ReadableStream
SEEN = []
"""


async def until(condition):
    """Wait for what the Worker does in the same loop, and has no way to tell a test."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


class Connection:
    """A raw connection: `send` text, and read what comes back."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    def send(self, text):
        self.writer.write(text.encode() if isinstance(text, str) else text)

    async def head(self):
        """The status line and the headers of the next answer, as a list of lines."""
        async with asyncio.timeout(10):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")

    async def rest(self):
        """All until the server closes the connection."""
        async with asyncio.timeout(10):
            return await self.reader.read()


class Served:
    """A server with its project, and ways to talk to it."""

    def __init__(self, server, project, log):
        self.server = server
        self.project = project
        self.log = log
        self.url = server.url
        self.port = server.port

    @property
    def seen(self):
        """What the Worker put into SEEN."""
        import entry

        return entry.SEEN

    async def until_seen(self, count):
        """What the Worker put into SEEN, once there are `count` of them."""
        await until(lambda: len(self.seen) >= count)
        return self.seen

    @asynccontextmanager
    async def connect(self, send=""):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        connection = Connection(reader, writer)
        connection.send(send)
        try:
            yield connection
        finally:
            writer.close()

    async def exchange(self, send):
        """Everything that the server answers to `send` before it closes the connection, as text."""
        async with self.connect(send) as connection:
            return (await connection.rest()).decode()


@pytest.fixture
def serving(tmp_path: Path):
    """Serve a Worker on a real socket: `async with serving(source) as served`."""

    @asynccontextmanager
    async def serving(source, config=""):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "wrangler.toml").write_text('name = "shop"\nmain = "src/entry.py"\n' + dedent(config))
        (tmp_path / "src/entry.py").write_text(PRELUDE + dedent(source))
        log = []
        async with (
            Project.open(load_config(cwd=tmp_path, process_env={})) as project,
            serve(project, on_request=lambda *entry: log.append(entry)) as server,
        ):
            yield Served(server, project, log)

    return serving


@pytest.fixture
async def client():
    """An aiohttp client that sends what it is told and decompresses nothing."""
    from aiohttp import ClientSession, DummyCookieJar

    async with ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar()) as session:
        yield session
