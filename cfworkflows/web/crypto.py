"""`crypto`: random values and digests."""

from collections.abc import Mapping
from typing import Any, TypeVar

from cfworkflows.errors import DOMException

Buffer = TypeVar("Buffer", bound=Any)
"""bytearray, array.array of integers, or a memoryview that can be written."""

MOST_RANDOM_BYTES = 65_536
_DIGESTS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_INSTEAD = "sign and verify with hmac of the standard library, and encrypt with the package cryptography."


class SubtleCrypto:
    """`crypto.subtle`: digests. For the rest of it, Python has better libraries."""

    __slots__ = ()

    async def digest(self, algorithm: str | Mapping[str, Any], data: Any) -> bytes:
        """The digest of bytes: by `"SHA-1"`, `"SHA-256"`, `"SHA-384"`, `"SHA-512"` or `"MD5"`, in any case.

        DOMException `NotSupportedError` for another algorithm.
        """
        import hashlib

        name = str(algorithm["name"] if isinstance(algorithm, Mapping) else algorithm)
        known = _DIGESTS.get(name.upper())
        if known is None:
            raise DOMException(f"Unrecognized or unimplemented digest algorithm requested: {name}", "NotSupportedError")
        if isinstance(data, str):
            raise TypeError("crypto.subtle.digest takes bytes: encode the text first, with text.encode().")
        return hashlib.new(known, data, usedforsecurity=False).digest()

    def timing_safe_equal(self, a: bytes, b: bytes) -> bool:
        """Whether two byte strings of the same length are equal, in a time that does not depend on their content."""
        import hmac

        if len(a) != len(b):
            raise TypeError("Input buffers must have the same byte length.")
        return hmac.compare_digest(a, b)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"crypto.subtle has no {name}: {_INSTEAD}", name=name, obj=self)

    timingSafeEqual = timing_safe_equal  # noqa: N815 - the platform's name


class Crypto:
    """Cryptographically secure random values, and digests in `subtle`."""

    __slots__ = ("subtle",)

    def __init__(self) -> None:
        self.subtle = SubtleCrypto()

    def random_uuid(self) -> str:
        """A random UUID (version 4)."""
        import uuid

        return str(uuid.uuid4())

    def get_random_values(self, buffer: Buffer) -> Buffer:
        """Fill `buffer`, such as `bytearray(16)`, with random bytes, and return it.

        DOMException `QuotaExceededError` for more than 65,536 bytes.
        """
        import secrets

        try:
            view = memoryview(buffer).cast("B")
            writable = not view.readonly
        except (TypeError, ValueError):
            writable = False
        if not writable:
            raise TypeError(f"get_random_values fills a bytearray or an array of integers, not {buffer!r}.")
        if view.nbytes > MOST_RANDOM_BYTES:
            raise DOMException(
                f"getRandomValues() only accepts buffers of size <= 64K but provided {view.nbytes} bytes.",
                "QuotaExceededError",
            )
        view[:] = secrets.token_bytes(view.nbytes)
        return buffer

    randomUUID = random_uuid  # noqa: N815 - the platform's name
    getRandomValues = get_random_values  # noqa: N815 - the platform's name


crypto = Crypto()
