"""A stream output over HTTP: `cfwf dev` serves it, is killed while one is made, and goes on with it."""

import hashlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest

WORKER = textwrap.dedent(
    """
    import asyncio, json, pathlib
    from cfworkflows import Response, WorkerEntrypoint, WorkflowEntrypoint

    class Export(WorkflowEntrypoint):
        async def run(self, event, step):
            async def rows():
                for n in range(event.payload.rows):
                    yield f"row {n}\\n".encode()
                    if n == event.payload.stop and pathlib.Path(self.env.HANGS).exists():
                        await asyncio.Event().wait()

            report = await step.do("export", rows)
            await step.do("secret", {"sensitive": "output"}, lambda: "hunter" + str(2))
            return (await Response(report).text()).count("\\n")

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            match request.method, request.url.rpartition("/")[2]:
                case "POST", id:
                    await self.env.EXPORT.create({"id": id, "params": await request.json()})
                    return Response.json({"id": id})
                case "GET", id:
                    instance = await self.env.EXPORT.get(id)
                    if "status" in request.headers:
                        return Response.json(await instance.status())
                    async with await instance.subscribe({"filter": ["step_completed"]}) as events:
                        event = await anext(events)
                    return Response(event.output)
    """
)
CONFIG = """
name = "export"
main = "entry.py"
compatibility_date = "2026-11-01"
vars = { HANGS = "HANGS_FILE" }
[[workflows]]
name = "export"
binding = "EXPORT"
class_name = "Export"
"""
ROWS = 200_000
EXPECTED = hashlib.sha256(b"".join(b"row %d\n" % n for n in range(ROWS))).hexdigest()


class Dev:
    """`cfwf dev` over a folder; `printed` is what it wrote."""

    def __init__(self, folder):
        self.log = (folder / "log").open("ab+")
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("cfwf"), "dev", "--port", "0"],
            cwd=folder, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        start = self.log.tell()
        until(lambda: self.process.poll() is not None or b"Ready on" in self.printed()[start:])
        self.url = re.search(rb"Ready on (http://\S+)", self.printed()[start:])[1].decode()

    def printed(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def ask(self, path, data=None, **headers):
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers), timeout=30) as answer:
            return answer.read()

    def stop(self, how=signal.SIGKILL):
        os.kill(self.process.pid, how)
        self.process.wait()
        self.log.close()


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "entry.py").write_text(WORKER)
    (tmp_path / "wrangler.toml").write_text(CONFIG.replace("HANGS_FILE", str(tmp_path / "hangs")))
    return tmp_path


def chunks(folder):
    with sqlite3.connect(folder / ".cfwf/state/workflows.sqlite") as database:
        found = database.execute("SELECT attempt, sum(length(data)) FROM stream_chunks GROUP BY attempt").fetchall()
    database.close()
    return found


def test_a_stream_survives_kill_9_and_is_served(folder):
    """What the first process wrote of it is gone, the second makes all of it, and a client reads it, twice."""
    (folder / "hangs").touch()
    dev = Dev(folder)
    dev.ask("/i", b'{"rows": %d, "stop": %d}' % (ROWS, ROWS // 2))
    until(lambda: sum(size for _, size in chunks(folder)) > 500_000)
    dev.stop()
    (folder / "hangs").unlink()
    dev = Dev(folder)
    try:
        for _ in range(2):
            assert EXPECTED == hashlib.sha256(dev.ask("/i")).hexdigest()
        until(lambda: b'"complete"' in dev.ask("/i", status="1"))
        assert b'"output":%d' % ROWS in dev.ask("/i", status="1")
        [(attempt, size)] = chunks(folder)
        assert (2, sum(len(b"row %d\n" % n) for n in range(ROWS))) == (attempt, size)
        shown = dev.ask("/cdn-cgi/local/explorer/api/workflows/export/instances/i")
        assert b"row 0\\nrow 1\\n" in shown
        assert b"[truncated output]" in shown
        assert b"[REDACTED]" in shown
        assert b"hunter2" not in shown + dev.printed()
    finally:
        dev.stop()
