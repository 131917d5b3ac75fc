"""A `Response` on the wire of HTTP/1."""

import asyncio
import contextlib
import logging
import re
from http import HTTPStatus
from typing import cast

from aiohttp import web

from cfworkflows.http import ReadableStream, Response
from cfworkflows.http.streams import ReadableStreamReader, length_of
from cfworkflows_emulator.server.connection import Connection
from cfworkflows_emulator.tracebacks import printable_error

log = logging.getLogger("cfworkflows.worker")

REASONS = {status.value: status.phrase for status in HTTPStatus}

# Bodies up to this many bytes are sent together with the headers, larger ones in pieces of it.
PIECE = 128 * 1024

_WITHOUT_BODY = (204, 205, 304)

# Headers of the connection rather than of the message. They come with responses that a Worker fetched and passes on.
# So is the length, which is worked out from the body.
_NOT_SENT = frozenset(
    {"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Outgoing:
    """A response that is ready to be sent: all that can be wrong with it was found.

    Raises TypeError if the body was used, and ValueError for a header that would break the message.
    aiohttp receives it as the response too, which by then is sent: `prepare` and `write_eof` do nothing.
    """

    __slots__ = ("_body", "_chunked", "_head", "_length", "_request", "keep_alive", "reason", "status")

    def __init__(self, request: web.BaseRequest, response: Response, *, keep_alive: bool = True) -> None:
        self.status = response.status
        self.reason = response.status_text or REASONS.get(self.status, "")
        self.keep_alive = keep_alive and request.keep_alive
        self._request = request
        self._chunked = False
        self._length: int | None = None  # of a stream, in bytes that are still to come
        pairs = response.header_pairs()
        if any(name in _NOT_SENT for name, _ in pairs):
            length = next((value for name, value in pairs if name == "content-length"), "")
            pairs = [pair for pair in pairs if pair[0] not in _NOT_SENT]
        else:
            length = ""
        self._body = response.take_body()
        given = int(length) if length.isascii() and length.isdigit() else None
        if given is None and isinstance(self._body, ReadableStream):
            given = length_of(self._body)
        framing = self._framing(given)
        lines = [f"HTTP/1.1 {self.status} {self.reason}"]
        lines += (f"{name}: {value}" for name, value in (*pairs, *framing))
        if _CONTROL.search("\t".join(lines)) is not None:
            raise ValueError(f"A header of the response has a control character: {pairs!r}")
        self._head = "\r\n".join((*lines, "\r\n")).encode()

    def _framing(self, given: int | None) -> list[tuple[str, str]]:
        """The headers that say where the body ends. `given` is the length, where it is known."""
        found: list[tuple[str, str]] = []
        body = self._body
        if self._request.method == "HEAD" or self.status in _WITHOUT_BODY:
            # HEAD says what GET would, 304 what 200 would: the Worker may know it though there is no body here.
            length = len(body) if given is None and isinstance(body, bytes) else given
            if self.status == 205:
                length = 0
            if length is not None and self.status != 204:
                found.append(("content-length", str(length)))
        elif not isinstance(body, ReadableStream):
            found.append(("content-length", str(len(body or b""))))
        elif given is not None:
            self._length = given
            found.append(("content-length", str(given)))
        elif self._request.version >= (1, 1):
            self._chunked = True
            found.append(("transfer-encoding", "chunked"))
        else:
            self.keep_alive = False  # in HTTP/1.0 such a body ends with the connection
        if not self.keep_alive:
            found.append(("connection", "close"))
        elif self._request.version < (1, 1):
            found.append(("connection", "keep-alive"))
        return found

    async def send(self) -> None:
        """Send it. A client that is gone is no error; an error in a stream is logged, and ends the connection."""
        body = self._body
        if isinstance(body, ReadableStream):
            await self._send_stream(body.get_reader())
        elif body is None or self._request.method == "HEAD" or self.status in _WITHOUT_BODY:
            self._write(self._head)
        elif len(body) <= PIECE:
            self._write(self._head + body)
        else:
            self._write(self._head)
            with contextlib.suppress(ConnectionError):  # the client is gone
                await self._send_chunk(body)

    async def prepare(self, request: web.BaseRequest) -> None:
        """Sent already."""

    async def write_eof(self) -> None:
        """Sent already."""

    @property
    def _connected(self) -> bool:
        transport = self._request.transport
        return transport is not None and not transport.is_closing()

    def _write(self, data: bytes | memoryview) -> None:
        transport = self._request.transport
        if transport is not None and not transport.is_closing():
            transport.write(data)

    async def _send_chunk(self, chunk: bytes) -> None:
        """Send `chunk` as fast as the client takes it. Raises ConnectionError when there is no client any more."""
        view = memoryview(chunk)
        for start in range(0, len(view), PIECE):
            piece = view[start : start + PIECE]
            self._write(b"".join((b"%x\r\n" % len(piece), piece, b"\r\n")) if self._chunked else piece)
            await self._request.writer.drain()

    async def _send_stream(self, reader: ReadableStreamReader) -> None:
        connection = cast("Connection", self._request.protocol)
        task = cast("asyncio.Task[None]", asyncio.current_task())
        connection.streaming = task
        try:
            self._write(self._head)
            if self._request.method != "HEAD" and self.status not in _WITHOUT_BODY:
                await self._pump(reader)
        except asyncio.CancelledError as error:
            if not self._connected:
                task.uncancel()
            elif task.cancelling():
                raise
            else:
                self._fail(error)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's stream may raise anything
            if self._connected:
                self._fail(error)
        finally:
            connection.streaming = None
            await self._close(reader)

    async def _pump(self, reader: ReadableStreamReader) -> None:
        while self._connected and (chunk := (await reader.read()).value) is not None:
            if self._length is not None:
                self._length -= len(chunk)
                if self._length < 0:
                    raise RuntimeError("The body of the response is longer than its Content-Length header says.")
            await self._send_chunk(chunk)
        if self._length:
            raise RuntimeError(f"The body of the response is {self._length} bytes shorter than its Content-Length.")
        if self._chunked:
            self._write(b"0\r\n\r\n")

    def _fail(self, error: BaseException) -> None:
        """The headers are on their way, so all that can be done is to let the client see that the body is not whole."""
        log.error("Uncaught error in the body of a response", exc_info=printable_error(error))
        self.keep_alive = False
        cast("Connection", self._request.protocol).force_close()

    async def _close(self, reader: ReadableStreamReader) -> None:
        try:
            await reader.cancel()
        except Exception as error:
            log.error("Uncaught error at the end of the body of a response", exc_info=printable_error(error))
