"""`Response`: what a Worker's fetch handler returns, and what `fetch` returns."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypedDict, Union, Unpack, overload

from cfworkflows.http.body import Body, BodyInit, extract_body
from cfworkflows.http.headers import HeadersInit, RawHeaders
from cfworkflows.http.jsontext import stringify
from cfworkflows.http.streams import ReadableStream
from cfworkflows.http.url import URL, normalise_url

NULL_BODY_STATUSES = (101, 204, 205, 304)
REDIRECT_STATUSES = (301, 302, 303, 307, 308)
_STATUS_TEXT = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TEXT_HEADERS = (("content-type", "text/plain;charset=UTF-8"),)
_JSON_HEADERS = (("content-type", "application/json"),)


class ResponseInit(TypedDict, total=False):
    """The options of `Response`, in TypeScript's names or in Python's."""

    status: int | None
    statusText: str | None
    status_text: str | None
    headers: HeadersInit
    cf: Mapping[str, Any] | None
    encodeBody: str
    encode_body: str
    webSocket: None
    web_socket: None


class _Options(TypedDict, total=False):
    status: int | None
    statusText: str | None
    cf: Mapping[str, Any] | None
    encodeBody: str
    encode_body: str
    webSocket: None
    web_socket: None


class _Build(Protocol):
    def __call__(
        self,
        data: object,
        init: Union[ResponseInit, "Response", int, None] = None,
        status_text: str | None = None,
        headers: HeadersInit = None,
        **options: Unpack[_Options],
    ) -> "Response": ...


class _Json:
    """`Response.json(data)` builds a response, `await response.json()` reads one: JavaScript has both names."""

    @overload
    def __get__(self, instance: None, owner: type["Response"]) -> _Build: ...

    @overload
    def __get__(self, instance: "Response", owner: type["Response"]) -> Callable[[], Coroutine[Any, Any, Any]]: ...

    def __get__(
        self, instance: Union["Response", None], owner: type["Response"]
    ) -> _Build | Callable[[], Coroutine[Any, Any, Any]]:
        return owner._of_json if instance is None else instance._read_json


class Response(Body):
    """An HTTP response.

    The second argument is the options of TypeScript as a dict, a Response to take them from, or the status as an int,
    which may be followed by the status text and the headers; keywords work too. A Response as `body` without options
    is a copy of it that shares its body.

    On the class, `Response.json(data, init)` builds a response whose body is `data` as JSON, by the rules of
    `jsontext.stringify`; on a response, `await response.json()` reads it (`data.id` is `data["id"]`), and raises
    JSONDecodeError (a ValueError) if it is not JSON.

    Raises ValueError for a status out of range and TypeError for anything else that the platform refuses, in its words,
    and NotImplementedError for `webSocket`.
    """

    json = _Json()

    _status = 200
    _status_text: str | None = None
    _url = ""
    _redirected = False
    _type = "default"
    _encode_body = "automatic"
    _cf: Mapping[str, Any] | None = None

    def __init__(
        self,
        body: BodyInit = None,
        init: Union[ResponseInit, "Response", int, None] = None,
        status_text: str | None = None,
        headers: HeadersInit = None,
        **options: Unpack[_Options],
    ) -> None:
        if init is None and status_text is None and headers is None and not options:
            if type(body) is str and body.isascii():  # the hot path of a server
                self._body = body.encode()
                self._raw_headers = _TEXT_HEADERS
                return
            init = body if isinstance(body, Response) else None
        given = _canonical(init, status_text, headers, options)
        self._set_status(given)
        content, content_type = extract_body(body, "Response")
        if content is not None and self._status in NULL_BODY_STATUSES:
            if content != b"":  # the platform lets an empty one pass
                raise TypeError("Response with null body status (101, 204, 205, or 304) cannot have a body.")
            content, content_type = None, None
        self._set_headers(given.get("headers"), content_type)
        self._body = content

    @classmethod
    def incoming(
        cls,
        status: int,
        status_text: str,
        headers: RawHeaders = (),
        body: bytes | ReadableStream | None = None,
        *,
        url: str = "",
        redirected: bool = False,
    ) -> "Response":
        """For `fetch` and the like: a response as it came over the wire, unchecked and with immutable headers."""
        response = cls.__new__(cls)
        response._status = status
        response._status_text = status_text
        response._url = url
        response._redirected = redirected
        response._raw_headers = headers
        response._immutable = True
        response._body = body
        return response

    @classmethod
    def redirect(cls, url: str | URL, status: int = 302) -> "Response":
        """A redirect to `url`, which must be absolute. ValueError if `status` is not 301, 302, 303, 307 or 308."""
        location = normalise_url(str(url))
        if location is None:
            raise TypeError(f"Unable to parse URL: {url}")
        if status not in REDIRECT_STATUSES:
            raise ValueError(f"{status} is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308.")
        return cls.incoming(int(status), "", (("location", location),))

    @classmethod
    def error(cls) -> "Response":
        """A network error: type `"error"`, status 0. A handler may not return it."""
        response = cls.incoming(0, "")
        response._type = "error"
        return response

    @property
    def status(self) -> int:
        return self._status

    @property
    def status_text(self) -> str:
        """The text that was passed; by default `"OK"` for 200 and `""` for others."""
        if self._status_text is None:
            return "OK" if self._status == 200 else ""
        return self._status_text

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self._status <= 299

    @property
    def url(self) -> str:
        """Where a fetched response came from, after redirects and without the fragment; else `""`."""
        return self._url

    @property
    def redirected(self) -> bool:
        """Whether `fetch` followed a redirect."""
        return self._redirected

    @property
    def type(self) -> str:
        """`"default"`, or `"error"` for `Response.error()`."""
        return self._type

    @property
    def cf(self) -> Mapping[str, Any] | None:
        return self._cf

    @property
    def encode_body(self) -> str:
        """`"automatic"`, or `"manual"`: the body is already encoded as its Content-Encoding header says."""
        return self._encode_body

    @property
    def web_socket(self) -> None:
        """None: WebSockets are not supported yet."""
        return None

    def clone(self) -> "Response":
        """A second response whose body can be read too; what one has read and the other has not is kept in memory.

        TypeError if the body was used.
        """
        copy = type(self).__new__(type(self))
        copy._copy_body(self)
        copy._status, copy._status_text, copy._cf = self._status, self._status_text, self._cf
        copy._url, copy._redirected, copy._type = self._url, self._redirected, self._type
        copy._encode_body = self._encode_body
        return copy

    def __repr__(self) -> str:
        return f"Response(status={self._status}{f', url={self._url!r}' if self._url else ''})"

    @classmethod
    def _of_json(
        cls,
        data: object,
        init: Union[ResponseInit, "Response", int, None] = None,
        status_text: str | None = None,
        headers: HeadersInit = None,
        **options: Unpack[_Options],
    ) -> "Response":
        """A response whose body is `data` as JSON, of type `application/json` unless the headers say another."""
        response = cls(stringify(data), init, status_text, headers, **options)
        if response._headers is None:
            response._raw_headers = _JSON_HEADERS
        elif "content-type" not in response._headers:
            response._headers.append("content-type", "application/json")
        return response

    def _set_status(self, given: dict[str, Any]) -> None:
        if given.get("web_socket") is not None:
            raise NotImplementedError("The webSocket option of Response: WebSocket is not supported yet.")
        status = given.get("status")
        if status is not None:
            if isinstance(status, bool) or not isinstance(status, int):
                raise TypeError(f"The status of a Response must be an int, not {status!r}.")
            if not 200 <= status <= 599:
                raise ValueError(
                    "Responses may only be constructed with status codes in the range 200 to 599, inclusive."
                )
            self._status = int(status)
        text = given.get("status_text")
        if text is not None:
            if not isinstance(text, str) or not _STATUS_TEXT.fullmatch(text):
                raise TypeError("Invalid statusText")
            self._status_text = text
        self._encode_body = given.get("encode_body") or "automatic"
        if self._encode_body not in ("automatic", "manual"):
            raise TypeError(f'encodeBody must be "automatic" or "manual", not {self._encode_body!r}.')
        self._cf = given.get("cf")

    statusText = status_text  # noqa: N815 - the platform's name
    webSocket = web_socket  # noqa: N815 - the platform's name
    encodeBody = encode_body  # noqa: N815 - the platform's name


_SNAKE = {"statusText": "status_text", "encodeBody": "encode_body", "webSocket": "web_socket"}
_KNOWN = frozenset({"status", "status_text", "headers", "cf", "encode_body", "web_socket"})


def _canonical(
    init: ResponseInit | Response | int | None,
    status_text: str | None,
    headers: HeadersInit,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """The options from all the places where they may be, under their snake_case names."""
    given: dict[str, Any] = {}
    if isinstance(init, Response):
        given = {"status": init.status, "status_text": init._status_text, "headers": init.headers, "cf": init.cf}
        given["encode_body"] = init.encode_body
    elif isinstance(init, Mapping):
        given = {_SNAKE.get(name, name): value for name, value in init.items()}
    elif isinstance(init, int):
        given["status"] = init
    elif init is not None:
        raise TypeError(f"The options of a Response are a dict, a Response, or the status as an int, not {init!r}.")
    given.update((_SNAKE.get(name, name), value) for name, value in options.items())
    if status_text is not None:
        given["status_text"] = status_text
    if headers is not None:
        given["headers"] = headers
    unknown = given.keys() - _KNOWN
    if unknown:
        name = min(unknown)
        raise TypeError(f"Response does not support the option {name!r}. It takes {', '.join(sorted(_KNOWN))}.")
    return given
