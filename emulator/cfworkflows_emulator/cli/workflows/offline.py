"""The client of a state folder that no server uses: the API over an engine that runs nothing."""

import asyncio
import json
import logging
import os
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

from cfworkflows.http import ReadableStream, Request, Response
from cfworkflows.values import UnresolvedClassWarning
from cfworkflows_emulator import EXPLORER_API
from cfworkflows_emulator.api import ExplorerApi, Workflows
from cfworkflows_emulator.cli.workflows.client import NOTHING, Answer, RefusedError, SupportsRead
from cfworkflows_emulator.cli.workflows.options import Target
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.engine import EVENT_TYPES, Engine
from cfworkflows_emulator.runtime import DormantProject
from cfworkflows_emulator.storage import StateError
from cfworkflows_emulator.views import printable

UPLOADED_BYTES = 256 * 1024
"""How much of a file is read at a time."""


@contextmanager
def folder_client(target: Target, state: Path, *, changes: bool) -> "Iterator[FolderClient]":
    """A client of the state folder `state`, to be changed only with `changes`. Raises StateError and ConfigError."""
    cwd = (target.cwd or Path()).absolute()
    config = load_config(target.config, cwd=cwd, env=target.env, process_env=os.environ)
    if target.persist_to is not None and not changes and not state.is_dir():
        raise StateError(f"There is no state folder {state}. Name another one with --persist-to.")
    with _only_errors_logged(), warnings.catch_warnings(), asyncio.Runner() as runner:
        warnings.simplefilter("ignore", UnresolvedClassWarning)  # the Worker's classes are not loaded
        stack = AsyncExitStack()
        opening = DormantProject.open(config, state, writable=changes)
        project = runner.run(stack.enter_async_context(opening))
        try:
            yield FolderClient(runner, project, state)
        finally:
            runner.run(stack.aclose())


@contextmanager
def _only_errors_logged() -> "Iterator[None]":
    ours = logging.getLogger("cfworkflows")
    level = ours.level
    ours.setLevel(logging.ERROR)
    try:
        yield
    finally:
        ours.setLevel(level)


class FolderClient:
    """Asks the API of `project`, whose state folder is `state`, in its own event loop."""

    is_served = False

    def __init__(self, runner: asyncio.Runner, project: DormantProject, state: Path) -> None:
        self.where = f"the state folder {state}"
        self._runner = runner
        self._engine: Engine = project.engine
        self._api = ExplorerApi(Workflows(project))

    def request(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = NOTHING) -> Answer:
        asked = f"?{urlencode(query)}" if query else ""
        return self._runner.run(self._request(method, f"http://localhost{EXPLORER_API}{path}{asked}", body))

    def content(self, path: str) -> bytes:
        return self._runner.run(self._content(Request(f"http://localhost{EXPLORER_API}{path}")))

    def upload(self, path: str, body: SupportsRead, *, query: Mapping[str, Any] | None = None) -> Answer:
        async def parts() -> AsyncIterator[bytes]:
            while part := body.read(UPLOADED_BYTES):
                yield part

        asked = f"?{urlencode(query)}" if query else ""
        request = Request(
            f"http://localhost{EXPLORER_API}{path}{asked}", {"method": "POST", "body": ReadableStream(parts())}
        )
        return self._runner.run(self._answered(request))

    async def _request(self, method: str, url: str, body: Any) -> Answer:
        request = Request(url, {"method": method})
        if body is not NOTHING:
            request = Request(request, {"body": json.dumps(body), "headers": {"content-type": "application/json"}})
        return await self._answered(request)

    async def _content(self, request: Request) -> bytes:
        response = await self._api.fetch(request)
        return await response.bytes() if response.ok else (await self._read(response)).result

    async def _answered(self, request: Request) -> Answer:
        return await self._read(await self._api.fetch(request))

    async def _read(self, response: Response) -> Answer:
        envelope = await response.json()
        if not envelope["success"]:
            messages = [*envelope["errors"], *envelope["messages"]]
            raise RefusedError(response.status, "\n".join(each["message"] for each in messages))
        return Answer(envelope["result"], envelope.get("result_info") or {})

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        _, _, workflow, _, id, _ = path.split("/")
        yield from self._runner.run(self._events(unquote(workflow), unquote(id)))

    async def _events(self, workflow: str, id: str) -> list[dict[str, Any]]:
        _, entries = await self._engine.history(workflow, id)
        last = max(entry.seq for entry in entries if entry.type in EVENT_TYPES)
        found: list[dict[str, Any]] = []
        with await self._engine.subscribe(workflow, id, previews=True) as subscription:
            async for event in subscription:
                found.append(printable(event))
                if event["eventId"] >= last:
                    break
        return found
