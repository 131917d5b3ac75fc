"""The checksums by which S3 clients verify what they store."""

import hashlib
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol


class Checksum(Protocol):
    """Is made of pieces, as those of hashlib."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Crc32:
    """CRC-32, by zlib."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


class Crc:
    """A CRC that the standard library does not have, of a reflected polynomial: some 10 MB/s."""

    def __init__(self, polynomial: int, bits: int) -> None:
        self._table = _table(polynomial)
        self._ones = (1 << bits) - 1
        self._value = self._ones
        self._length = bits // 8

    def update(self, data: bytes, /) -> None:
        table, value = self._table, self._value
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        self._value = value

    def digest(self) -> bytes:
        return (self._value ^ self._ones).to_bytes(self._length, "big")


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    """What each byte makes of nothing."""
    values = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ polynomial if value & 1 else value >> 1
        values.append(value)
    return tuple(values)


CHECKSUMS: Mapping[str, Callable[[], Checksum]] = {
    "crc32": Crc32,
    "crc32c": lambda: Crc(0x82F63B78, 32),
    "crc64nvme": lambda: Crc(0x9A6C9329AC4BC9B5, 64),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}
"""By the names that their headers have."""
