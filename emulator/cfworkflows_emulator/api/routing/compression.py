"""Compressed bodies of requests: some clients send large bodies so."""

import zlib

CODINGS = ("gzip", "x-gzip", "deflate")
LARGEST = 100 * 1024 * 1024
"""How many bytes a body may have when it is decompressed: what the platform takes of a request."""

_GZIP = 16 + zlib.MAX_WBITS


class CompressionError(Exception):
    """A body cannot be decompressed. The text says why."""


def decompressed(data: bytes, content_encoding: str | None) -> bytes:
    """`data` without the codings that the header names, the last one first. Raises CompressionError."""
    codings = [each.strip().lower() for each in (content_encoding or "").split(",")]
    for coding in reversed([each for each in codings if each not in ("", "identity")]):
        if coding not in CODINGS:
            raise CompressionError(f"Content-Encoding: {coding!r} is not understood, only {', '.join(CODINGS)}")
        data = _inflated(data, coding)
    return data


def _inflated(data: bytes, coding: str) -> bytes:
    # `deflate` means the zlib format; some clients send the bare one.
    windows = (zlib.MAX_WBITS, -zlib.MAX_WBITS) if coding == "deflate" else (_GZIP,)
    for window in windows:
        found = bytearray()
        rest = data
        try:
            while rest or not found:
                decoder = zlib.decompressobj(window)
                found += decoder.decompress(rest, LARGEST + 1 - len(found))
                if len(found) > LARGEST:
                    raise CompressionError(f"The body is over {LARGEST // 1024**2} MiB when it is decompressed")
                if not decoder.eof:
                    raise CompressionError(f"The body ends in the middle of its {coding} data")
                rest = decoder.unused_data
                if not rest:
                    return bytes(found)
        except zlib.error as error:
            problem = error
    raise CompressionError(f"The body is not {coding}, as its Content-Encoding says: {problem}")
