"""aiohttp's side of a connection: how it handles a request that is no HTTP, and a client that goes away."""

import asyncio
import logging
import os
from typing import Any

from aiohttp import web

log = logging.getLogger("cfworkflows.server")

LONGEST_LINE = 32 * 1024  # bytes of a request line: the platform takes 16 KB of URL
LONGEST_HEADER = 128 * 1024


class Connection(web.RequestHandler):
    """One connection. `streaming` is the task that sends a body from a stream: it ends when the client is gone.

    `unread` was received on it before it was handed to this process.
    """

    __slots__ = ("_unread", "streaming")

    def __init__(self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, unread: bytes = b"") -> None:
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
        self._unread = unread  # of a request that is not whole yet, and not answered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._unread:
            super().data_received(self._unread)
            if self._request_count:
                self._unread = b""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_waiting:
            self._unread += data
        elif self._unread:
            self._unread = b""

    @property
    def _is_waiting(self) -> bool:
        """Whether no request is being answered or waits to be."""
        return self._waiter is not None and not self._waiter.done()

    @property
    def handling(self) -> asyncio.Task[None] | None:
        """The task that ends once the last request is handled and the connection closed; None if none is handled.

        A response may be sent while the body of its request still comes. It is read to its end: a connection that is
        closed with something unread takes its last response with it.
        """
        task = self._task_handler
        return None if task is None or task.done() or self._is_waiting else task

    @property
    def is_answering(self) -> bool:
        """Whether its response is not sent to its end yet."""
        return self._current_request is not None

    def close_when_drained(self) -> None:
        """Answer no other request on it."""
        self._close = True

    @property
    def is_kept(self) -> bool:
        """Whether its last response said that the client may send another request."""
        return bool(self._keepalive)

    @property
    def descriptor(self) -> int | None:
        """The open file of the connection; None if it is closed."""
        transport = self.transport
        if transport is None:
            return None
        descriptor: int = transport.get_extra_info("socket").fileno()
        return descriptor if descriptor >= 0 else None

    def give_away(self) -> tuple[int, bytes] | None:
        """A descriptor of the connection, and the part of the next request that was read; None if it is answering.

        The connection stays open, and is not this process's any more.
        """
        transport = self.transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() or not self._is_waiting:
            return None
        descriptor = os.dup(transport.get_extra_info("socket").fileno())
        transport.abort()
        return descriptor, self._unread

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
    """aiohttp's low-level server, with connections of class Connection."""

    def __call__(self, unread: bytes = b"") -> Connection:
        return Connection(self, loop=self._loop, unread=unread)
