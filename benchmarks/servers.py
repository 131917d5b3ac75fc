"""A server as a process: started on a copy of its project, asked over HTTP, weighed, and killed."""

import asyncio
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import psutil

HERE = Path(__file__).parent
START_TIMEOUT_S = 60
POLL_S = 0.005


class Side(Protocol):
    """One of those that are compared. `source` is the file of its project that a reload changes."""

    name: str
    is_ours: bool
    project: Path
    source: str

    def command(self, port: int, state: Path) -> tuple[list[str], dict[str, str]]:
        """The command line, and what it needs in the environment."""

    def tests(self, project: Path, report: Path) -> tuple[list[str], dict[str, str]]:
        """The same, for running the tests of `project`, with a report as JUnit writes it."""

    def version(self) -> str: ...


class Ours:
    """`cfwf dev`. Its bytecode is kept in `cache`: what is compiled on the very first start is not measured."""

    name = "cfwf dev"
    is_ours = True
    project = HERE / "worker"
    source = "entry.py"

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def command(self, port: int, state: Path) -> tuple[list[str], dict[str, str]]:
        cfwf = str(Path(sys.executable).with_name("cfwf"))
        environment = {"PYTHONPYCACHEPREFIX": str(self._cache), "PYTHONDONTWRITEBYTECODE": ""}
        return [cfwf, "dev", "--port", str(port), "--persist-to", str(state)], environment

    def tests(self, project: Path, report: Path) -> tuple[list[str], dict[str, str]]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(project)]
        command += ["-o", "asyncio_mode=auto", "-o", "junit_duration_report=total", "--junitxml", str(report)]
        return command, {"PYTHONPYCACHEPREFIX": str(self._cache), "PYTHONDONTWRITEBYTECODE": ""}

    def version(self) -> str:
        return f"{version('cfworkflows')}, Python {platform.python_version()}, aiohttp {version('aiohttp')}"


class Server:
    """A server that runs. Paths are those of the Worker in `worker/` and `peer/`, which are the same."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, state: Path, project: Path) -> None:
        self.process = process
        self.url = url
        self.state = state
        self.project = project
        self.session = aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=600))
        self.started_in_s = 0.0

    async def ask(self, path: str, method: str = "GET", **query: Any) -> Any:
        """The JSON of an answer. Raises aiohttp.ClientResponseError for any that is no success."""
        async with self.session.request(method, path, params=query, raise_for_status=True) as response:
            return await response.json()

    async def create(self, count: int, **params: Any) -> list[str]:
        """Create instances, a hundred with one request: their ids."""
        ids: list[str] = []
        while len(ids) < count:
            ids += await self.ask("/create", "POST", count=min(100, count - len(ids)), **params)
        return ids

    async def done(self, count: int, timeout_s: float = 600) -> bool:
        """Wait until `count` instances have ended since the server started; whether they did in time."""
        deadline = time.perf_counter() + timeout_s
        while (await self.ask("/done"))["done"] < count:
            if time.perf_counter() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def completed(self, id: str) -> dict[str, Any]:
        """Wait until an instance has ended: its status."""
        while (status := await self.ask(f"/status/{id}"))["status"] not in ("complete", "errored", "terminated"):
            await asyncio.sleep(POLL_S)
        assert status["status"] == "complete", status
        return status

    def processes(self) -> list[psutil.Process]:
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    def memory(self) -> Mapping[str, float]:
        """MiB of all its processes: `rss`, where what they share counts in each, and `pss`, where it counts once."""
        found = [info for process in self.processes() if (info := memory_of(process)) is not None]
        return {kind: sum(getattr(each, kind) for each in found) / 2**20 for kind in ("rss", "pss")}

    def disk(self) -> float:
        """MiB that the state folder takes."""
        return sum(path.stat().st_blocks * 512 for path in self.state.rglob("*") if path.is_file()) / 2**20

    async def kill(self) -> None:
        """End all of its processes at once, with SIGKILL."""
        await self.session.close()
        os.killpg(self.process.pid, signal.SIGKILL)
        await asyncio.to_thread(self.process.wait)


@asynccontextmanager
async def running(side: Side, state: Path | None = None) -> AsyncIterator[Server]:
    """A server that has answered, on a new copy of the project and of an empty state, or on `state`."""
    with tempfile.TemporaryDirectory(prefix="cfwf-bench-", ignore_cleanup_errors=True) as folder:
        project = copied(side.project, Path(folder))
        server = await _started(side, project, state or Path(folder, "state"), Path(folder, "output"))
        try:
            yield server
        finally:
            if server.process.poll() is None:
                await server.kill()


def copied(project: Path, folder: Path) -> Path:
    """A copy of `project` in `folder`, without what was left in it by running it."""
    ignored = shutil.ignore_patterns(".wrangler", ".cfwf", "__pycache__")
    return Path(shutil.copytree(project, folder / "project", ignore=ignored))


async def _started(side: Side, project: Path, state: Path, output: Path) -> Server:
    port = free_port()
    command, extra = side.command(port, state)
    began = time.perf_counter()
    with output.open("wb") as written:
        process = subprocess.Popen(
            command,
            cwd=project,
            env={**os.environ, **extra},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, f"http://127.0.0.1:{port}", state, project)
    try:
        while time.perf_counter() - began < START_TIMEOUT_S:
            if await _answers(server):
                server.started_in_s = time.perf_counter() - began
                return server
            if process.poll() is not None:
                break
            await asyncio.sleep(POLL_S)
        raise RuntimeError(f"No answer from {' '.join(command)}:\n{output.read_text()}")
    except BaseException:
        await server.kill()
        raise


async def _answers(server: Server) -> bool:
    try:
        async with server.session.get("/") as response:
            return response.status == 200 and await response.text() == "hello"
    except aiohttp.ClientError:
        return False


def memory_of(process: psutil.Process) -> Any:
    """What psutil tells of its memory; None for one that has ended meanwhile, as short-lived helpers do."""
    try:
        return process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
