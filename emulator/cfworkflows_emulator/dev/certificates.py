"""The certificates of the system, read when the first TLS connection is made, and not by the import of aiohttp.

aiohttp makes two TLS contexts when it is imported, and reads all certificates for each: a sixth of the start of a
server that may never ask for them.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def read_when_needed() -> Iterator[None]:
    """Within the block contexts of TLS are made that read the default certificates as late as that."""
    read_now = ssl.SSLContext.set_default_verify_paths
    ssl.SSLContext.set_default_verify_paths = _read_later  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ssl.SSLContext.set_default_verify_paths = read_now  # type: ignore[method-assign]


def _read_later(context: ssl.SSLContext) -> None:
    def connecting(name: str) -> Any:
        def connect(*arguments: Any, **options: Any) -> Any:
            for each in _CONNECT:
                context.__dict__.pop(each, None)
            context.set_default_verify_paths()
            return getattr(context, name)(*arguments, **options)

        return connect

    for name in _CONNECT:
        context.__dict__[name] = connecting(name)


_CONNECT = ("wrap_bio", "wrap_socket")
"""The methods of a context that make a connection."""
