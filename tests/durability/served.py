"""`cfwf dev` in a process group of its own, which dies as often as it is told to."""

# ruff: noqa: ASYNC110 - other processes set no asyncio.Event

import asyncio
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import aiohttp
import psutil
from devserver import CFWF, clean_environment

WORKER = Path(__file__).parent / "worker"
API = "/cdn-cgi/local/explorer/api"
NO_ANSWER = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)
"""What a client sees of a server that dies: the request may have been carried out, or not."""


class Served:
    """The Worker of this folder, or that of `config`, on one state folder. What it prints is in the file `log`."""

    def __init__(self, folder, *options, config=WORKER / "wrangler.toml", env=None, command=(str(CFWF),)):
        folder.mkdir(exist_ok=True)
        self.state = folder / "state"
        self.effects_file = folder / "effects"
        self.log = folder / "log"
        self._command = [*command, "dev", "--port", "0", "--no-watch", "--config", str(config)]
        self._command += ["--persist-to", str(self.state), *options]
        self._env = {**clean_environment(), "EFFECTS": str(self.effects_file), **(env or {})}
        self.process = None
        self.url = None
        self._session = None

    def start(self):
        self._seen = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                start_new_session=True,
            )

    @property
    def text(self):
        """What the process that was started last has printed."""
        return self.log.read_bytes()[self._seen :].decode()

    async def printed(self, pattern):
        """The first match in what it prints. RuntimeError, with all of it, if there is none in the end."""
        try:
            async with asyncio.timeout(60):
                while (match := re.search(pattern, self.text)) is None:
                    if self.process.poll() is not None:
                        raise RuntimeError(f"ended with {self.process.returncode} without {pattern!r}:\n{self.text}")
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise RuntimeError(f"not printed within a minute: {pattern!r}:\n{self.text}") from None
        return match

    async def ready(self):
        self.url = (await self.printed(r"Ready on (http://\S+)"))[1]
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=30)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(force_close=True))
        return self

    async def __aenter__(self):
        self.start()
        return await self.ready()

    async def __aexit__(self, *_):
        await self.close()

    async def close(self):
        if self._session is not None:
            await self._session.close()
        self.kill()

    async def ask(self, method, path, body=None):
        """Status and JSON of an answer of the Explorer API. Raises one of NO_ANSWER."""
        async with self._session.request(method, self.url + API + path, json=body) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type == "application/json" else text

    async def create(self, workflow, id):
        return await self.ask("POST", f"/workflows/{workflow}/instances", {"id": id})

    async def instance(self, workflow, id):
        """How an instance is described; None if there is none."""
        status, answer = await self.ask("GET", f"/workflows/{workflow}/instances/{id}")
        assert status in (200, 404), answer
        return answer["result"] if status == 200 else None

    async def until(self, workflow, id, *statuses):
        """How an instance is described once it is in one of these statuses."""
        async with asyncio.timeout(60):
            while (found := await self.instance(workflow, id)) is None or found["status"] not in statuses:
                await asyncio.sleep(0.02)
        return found

    # Deaths

    @property
    def worker(self):
        """The process that serves, a psutil.Process; None in the moment when there is none."""
        try:
            return next(iter(psutil.Process(self.process.pid).children()), None)
        except psutil.NoSuchProcess:
            return None

    def kill(self):
        """kill -9 of the whole group."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            assert self.process.poll() is not None
        self.process.wait()

    async def kill_worker(self):
        """kill -9 of the worker; the supervisor starts another one."""
        worker = self.worker
        if worker is not None:
            worker.kill()

    async def kill_supervisor(self):
        """kill -9 of the pid that a user knows. The worker ends with it."""
        worker = self.worker
        self.process.kill()
        self.process.wait()
        async with asyncio.timeout(30):
            while worker is not None and worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
                await asyncio.sleep(0.01)

    async def stop(self, number=signal.SIGTERM):
        """The exit code after a signal to the supervisor."""
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self):
        return await asyncio.to_thread(self.process.wait, 60)

    # Afterwards

    @property
    def effects(self):
        """The lines that callbacks left, oldest first."""
        if not self.effects_file.exists():
            return []
        return [json.loads(line) for line in self.effects_file.read_text().splitlines()]

    @property
    def database(self):
        return self.state / "workflows.sqlite"
