"""The server under test: `cfwf dev` over the Workers of the scenarios, in a process of its own that can be killed."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path

import aiohttp

WORKER = Path(__file__).parent / "worker"
CFWF = Path(sys.executable).with_name("cfwf")
START_S = 60


class Target:
    """One port and one state folder for the Workers in `folders`. Started, it is ready; `wipe` removes the state."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders or (WORKER,)
        self.folder = Path(tempfile.mkdtemp(prefix="conformance-"))
        self.log = self.folder / "server.log"
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        port = self.url.rpartition(":")[2]
        configs = [part for folder in self._folders for part in ("--config", str(folder / "wrangler.jsonc"))]
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                CFWF, "dev", *configs, "--ip", "127.0.0.1", "--port", port, "--persist-to", str(self.folder / "state"),
                cwd=self._folders[0], stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        async with aiohttp.ClientSession() as session, asyncio.timeout(START_S):
            while not await self._answers(session):
                if self._process.returncode is not None:
                    raise RuntimeError(f"cfwf dev ended as it started:\n{self.log.read_text()}")
                await asyncio.sleep(0.02)

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(self.url + "/ping") as answer:
                return await answer.text() == "pong"
        except aiohttp.ClientError:
            return False

    async def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the server and all that it started, and wait until it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            os.killpg(process.pid, number)
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def __aenter__(self) -> "Target":
        try:
            await self.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        self.wipe()

    def wipe(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
