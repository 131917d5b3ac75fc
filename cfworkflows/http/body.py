"""What `Request` and `Response` share: a body that is read once: as text, JSON, bytes, a form or a stream."""

import json
from collections.abc import AsyncIterable, Iterable, Mapping, Set
from typing import Any, Union

from cfworkflows.http.blob import Blob
from cfworkflows.http.forms import FormData, URLSearchParams
from cfworkflows.http.headers import Headers, RawHeaders
from cfworkflows.http.multipart import encode_form, parse_form
from cfworkflows.http.streams import DISTURBED, LOCKED, ReadableStream, to_bytes
from cfworkflows.values.jsdict import JsDict

Bytes = bytes  # inside the class, `bytes` is the method

BodyInit = Union[
    str,
    bytes,
    bytearray,
    memoryview,
    FormData,
    URLSearchParams,
    Blob,
    ReadableStream,
    "Body",
    Iterable[bytes],
    Iterable[str],
    AsyncIterable[bytes],
    AsyncIterable[str],
    None,
]
"""What can be sent. A dict cannot: `Response.json(...)`, or `json.dumps(...)` for a request."""

USED = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice."


class Body:
    """What a Request and a Response have in common: headers, and a body that is read once.

    A body that is in memory stays bytes; it becomes a stream only when `body` is read.
    """

    _body: bytes | ReadableStream | None = None
    _used = False
    _headers: Headers | None = None
    _raw_headers: RawHeaders = ()
    _immutable = False

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            self._headers = Headers.from_raw(self._raw_headers, immutable=self._immutable)
        return self._headers

    @property
    def body(self) -> ReadableStream | None:
        """The body as a stream, or None if there is none."""
        if isinstance(self._body, bytes):
            stream = ReadableStream(self._body)
            if self._used:
                stream._take_whole()
            self._body = stream
        return self._body

    @property
    def body_used(self) -> bool:
        """Whether the body was read, wholly or in part."""
        return self._body.disturbed if isinstance(self._body, ReadableStream) else self._used

    async def text(self) -> str:
        """The body as text: UTF-8 without its byte order mark, with U+FFFD where it is not UTF-8."""
        return (await self._read()).decode("utf-8", "replace").removeprefix("\ufeff")

    async def bytes(self) -> Bytes:
        return await self._read()

    async def array_buffer(self) -> Bytes:
        """The same as `bytes()`: Python's form of an ArrayBuffer."""
        return await self._read()

    async def blob(self) -> Blob:
        """The body as a Blob of the type that the Content-Type header says."""
        return Blob(await self._read(), type=self.headers.get("content-type"))

    async def form_data(self) -> FormData:
        """The form in a multipart or urlencoded body. TypeError if the Content-Type or the body is of another kind."""
        return await parse_form(await self._read(), self.headers.get("content-type"))

    def take_body(self) -> Bytes | ReadableStream | None:
        """For the server: the body for sending it, which counts as reading it.

        Bytes if the whole body is in memory, None if there is none, else a stream that the caller now owns, to be read
        to its end or cancelled. TypeError if the body was used.
        """
        body = self._body
        if isinstance(body, bytes):
            if self._used:
                raise TypeError(USED)
            self._used = True
            return body
        if body is None:
            return None
        check_unused(body, USED)
        return body._transfer() if body._whole is None else body._take_whole()

    def header_pairs(self) -> list[tuple[str, str]]:
        """For the server: names (in lower case) and values for the wire, each Set-Cookie on its own."""
        return self.headers.items()

    async def _read(self) -> Bytes:
        body = self._body
        if isinstance(body, ReadableStream):
            check_unused(body, USED)
            return await body._read_all()
        return self.take_body() or b""  # type: ignore[return-value]  # not a stream, so not a stream

    async def _read_json(self) -> Any:
        """The body parsed as JSON, its objects as JsDict. JSONDecodeError says whose body it is, and what is wrong."""
        text = await self.text()
        if not text.strip():
            raise json.JSONDecodeError(f"The body of {self!r} is empty, which is not JSON", text, 0)
        try:
            return _parse_json(text)
        except json.JSONDecodeError as error:
            raise json.JSONDecodeError(f"The body of {self!r} is not JSON: {error.msg}", text, error.pos) from None
        except _NotJSON as error:
            message = f"The body of {self!r} is not JSON: it has {error}"
            raise json.JSONDecodeError(message, text, text.find(str(error))) from None

    def _set_headers(self, headers: Any, content_type: str | None) -> None:
        if headers is None:
            self._raw_headers = (("content-type", content_type),) if content_type else ()
            return
        self._headers = Headers(headers)
        if content_type is not None and "content-type" not in self._headers:
            self._headers.append("content-type", content_type)

    def _copy_body(self, source: "Body") -> None:
        """Make this a clone of `source`, each with a body of its own to read."""
        if source.body_used:
            raise TypeError(USED)
        body = source._body
        if isinstance(body, ReadableStream):
            source._body, self._body = body.tee()
        else:
            self._body = body
        self._raw_headers, self._immutable = source._raw_headers, source._immutable
        if source._headers is not None:
            self._headers = Headers(source._headers)
            self._headers._immutable = source._immutable

    bodyUsed = body_used  # noqa: N815 - the platform's name
    arrayBuffer = array_buffer  # noqa: N815 - the platform's name
    formData = form_data  # noqa: N815 - the platform's name


def extract_body(body: object, what: str) -> tuple[bytes | ReadableStream | None, str | None]:
    """The body to send, and the content type it asks for. `what` is the class to name in the TypeError."""
    if isinstance(body, str):
        return to_bytes(body), "text/plain;charset=UTF-8"
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body), None
    if body is None:
        return None, None
    if isinstance(body, ReadableStream):
        body = body._as_body()
        check_unused(body, DISTURBED)
        return body, None
    if isinstance(body, FormData):
        return encode_form(body)
    if isinstance(body, URLSearchParams):
        return body.to_string().encode(), "application/x-www-form-urlencoded;charset=UTF-8"
    if isinstance(body, Blob):
        return body._content, body.type or None
    if isinstance(body, Body):
        if body.body is not None:
            check_unused(body.body, DISTURBED)
        return body.body, body.headers.get("content-type")
    if _is_data(body) or not isinstance(body, (AsyncIterable, Iterable)):
        raise TypeError(f"Unsupported type in {what}: {type(body).__name__}{_hint(body, what)}")
    return ReadableStream(body), None


def check_unused(stream: ReadableStream, message: str) -> None:
    if stream.disturbed:
        raise TypeError(message)
    if stream.locked:
        raise TypeError(LOCKED)


def _is_data(body: object) -> bool:
    """Iterable, yet data rather than a stream of chunks: a pydantic model iterates over its fields."""
    return isinstance(body, (Mapping, Set)) or hasattr(body, "model_dump")


def _hint(body: object, what: str) -> str:
    if not _is_data(body):
        return ""
    return ". Use Response.json(...) to send it as JSON." if what == "Response" else ". Use json.dumps(...) first."


class _NotJSON(ValueError):
    pass


def _refuse_constant(name: str) -> None:
    raise _NotJSON(name)


_parse_json = json.JSONDecoder(object_hook=JsDict, parse_constant=_refuse_constant).decode
