"""A served example, as the tests talk to it."""

from pathlib import Path
from typing import Any

import aiohttp

from cfworkflows_emulator.clock import VirtualClock

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


class Served:
    """A served example, and a client for it."""

    def __init__(self, url: str, clock: VirtualClock, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.clock = clock
        self._session = session

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self._session.request(method, self.url + path, json=body) as answer:
            if answer.content_type == "application/json":
                return answer.status, await answer.json()
            return answer.status, await answer.text()

    async def create(self, pattern: str, params: Any) -> str:
        status, answer = await self.ask("POST", f"/{pattern}", params)
        assert 201 == status, answer
        await self.clock.settle()
        return str(answer["id"])

    async def instance(self, pattern: str, id: str) -> dict[str, Any]:
        await self.clock.settle()
        status, answer = await self.ask("GET", f"/{pattern}/{id}")
        assert 200 == status, answer
        return dict(answer)
