"""A shop's Worker, served on a real socket, as the tests of the API talk to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.server import Server, serve

BASE = "/cdn-cgi/local/explorer/api"
REST = "/client/v4/accounts/any"

WORKER = """
from datetime import UTC, datetime
from cfworkflows import Response, WorkerEntrypoint, WorkflowEntrypoint


class Orders(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("charge", lambda: {"at": datetime(2026, 1, 1, tzinfo=UTC), "raw": b"ab", "n": float("nan")})
        await step.do("secret", lambda: "s3cret", sensitive="output")

        async def fails_once(ctx):
            if ctx.attempt == 1:
                raise ValueError("once")

        await step.do("flaky", fails_once, retries={"limit": 1, "delay": 1000}, sensitive="output")
        await step.sleep("nap", "1 hour")
        got = await step.wait_for_event("answer", type="answer", timeout="1 day")
        if got.payload == "undo":
            await step.do("refund", lambda: 1, rollback=lambda: 1 / 0, rollback_config={"timeout": "1 day"})
        if got.payload in ("fail", "undo"):
            raise ValueError("as told")
        return got.payload


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("the Worker")
"""
CONFIG = """
name = "shop"
main = "entry.py"
compatibility_date = "2026-11-01"
[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Orders"
"""


class Explorer:
    def __init__(self, server: Server, project: Project, clock: VirtualClock, session: aiohttp.ClientSession) -> None:
        self.server, self.url = server, server.url
        self.project, self.clock, self.session = project, clock, session
        self.orders = project.env.ORDERS

    async def send(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Status and answer of a request with `body` as JSON."""
        async with self.session.request(method, self.url + path, json=body, **options) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, Any]:
        async with self.session.request(method, self.url + path, headers=headers) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else await answer.text()


@asynccontextmanager
async def served(folder: Path, **options: Any) -> AsyncIterator[Explorer]:
    """The shop, in `folder`, on a virtual clock. `options` are those of the server."""
    (folder / "entry.py").write_text(WORKER)
    (folder / "wrangler.toml").write_text(CONFIG)
    clock = VirtualClock()
    config = load_config(cwd=folder, process_env={})
    async with (
        Project.open(config, clock=clock) as project,
        serve(project, **options) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Explorer(server, project, clock, session)
