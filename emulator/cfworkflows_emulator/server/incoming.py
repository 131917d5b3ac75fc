"""Makes the `Request` that a Worker gets of a request that aiohttp read."""

import functools
import re
from collections.abc import AsyncIterator, Iterator

from aiohttp import web
from multidict import CIMultiDictProxy

from cfworkflows.http import Request
from cfworkflows.http.url import normalise_url
from cfworkflows_emulator.server.cf import IncomingCf

# What a Worker reads on the platform, whatever the client accepts.
ACCEPT_ENCODING = b"br, gzip"

# A path and a query that are in their normal form: no segment starts with a dot, nothing is to be escaped.
_PLAIN_TARGET = re.compile(r"(?:/(?!\.)[A-Za-z0-9_~!$&()*+,;=:@.\-]*)+(?:\?[A-Za-z0-9_~!$&()*+,;=:@/?.%\-]*)?")
_NOT_IN_HOST = re.compile(r"[\s/\\?#@]")  # they would move the end of the host in the URL


class BadRequestError(Exception):
    """The request is HTTP, but cannot be made a Request of. The text is for the client."""


class ClientDisconnectedError(ConnectionResetError):
    """The client went away before it had sent the whole body."""


def incoming_request(request: web.BaseRequest) -> Request:
    """The Request. Its body is read from the connection only as fast as the Worker reads it."""
    headers = request.headers
    target = request.raw_path
    host = headers.get("Host", "localhost")  # HTTP/1.0 does without
    origin = _origin(host)
    if origin is not None and _PLAIN_TARGET.fullmatch(target) is not None:
        url: str | None = origin + target
    else:
        url = origin and normalise_url(_absolute(target, origin))
    if url is None:
        raise BadRequestError(f"Invalid Host header or request target: {host!r}, {target!r}")
    return Request.incoming(
        request.method,
        url,
        IncomingHeaders(headers, request.raw_headers, request.remote),
        _body(request),
        IncomingCf(headers.get("Accept-Encoding", "")),
    )


@functools.lru_cache(maxsize=64)
def _origin(host: str) -> str | None:
    """`http://host` in its normal form, or None if `host` is no host."""
    if _NOT_IN_HOST.search(host) is not None:
        return None
    url = normalise_url(f"http://{host}/")
    return url and url.removesuffix("/")


def _absolute(target: str, origin: str) -> str:
    """The URL of a target: a path, an absolute URL as proxies are sent it, or the `*` of OPTIONS."""
    if target.startswith("/"):
        return origin + target
    return target if "://" in target else f"{origin}/{target}"


class IncomingHeaders:
    """The header pairs, with what the platform changes in them, worked out when they are asked for."""

    __slots__ = ("_headers", "_raw", "_remote")

    def __init__(
        self, headers: CIMultiDictProxy[str], raw: tuple[tuple[bytes, bytes], ...], remote: str | None
    ) -> None:
        self._headers = headers
        self._raw = raw
        self._remote = remote

    def __iter__(self) -> Iterator[tuple[str | bytes, str | bytes]]:
        for name, value in self._raw:
            if name.lower() != b"accept-encoding":
                yield name, value
        yield b"accept-encoding", ACCEPT_ENCODING
        if "CF-Connecting-IP" not in self._headers and self._remote is not None:
            yield "cf-connecting-ip", self._remote


def _body(request: web.BaseRequest) -> "IncomingBody | bytes | None":
    headers = request.headers
    content = request.content
    if "Transfer-Encoding" not in headers and "Content-Length" not in headers:
        return None
    if content.is_eof() and content.exception() is None:  # a small one, which came with its headers
        whole = content.read_nowait(-1)
        return None if not whole and request.method in ("GET", "HEAD") else whole
    return IncomingBody(request)


class IncomingBody:
    """The chunks of a body as they arrive. What is not read stays with the client: the connection buffers little."""

    __slots__ = ("_expects_continue", "_request", "known_length")

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self.known_length = request.content_length
        self._expects_continue = request.headers.get("Expect", "").lower() == "100-continue"

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._expects_continue:
            self._expects_continue = False
            if (transport := self._request.transport) is not None:
                transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            chunk = await self._request.content.readany()
        except ConnectionError as error:
            raise ClientDisconnectedError(
                f"The client went away before it had sent the whole body of {self._request.method} "
                f"{self._request.raw_path}."
            ) from error
        except web.PayloadAccessError as error:
            raise RuntimeError(
                "The body of the request can no longer be read: the response has been sent. Read it before."
            ) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk
