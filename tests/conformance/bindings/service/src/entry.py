"""The Worker that the scenarios are bound to as a service."""

from urllib.parse import parse_qs, urlsplit

from cfworkflows import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        url = urlsplit(request.url)
        match url.path:
            case "/ping":
                return Response("pong")
            case "/throw":
                raise TypeError("service fetch fails")
            case "/redirect":
                return Response(None, {"status": 302, "headers": {"location": "/there"}})
            case "/there":
                return Response("arrived")
            case "/status":
                status = int(parse_qs(url.query)["n"][0])
                return Response("s", {"status": status, "headers": {"x-service": "1"}})
        return Response.json(
            {
                "method": request.method,
                "url": request.url,
                "body": await request.text(),
                "type": request.headers.get("content-type"),
                "x": request.headers.get("x-test"),
                "redirect": request.redirect,
            }
        )


class WithFetch(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        return Response(f"with fetch {urlsplit(request.url).path} null")
