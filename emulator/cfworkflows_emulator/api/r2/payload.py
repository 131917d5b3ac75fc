"""The body of a request of an S3 client: plain, or in chunks (aws-chunked), signed or not, with its checksums."""

import base64
import binascii
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

from cfworkflows.http import ReadableStream, Request
from cfworkflows_emulator.api.r2.checksums import CHECKSUMS
from cfworkflows_emulator.api.r2.refusals import S3Error
from cfworkflows_emulator.api.r2.signature import UNSIGNED, Signed

LARGEST_CHUNK = 64 * 1024 * 1024
_LONGEST_LINE = 16 * 1024
_STREAMING = "STREAMING-"
_SIZE = re.compile(r"[0-9a-fA-F]{1,16}")
_CHECKSUM = "x-amz-checksum-"
# Headers about checksums that are none.
_ABOUT = {"algorithm", "mode", "type"}


class Payload:
    """The bytes that are to be stored. Raises S3Error while it is read, if they are not what was signed."""

    def __init__(self, request: Request, signed: Signed) -> None:
        headers = request.headers
        self._stream = request.body
        self._signed = signed
        self._hash = signed.payload
        is_chunked = self._hash.startswith(_STREAMING) or "aws-chunked" in (headers.get("content-encoding") or "")
        self._is_chunked = is_chunked
        length = headers.get("x-amz-decoded-content-length") if is_chunked else headers.get("content-length")
        if length is None and self._stream is None:
            length = "0"
        if length is None or not length.isdigit():
            raise S3Error(411, "MissingContentLength", "The length of the body is needed.")
        self.known_length = int(length)
        self._wanted = {
            name.removeprefix(_CHECKSUM): value for name, value in headers.items() if name.startswith(_CHECKSUM)
        }
        for name in _ABOUT:
            self._wanted.pop(name, None)
        trailers = [name.strip().lower() for name in (headers.get("x-amz-trailer") or "").split(",")]
        asked = {*self._wanted, *(name.removeprefix(_CHECKSUM) for name in trailers if name.startswith(_CHECKSUM))}
        unknown = sorted(asked - CHECKSUMS.keys())
        if unknown:
            known = ", ".join(CHECKSUMS)
            raise S3Error(501, "NotImplemented", f"{_CHECKSUM}{unknown[0]} is not supported; these are: {known}.")
        self._sums: dict[str, Any] = {name: CHECKSUMS[name]() for name in asked}

    def stream(self) -> ReadableStream:
        """It, as a bucket takes it."""
        return ReadableStream(self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self._decoded() if self._is_chunked else self._plain()
        async for chunk in chunks:
            for each in self._sums.values():
                each.update(chunk)
            yield chunk
        for name, value in self._wanted.items():
            made = base64.b64encode(self._sums[name].digest()).decode()
            if made != value:
                text = f"The {name.upper()} you specified did not match the calculated checksum: {value}, {made}."
                raise S3Error(400, "BadDigest", text)

    async def _plain(self) -> AsyncIterator[bytes]:
        whole = hashlib.sha256() if self._hash != UNSIGNED else None
        if self._stream is not None:
            async for chunk in self._stream:
                if whole is not None:
                    whole.update(chunk)
                yield chunk
        if whole is not None and whole.hexdigest() != self._hash:
            text = "The provided 'x-amz-content-sha256' header does not match what was computed."
            more = {"ClientComputedContentSHA256": self._hash, "S3ComputedContentSHA256": whole.hexdigest()}
            raise S3Error(400, "XAmzContentSHA256Mismatch", text, more)

    async def _decoded(self) -> AsyncIterator[bytes]:
        """The data of the chunks: `SIZE[;chunk-signature=…]`, the bytes, and at the end trailers."""
        reader = _Reader(self._stream)
        previous = self._signed.signature
        is_signed = "AWS4-HMAC" in self._hash
        while True:
            head, _, extension = (await reader.line()).partition(";")
            if not _SIZE.fullmatch(head):
                raise S3Error(400, "InvalidRequest", f"A chunk begins with its size, and not {head[:40]!r}.")
            size = int(head, 16)
            if is_signed:
                if size > LARGEST_CHUNK:
                    raise S3Error(400, "InvalidChunkSizeError", f"A chunk has {LARGEST_CHUNK} bytes at most.")
                data = await reader.exactly(size)
                given = extension.strip().removeprefix("chunk-signature=")
                made = self._signed.of_chunk(previous, hashlib.sha256(data).hexdigest())
                if made != given:
                    raise S3Error(403, "SignatureDoesNotMatch", "The signature of a chunk does not match its bytes.")
                previous = given
                if data:
                    yield data
            else:
                async for piece in reader.pieces(size):
                    yield piece
            if size == 0:
                break
            if await reader.line():
                raise S3Error(400, "InvalidRequest", "A chunk is longer than it says.")
        while line := await reader.line(may_end=True):
            name, _, value = line.partition(":")
            checksum = name.strip().lower().removeprefix("x-amz-checksum-")
            if checksum in self._sums:
                self._wanted[checksum] = value.strip()


class _Reader:
    """Lines and bytes of a stream."""

    def __init__(self, stream: ReadableStream | None) -> None:
        self._chunks = aiter(stream) if stream is not None else None
        self._buffer = b""

    async def line(self, *, may_end: bool = False) -> str:
        """Without its end. Raises S3Error if there is none."""
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_LINE or not await self._more():
                if may_end and not self._buffer:
                    return ""
                raise S3Error(400, "IncompleteBody", "The body ends in the middle of a chunk.")
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode("latin-1")

    async def pieces(self, size: int) -> AsyncIterator[bytes]:
        """The next `size` bytes, as they come."""
        while size:
            if not self._buffer and not await self._more():
                raise S3Error(400, "IncompleteBody", "The body ends in the middle of a chunk.")
            piece, self._buffer = self._buffer[:size], self._buffer[size:]
            size -= len(piece)
            yield piece

    async def exactly(self, size: int) -> bytes:
        return b"".join([piece async for piece in self.pieces(size)])

    async def _more(self) -> bool:
        chunk = await anext(self._chunks, b"") if self._chunks is not None else b""
        self._buffer += chunk
        return bool(chunk)


async def document(request: Request, signed: Signed, longest: int) -> bytes | None:
    """A body that is read at once; None if it is longer than that. Raises S3Error if it is not what was signed."""
    found = bytearray()
    async for chunk in Payload(request, signed):
        found += chunk
        if len(found) > longest:
            return None
    data = bytes(found)
    wanted = content_md5(request)
    if wanted is not None and hashlib.md5(data, usedforsecurity=False).hexdigest() != wanted:
        raise S3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
    return data


def content_md5(request: Request) -> str | None:
    """The Content-MD5 of a request, in hexadecimal. Raises S3Error for what is none."""
    value = request.headers.get("content-md5")
    if value is None:
        return None
    try:
        data = base64.b64decode(value, validate=True)
    except binascii.Error:
        data = b""
    if len(data) != 16:
        raise S3Error(400, "InvalidDigest", "The Content-MD5 you specified is not valid.")
    return data.hex()
