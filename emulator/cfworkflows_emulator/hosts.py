"""The names under which this machine may be asked for what is not for everybody."""

from collections.abc import Iterable
from urllib.parse import urlsplit

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Hosts:
    """`localhost`, and the names in `allowed`.

    A page of another site can have the name of its own site lead here (DNS rebinding), and then reads all that it is
    given. It cannot change the name, which is in the URL.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._names = LOCAL_HOSTS | {host.strip("[]").lower() for host in allowed}

    def knows(self, url: str) -> bool:
        """Whether the host of `url` is one of them."""
        return urlsplit(url).hostname in self._names
