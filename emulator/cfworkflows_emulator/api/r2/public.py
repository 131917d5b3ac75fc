"""Buckets as everybody reads them: `/cdn-cgi/local/r2/public/BUCKET/KEY`, as r2.dev or a domain of one's own would."""

from urllib.parse import unquote, urlsplit

from cfworkflows.errors import R2Error
from cfworkflows.http import Request, Response
from cfworkflows_emulator.api.r2.buckets import R2Buckets
from cfworkflows_emulator.api.r2.cors import preflight, shared
from cfworkflows_emulator.api.r2.serving import served

PREFIX = "/cdn-cgi/local/r2/public/"


class R2Public:
    """Answers GET and HEAD, with ranges and conditions, and the CORS rules of the bucket."""

    def __init__(self, buckets: R2Buckets) -> None:
        self._buckets = buckets

    @staticmethod
    def owns(path: str) -> bool:
        return path.startswith(PREFIX)

    async def fetch(self, request: Request) -> Response:
        name, _, key = urlsplit(request.url).path.removeprefix(PREFIX).partition("/")
        bucket = await self._buckets.find(unquote(name))
        if bucket is None:
            known = ", ".join(self._buckets.names) or "none"
            return Response(f"There is no bucket {unquote(name)}; there are: {known}.\n", {"status": 404})
        rules = self._buckets.rules(bucket)
        if request.method == "OPTIONS":
            return preflight(request, rules)
        if request.method not in ("GET", "HEAD"):
            return Response("Unauthorized\n", {"status": 401})
        try:
            answer = await served(bucket, unquote(key), request)
        except (R2Error, TypeError, ValueError) as error:  # the latter are of metadata that no header can have
            answer = Response(f"{error}\n", {"status": 400})
        return shared(request, answer or Response("Object not found\n", {"status": 404}), rules)
