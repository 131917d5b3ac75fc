"""Restricts control paths to programs on this machine, and pages of this very server."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from cfworkflows.http import Request, Response
from cfworkflows_emulator.hosts import Hosts

_READS = ("GET", "HEAD")


class Guard:
    """Refuses requests that a page of another site could send. `allowed_hosts` are names of this machine beside
    `localhost`.
    """

    def __init__(self, allowed_hosts: Iterable[str] = ()) -> None:
        self._hosts = Hosts(allowed_hosts)

    def refusal(self, request: Request) -> Response | None:
        """The answer to a request from elsewhere, None for one that may pass.

        `Host` has to be a name of this machine, which stops DNS rebinding. `Origin`, where a browser sends one, has to
        be our own, and `Sec-Fetch-Site` must not say that another site asks: a GET carries no `Origin`. What a browser
        writes has to be JSON, which no form can send.
        """
        if (refusal := self.host_refusal(request)) is not None:
            return refusal
        url = urlsplit(request.url)
        origin = request.headers.get("origin")
        if origin is not None and origin != f"{url.scheme}://{url.netloc}":
            return _refused(403, "Invalid Origin header")
        site = request.headers.get("sec-fetch-site")
        if site not in (None, "same-origin", "none"):
            return _refused(403, "Requests from other sites are refused")
        from_browser = origin is not None or site is not None
        if from_browser and request.method not in _READS and not _is_json(request):
            return _refused(415, "A page has to send JSON: set the header Content-Type: application/json")
        return None

    def host_refusal(self, request: Request) -> Response | None:
        """The same for what pages of other sites may ask for: the `Host` alone counts."""
        return None if self._hosts.knows(request.url) else _refused(403, "Invalid Host header")


def _is_json(request: Request) -> bool:
    content_type = request.headers.get("content-type")
    if content_type is None:
        headers = request.headers  # a page can send a body without saying what it is
        return "transfer-encoding" not in headers and headers.get("content-length") in (None, "0")
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _refused(status: int, text: str) -> Response:
    return Response(text, {"status": status})
