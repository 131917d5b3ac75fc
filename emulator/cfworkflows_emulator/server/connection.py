"""aiohttp's side of a connection: what becomes of a request that is no HTTP, and of a client that goes away."""

import asyncio
import logging
from typing import Any

from aiohttp import web

log = logging.getLogger("cfworkflows.server")

LONGEST_LINE = 32 * 1024  # bytes of a request line: the platform takes 16 KB of URL
LONGEST_HEADER = 128 * 1024


class Connection(web.RequestHandler):
    """One connection. `streaming` is the task that sends a body from a stream: it ends when the client is gone."""

    __slots__ = ("streaming",)

    def __init__(self, manager: web.Server, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            manager,
            loop=loop,
            logger=log,
            access_log=None,  # type: ignore[arg-type]  # None switches it off, and aiohttp's own code says so
            auto_decompress=False,  # a Worker gets the body as it was sent
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_HEADER,
        )
        self.streaming: asyncio.Task[Any] | None = None

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        if self.streaming is not None:
            self.streaming.cancel()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status != 400:
            return super().handle_error(request, status, exc, message)
        log.debug("A request that is not HTTP: %s", message)
        response = web.Response(status=400, text=f"Bad Request: {message}\n")
        response.force_close()
        return response


class ConnectionFactory(web.Server):
    """aiohttp's low-level server, with our connections."""

    def __call__(self) -> Connection:
        return Connection(self, loop=self._loop)
