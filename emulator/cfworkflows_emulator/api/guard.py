"""Who may call a control path: programs on this machine, and pages of this very server."""

from urllib.parse import urlsplit

from cfworkflows.http import Request, Response

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def refusal(request: Request) -> Response | None:
    """The 403 for a request from elsewhere, None for one that may pass.

    `Host` has to be a name of this machine, which stops DNS rebinding. `Origin`, where a browser sends one, has to be
    our own, and `Sec-Fetch-Site` must not say that another site asks: a GET carries no `Origin`.
    """
    url = urlsplit(request.url)
    if url.hostname not in LOCAL_HOSTS:
        return Response("Invalid Host header", {"status": 403})
    origin = request.headers.get("origin")
    if origin is not None and origin != f"{url.scheme}://{url.netloc}":
        return Response("Invalid Origin header", {"status": 403})
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return Response("Requests from other sites are refused", {"status": 403})
    return None
