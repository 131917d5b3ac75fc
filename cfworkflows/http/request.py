"""`Request`: what a Worker's fetch handler receives, and what `fetch` sends."""

from collections.abc import AsyncIterable, Mapping
from typing import Any, TypedDict, Union, Unpack

from cfworkflows.http.abort import AbortSignal, open_signal
from cfworkflows.http.body import Body, BodyInit, check_unused, extract_body
from cfworkflows.http.headers import HeadersInit, RawHeaders
from cfworkflows.http.streams import ReadableStream
from cfworkflows.http.url import URL, normalise_url
from cfworkflows.values.jsdict import JsDict

METHODS = frozenset(
    "GET HEAD POST PUT DELETE PATCH PURGE OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK ACL "  # noqa: SIM905 - one a line would bury the rest
    "REPORT MKACTIVITY CHECKOUT MERGE MSEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE".split()
)
RECONSTRUCTED = "Cannot reconstruct a Request with a used body."


class RequestInit(TypedDict, total=False):
    """The options of `Request` and `fetch`. The last three have no effect here; see `Request`."""

    method: str
    headers: HeadersInit
    body: BodyInit
    redirect: str
    cf: Mapping[str, Any] | None
    signal: AbortSignal | None
    cache: str
    duplex: str
    integrity: str


class Request(Body):
    """An HTTP request.

    The first argument is an absolute URL or a Request, whose body then moves to the new one; the second the options of
    TypeScript as a dict, or a Request to take them from; keywords work too. `headers` and `body` as in `Headers` and
    `BodyInit`; `redirect` is `"follow"` (default) or `"manual"`; `cf` any mapping; `signal` aborts its `fetch`.

    TypeError for what the platform refuses, in its words, and for an unknown option. There is no cache, so
    `cache` may be `"no-store"`, `"no-cache"` or `"reload"` and changes nothing; nor does `duplex="half"`.
    """

    _method = "GET"
    _url = ""
    _redirect = "follow"
    _cache: str | None = None
    _cf: Mapping[str, Any] | None = None
    _signal: AbortSignal | None = None

    def __init__(
        self,
        resource: Union[str, URL, "Request"],
        init: Union[RequestInit, "Request", None] = None,
        /,
        **options: Unpack[RequestInit],
    ) -> None:
        headers: HeadersInit = None
        inherited: bytes | ReadableStream | None = None
        given = dict(options)
        for source in (resource, init):
            if isinstance(source, Request):
                self._method, self._redirect, self._cf = source._method, source._redirect, source._cf
                self._cache, self._signal, headers = source._cache, source._signal, source.headers
        if isinstance(resource, Request):
            self._url = resource._url
        else:
            self._url = _parse_url(resource)
        if isinstance(init, Mapping):
            given = {**init, **given}
        elif init is not None and not isinstance(init, Request):
            raise TypeError(f"The options of a Request are a dict, or a Request, not {init!r}.")
        body, content_type = extract_body(given.pop("body", None), "Request")
        if (own := given.pop("headers", None)) is not None:
            headers = own  # type: ignore[assignment]  # a TypedDict forgets its types in dict()
        self._take_options(given)
        owner = init if isinstance(init, Request) and init._body is not None else resource
        if body is None and isinstance(owner, Request) and owner._body is not None:
            if owner.body_used:
                raise TypeError(RECONSTRUCTED)
            inherited = owner._body
        if self._method in ("GET", "HEAD") and not (body is None and inherited is None):
            raise TypeError("Request with a GET or HEAD method cannot have a body.")
        self._set_headers(headers, content_type)
        if isinstance(owner, Request) and inherited is not None:
            if isinstance(inherited, ReadableStream):
                check_unused(inherited, RECONSTRUCTED)
            body = owner.take_body()
        self._body = body

    @classmethod
    def incoming(
        cls,
        method: str,
        url: str,
        headers: RawHeaders = (),
        body: AsyncIterable[bytes] | bytes | None = None,
        cf: Mapping[str, Any] | None = None,
    ) -> "Request":
        """For the server: a request as it came over the wire.

        Nothing is checked, the headers are immutable, and `redirect` is `"manual"`, as on the platform. `url` is
        absolute; `headers` are pairs, each name as often as it came, decoded when they are first read; `body` is
        None if there is none, else bytes or an async iterator that is read only as fast as the Worker reads.
        """
        request = cls.__new__(cls)
        request._method = method
        request._url = url
        request._redirect = "manual"
        request._cf = cf
        request._raw_headers = headers
        request._immutable = True
        request._body = body if body is None or isinstance(body, bytes) else ReadableStream(body)
        return request

    @property
    def method(self) -> str:
        """In upper case."""
        return self._method

    @property
    def url(self) -> str:
        """The absolute URL in its normal form."""
        return self._url

    @property
    def redirect(self) -> str:
        """`"follow"` or `"manual"`."""
        return self._redirect

    @property
    def cf(self) -> JsDict | None:
        """The platform's facts about the request, or None: `request.cf.country` and `request.cf["country"]`."""
        if self._cf is not None and not isinstance(self._cf, JsDict):
            self._cf = _js_dict(self._cf)
        return self._cf

    @property
    def signal(self) -> AbortSignal:
        """Aborts the `fetch` of this request; a signal that is never aborted if none was passed."""
        if self._signal is None:
            self._signal = open_signal()
        return self._signal

    @property
    def cache(self) -> str | None:
        return self._cache

    async def json(self) -> Any:
        """The body parsed as JSON, where `data.id` is `data["id"]`. JSONDecodeError, a ValueError, if it is not."""
        return await self._read_json()

    def clone(self) -> "Request":
        """A second request whose body can be read too; what one has read and the other has not is kept in memory.

        TypeError if the body was used.
        """
        copy = type(self).__new__(type(self))
        copy._copy_body(self)
        copy._method, copy._url, copy._redirect = self._method, self._url, self._redirect
        copy._cf, copy._cache, copy._signal = self._cf, self._cache, self._signal
        return copy

    def __repr__(self) -> str:
        return f"Request(method={self._method!r}, url={self._url!r})"

    def _take_options(self, given: dict[str, Any]) -> None:
        if (method := given.pop("method", None)) is not None:
            self._method = _parse_method(method)
        if (redirect := given.pop("redirect", None)) is not None:
            self._redirect = _parse_redirect(redirect)
        if "cf" in given:
            self._cf = given.pop("cf")
        if (cache := given.pop("cache", None)) is not None:
            if cache not in ("no-store", "no-cache", "reload"):
                raise TypeError(f"Unsupported cache mode: {cache}")
            self._cache = cache
        if "signal" in given:
            self._signal = _parse_signal(given.pop("signal"))
        if given.pop("integrity", None):
            raise NotImplementedError("The integrity option of Request is not supported yet.")
        if given.pop("duplex", None) not in (None, "half"):
            raise TypeError('The duplex option of Request can only be "half".')
        if given:
            known = ", ".join(sorted(RequestInit.__annotations__))
            raise TypeError(f"Request does not support the option {next(iter(given))!r}. It takes {known}.")


def _js_dict(facts: Mapping[str, Any]) -> JsDict:
    return JsDict((name, _js_dict(value) if type(value) is dict else value) for name, value in facts.items())


def _parse_url(resource: object) -> str:
    url = normalise_url(str(resource))
    if url is None:
        raise TypeError(f"Invalid URL: {resource}")
    return url


def _parse_signal(signal: object) -> AbortSignal | None:
    if signal is None or isinstance(signal, AbortSignal):
        return signal
    raise TypeError(f"The signal option is an AbortSignal, such as AbortController().signal, not {signal!r}.")


def _parse_method(method: object) -> str:
    name = str(method).upper()
    if name not in METHODS:
        raise TypeError(f"Invalid HTTP method string: {method}")
    return name


def _parse_redirect(redirect: object) -> str:
    if redirect not in ("follow", "manual"):
        raise TypeError(
            'Invalid redirect value, must be one of "follow" or "manual" ("error" is not supported: use "manual" and '
            f"check the status of the response). It is {redirect!r}."
        )
    return str(redirect)
