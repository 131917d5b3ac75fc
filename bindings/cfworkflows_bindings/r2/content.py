"""What is stored: the values that `put` and `upload_part` take, and the checksums that they are verified by."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

from cfworkflows.http import Blob, ReadableStream
from cfworkflows.http.body import check_unused
from cfworkflows.http.streams import DISTURBED, length_of
from cfworkflows_bindings.r2.codes import BAD_DIGEST, refusal
from cfworkflows_bindings.r2.store import Written

UNKNOWN_LENGTH = (
    "Provided readable stream must have a known length (request/response body or readable half of FixedLengthStream)"
)

# By the names of their options: the platform's name, and the length in bytes.
ALGORITHMS = {
    "md5": ("MD5", 16),
    "sha1": ("SHA-1", 20),
    "sha256": ("SHA-256", 32),
    "sha384": ("SHA-384", 48),
    "sha512": ("SHA-512", 64),
}


class Source(NamedTuple):
    """A value to store: bytes, or chunks that give so many bytes."""

    length: int
    content: "bytes | AsyncIterator[bytes]"


def source_of(value: object, method: str, of: str) -> Source:
    """A value as a store takes it. Raises TypeError for what cannot be stored."""
    if value is None:
        return Source(0, b"")
    if isinstance(value, str):
        data = value.encode("utf-8", "replace")
        return Source(len(data), data)
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        return Source(len(data), data)
    if isinstance(value, Blob):
        return Source(value.size, value._content)
    if isinstance(value, ReadableStream):
        value = value._as_body()
        check_unused(value, DISTURBED)
        length = length_of(value)
        if length is None:
            raise TypeError(UNKNOWN_LENGTH)
        if value._whole is not None:
            return Source(length, value._take_whole())
        return Source(length, _measured(aiter(value), length))
    raise TypeError(
        f"Failed to execute '{method}' on '{of}': parameter 2 is not of type "
        "'JsReadableStream or ArrayBuffer or ArrayBufferView or string or Blob'."
    )


async def _measured(chunks: AsyncIterator[bytes], length: int) -> AsyncIterator[bytes]:
    """The chunks. Raises TypeError if they are not of that length in all: what is stored is never half of it."""
    left = length
    async for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            break
        yield chunk
    if left:
        raise TypeError(f"The stream gave {'more' if left < 0 else 'fewer'} bytes than the {length} that it has.")


class Digest(NamedTuple):
    """A checksum that the content must have; `algorithm` is the name of the option."""

    algorithm: str
    value: str

    def verify(self, written: Written, action: str = "put") -> None:
        """Raises R2Error (10037) if the content has another one."""
        actual = written.digests[self.algorithm]
        if actual != self.value:
            name = ALGORITHMS[self.algorithm][0]
            message = (
                f"The {name} checksum you specified did not match what we received.\n"
                f"You provided a {name} checksum with value: {self.value}\nActual {name} was: {actual}"
            )
            raise refusal(action, BAD_DIGEST, message=message)


def digest_of(given: Mapping[str, Any]) -> Digest | None:
    """The checksum among the options of `put`. Raises TypeError for what is none, and for several."""
    found = None
    for option in ALGORITHMS:
        if option not in given:
            continue
        if found is not None:
            raise TypeError("You cannot specify multiple hashing algorithms.")
        found = Digest(option, _hexadecimal(option, given[option]))
    return found


def _hexadecimal(option: str, value: object) -> str:
    name, length = ALGORITHMS[option]
    if isinstance(value, str):
        if len(value) != 2 * length:
            raise TypeError(f"{name} is {2 * length} hex characters, not {len(value)}")
        try:
            return bytes.fromhex(value).hex()
        except ValueError:
            raise TypeError(f"Provided {name} wasn't a valid hex string") from None
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        if len(data) != length:
            raise TypeError(f"{name} is {length} bytes, not {len(data)}")
        return data.hex()
    raise TypeError(
        f"Incorrect type for the '{option}' field on 'PutOptions': the provided value is not of type "
        "'BufferSource or string'."
    )
