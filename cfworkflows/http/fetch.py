"""`fetch`: one exchange over the network, with its redirects, its timeout and its streams."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Unpack, cast

from cfworkflows.http.client import open_client
from cfworkflows.http.departure import departs
from cfworkflows.http.headers import Headers
from cfworkflows.http.limits import Limits
from cfworkflows.http.request import Request, RequestInit
from cfworkflows.http.response import NULL_BODY_STATUSES, REDIRECT_STATUSES, Response
from cfworkflows.http.streams import ReadableStream
from cfworkflows.http.url import URL, join_url, without_fragment
from cfworkflows.permit import permitted

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from cfworkflows.durations import Duration

MAX_REDIRECTS = 20

# Headers of the connection rather than of the message, or that aiohttp sets itself.
_NOT_FORWARDED = frozenset(
    {"connection", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)

# What was meant for one origin is nothing for another one that it redirects to.
_OF_AN_ORIGIN = frozenset({"authorization", "cookie", "proxy-authorization"})


class FetchInit(RequestInit, total=False):
    """The options of `fetch`: those of `Request`, and `timeout`."""

    timeout: "Duration | None"


async def fetch(
    resource: str | URL | Request,
    init: FetchInit | Request | None = None,
    /,
    **options: Unpack[FetchInit],
) -> Response:
    """Send a request and return the response as soon as its headers are there; the body streams.

    Takes what `Request` takes, and `timeout` (`"30 seconds"`, ms, or a timedelta) for the whole exchange with the
    reading of the body, like `AbortSignal.timeout(ms)` as `signal`. A status such as 404 or 500 is a response, not an
    error. Up to 20 redirects are followed. A compressed body arrives decompressed, without its Content-Encoding and
    Content-Length headers. No cookies are kept, and no proxy settings are read from the environment.

    Raises TypeError for what the platform refuses (`Fetch API cannot load: X`, `Too many redirects.`), ConnectionError
    if the network failed, TimeoutError; both name the URL, and the reading of the body may raise them too. A `signal`
    that is aborted closes the connection; its reason is raised, by default a DOMException called `AbortError`.
    """
    if isinstance(init, Mapping):
        options = {**init, **options}
        init = None
    await permitted("fetch()")
    timeout = options.pop("timeout", None)
    if isinstance(init, Request) and options:
        resource, init = Request(resource, init), None  # keywords replace the options of the other request
    request = Request(resource, init, **cast("RequestInit", options))
    if "websocket" in request.headers.get("upgrade", "").lower():  # type: ignore[union-attr]  # "" is not None
        raise NotImplementedError("A fetch that upgrades to a WebSocket is not supported yet.")
    await departs()
    return await _Exchange(request, timeout).send()


class _Exchange:
    """One fetch, with the redirects it follows."""

    def __init__(self, request: Request, timeout: "Duration | None") -> None:
        self._url = request.url
        self._method = request.method
        self._headers = _outgoing_headers(request)
        self._follow = request.redirect == "follow"
        self._body = request.take_body()
        self._upload: _Upload | None = None
        self._limits = Limits(without_fragment(request.url), timeout, request._signal)

    async def send(self) -> Response:
        try:
            for redirects in range(MAX_REDIRECTS + 1):
                response = await self._limits.wait(self._send_once())
                location = response.headers.get("Location")
                if not self._follow or response.status not in REDIRECT_STATUSES or location is None:
                    return self._finish(response, redirected=redirects > 0)
                response.release()
                self._redirect(response.status, location)
            raise TypeError("Too many redirects.")
        finally:
            if isinstance(self._body, ReadableStream) and not self._body.locked:
                await self._body.cancel()

    async def _send_once(self) -> "ClientResponse":
        from aiohttp import ClientError

        if not self._url.startswith(("http://", "https://")):
            raise TypeError(f"Fetch API cannot load: {self._url}")
        client = await open_client()
        try:
            return await client.request(self._method, without_fragment(self._url), self._headers, self._outgoing_body())
        except (ClientError, OSError, UnicodeError) as error:  # the last for a host name with an empty or long label
            if self._upload is not None and self._upload.error is not None:
                raise self._upload.error from None  # else the caller would see only that the connection broke
            raise _connection_error(self._url, error) from error

    def _outgoing_body(self) -> Any:
        if not isinstance(self._body, ReadableStream):
            return self._body
        self._upload = _Upload(self._url, self._body)
        return self._upload

    def _redirect(self, status: int, location: str) -> None:
        url = join_url(self._url, location)
        if url is None:
            raise TypeError(f"Invalid URL: {location}")
        if (status == 303 and self._method not in ("GET", "HEAD")) or (status in (301, 302) and self._method == "POST"):
            self._method, self._body = "GET", None
            self._headers = [(name, value) for name, value in self._headers if not name.startswith("content-")]
        if _origin(url) != _origin(self._url):
            self._headers = [(name, value) for name, value in self._headers if name not in _OF_AN_ORIGIN]
        self._url = url

    def _finish(self, response: "ClientResponse", *, redirected: bool) -> Response:
        has_body = self._method != "HEAD" and response.status not in NULL_BODY_STATUSES
        headers = [(name.lower(), value) for name, value in response.raw_headers]
        if has_body and "Content-Encoding" in response.headers:
            headers = [pair for pair in headers if pair[0] not in (b"content-encoding", b"content-length")]
        if not has_body:
            response.release()
        return Response.incoming(
            response.status,
            response.reason or "",
            headers,
            ReadableStream(_Incoming(response, self._limits)) if has_body else None,
            url=without_fragment(self._url),
            redirected=redirected,
        )


class _Upload:
    """A request body that is a stream. It goes out once: neither a redirect nor a second connection gets it again."""

    def __init__(self, url: str, stream: ReadableStream) -> None:
        self._url = url
        self._stream = stream
        self.error: Exception | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        if self._stream.disturbed:
            raise TypeError(
                f"{self._url} needs the body of the request again, after a redirect or a broken connection, and a "
                "stream can be sent only once. Send bytes or text instead."
            )
        return self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                yield chunk
        except Exception as error:
            self.error = error
            raise


class _Incoming:
    """The body of a response as it comes in. Left unread, its connection is closed with it."""

    __slots__ = ("__weakref__", "_limits", "_loop", "_response", "known_length")

    def __init__(self, response: "ClientResponse", limits: Limits) -> None:
        import asyncio

        self.known_length = None if "Content-Encoding" in response.headers else response.content_length
        self._loop = asyncio.get_running_loop()
        self._response = response
        self._limits = limits
        limits.when_aborted(self.close)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        from aiohttp import ClientError

        try:
            chunk: bytes = await self._limits.wait(self._response.content.readany())
        except Exception as error:
            self.close()
            if isinstance(error, TimeoutError) or not isinstance(error, (ClientError, OSError)):
                raise
            raise _connection_error(self._limits.url, error, "The body of") from error
        if not chunk:
            self._response.release()
            raise StopAsyncIteration
        return chunk

    def close(self) -> None:
        """Close the connection, if the body has not come in whole."""
        self._response.close()

    async def aclose(self) -> None:
        self.close()

    def __del__(self) -> None:
        if self._response.closed:
            return
        if self._loop.is_closed():
            self._response.close()
        else:  # the collector may run in any thread
            self._loop.call_soon_threadsafe(self._response.close)


def _outgoing_headers(request: Request) -> list[tuple[str, str]]:
    headers = Headers(request.headers)
    for name in _NOT_FORWARDED:
        headers.delete(name)
    if not isinstance(request._body, ReadableStream):
        headers.delete("content-length")
    if "accept-encoding" in headers:
        # What the Worker's own client accepts is not always what can be decompressed here.
        codings = [coding.strip() for coding in headers["accept-encoding"].split(",")]
        readable = [coding for coding in codings if coding.partition(";")[0].lower() in ("gzip", "deflate", "identity")]
        headers.set("accept-encoding", ", ".join(readable) or "identity")
    return headers.items()


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


def _connection_error(url: str, error: Exception, what: str = "The fetch of") -> ConnectionError:
    reason = str(error) or type(error).__name__
    return ConnectionError(f"{what} {without_fragment(url)} failed: {reason}")
