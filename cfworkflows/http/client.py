"""The HTTP client below `fetch`: connections that are kept open, one set for each event loop."""

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncGenerator

    from aiohttp import ClientResponse, ClientSession


class Client:
    """The connections that `fetch` holds open in one event loop."""

    def __init__(self, session: "ClientSession") -> None:
        self.session = session
        self._responses: WeakSet[ClientResponse] = WeakSet()

    async def request(self, method: str, url: str, headers: list[tuple[str, str]], body: Any) -> "ClientResponse":
        """Send one request. The response has its headers; aiohttp's errors are raised as they are."""
        from yarl import URL

        response = await self.session.request(
            method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
        )
        self._responses.add(response)
        return response

    async def close(self) -> None:
        for response in list(self._responses):
            response.close()
        await self.session.close()


_clients: "WeakKeyDictionary[AbstractEventLoop, tuple[AsyncGenerator[Client, None], Client]]" = WeakKeyDictionary()


async def open_client() -> Client:
    """The client of this event loop, opened at the first call."""
    import asyncio

    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        # A generator holds it open, because a loop closes its generators when it ends, and the client with them.
        keeper = _keep_open()
        client = _clients[loop] = (keeper, await anext(keeper))
    return client[1]


async def close_client() -> None:
    """Close the connections that `fetch` holds open in this event loop, with unread bodies.

    The runtime calls it when it stops. `asyncio.run` does the same by itself when its loop ends.
    """
    import asyncio

    client = _clients.get(asyncio.get_running_loop())
    if client is not None:
        await client[0].aclose()


async def _keep_open() -> "AsyncGenerator[Client, None]":
    import asyncio

    from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

    client = Client(
        ClientSession(
            connector=TCPConnector(limit=0),  # an unread body holds its connection, and must not make others wait
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None, sock_connect=None),
            skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
        )
    )
    try:
        yield client
    finally:
        del _clients[asyncio.get_running_loop()]
        await client.close()
