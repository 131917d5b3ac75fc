"""Forms as bodies: written as multipart, read from multipart and urlencoded text."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfworkflows.http.blob import File
from cfworkflows.http.forms import FormData, parse_urlencoded

if TYPE_CHECKING:
    from aiohttp import MultipartReader

NO_CONTENT_TYPE = "Parsing a Body as FormData requires a Content-Type header."
UNKNOWN_CONTENT_TYPE = (
    "Unrecognized Content-Type header value. FormData can only parse the following MIME types: "
    "multipart/form-data, application/x-www-form-urlencoded"
)


def encode_form(form: FormData) -> tuple[bytes, str]:
    """The form as a multipart body, and the content type that names its boundary."""
    boundary = os.urandom(16).hex()
    return b"".join(_parts(form, boundary)), f"multipart/form-data; boundary={boundary}"


async def parse_form(body: bytes, content_type: str | None) -> FormData:
    """The form in a multipart or urlencoded body; TypeError for any other body, and for a truncated one."""
    if content_type is None:
        raise TypeError(NO_CONTENT_TYPE)
    essence = content_type.partition(";")[0].strip().lower()
    if essence == "application/x-www-form-urlencoded":
        return FormData(parse_urlencoded(body.decode("utf-8", "replace")))
    if essence != "multipart/form-data":
        raise TypeError(UNKNOWN_CONTENT_TYPE)
    from aiohttp.http_exceptions import BadHttpMessage

    try:
        return await _read_parts(_reader(body, content_type))
    except (ValueError, BadHttpMessage) as error:
        raise TypeError(f"The body is not well-formed multipart/form-data: {error}") from error


def _reader(body: bytes, content_type: str) -> "MultipartReader":
    import asyncio

    from aiohttp import MultipartReader, StreamReader
    from aiohttp.base_protocol import BaseProtocol

    loop = asyncio.get_running_loop()
    content = StreamReader(BaseProtocol(loop), limit=2**16, loop=loop)
    content.feed_data(body)
    content.feed_eof()
    return MultipartReader({"Content-Type": content_type}, content)


async def _read_parts(reader: "MultipartReader") -> FormData:
    from aiohttp import BodyPartReader

    form = FormData()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise ValueError("a part is itself multipart")
        if part.name is None:
            raise ValueError("a part has no name")
        content = bytes(await part.read())
        name = _unescape(part.name)
        if part.filename is None:
            form.append(name, content.decode("utf-8", "replace"))
        else:
            kind = part.headers.get("Content-Type", "text/plain")
            form.append(name, File(content, _unescape(part.filename), type=kind))
    return form


def _parts(form: FormData, boundary: str) -> Iterator[bytes]:
    for name, value in form.items():
        yield f'--{boundary}\r\nContent-Disposition: form-data; name="{_escape(_crlf(name))}"'.encode(
            "utf-8", "replace"
        )
        if isinstance(value, File):
            kind = value.type or "application/octet-stream"
            yield f'; filename="{_escape(value.name)}"\r\nContent-Type: {kind}\r\n\r\n'.encode("utf-8", "replace")
            yield value._content
        else:
            yield f"\r\n\r\n{_crlf(value)}".encode("utf-8", "replace")
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def _escape(name: str) -> str:
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _unescape(name: str) -> str:
    return name.replace("%0D", "\r").replace("%0A", "\n").replace("%22", '"')
