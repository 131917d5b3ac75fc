"""The Worker of the bindings' scenarios: runs programs over what it is bound to."""

from urllib.parse import parse_qs, urlsplit

from program import LOG, Scope, note, run

from cfworkflows import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        url = urlsplit(request.url)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path:
            case "/ping":
                return Response("pong")
            case "/run":
                body = await request.json()
                roots = {"ctx": self.ctx, "env": self.env, "request": request}
                scope = Scope(self.env, roots, keywords=asked.get("form") == "keywords")
                return Response.json({"out": await run(body["program"], scope)})
            case "/log":
                return Response.json(LOG.get(asked["tag"], []))
            case "/log/count":
                return Response.json({"count": sum(noted.get("n", 1) for noted in LOG.get(asked["tag"], []))})
            case "/log/reset":
                LOG.pop(asked["tag"], None)
                return Response.json({"ok": True})
        return Response(f"not found {url.path}", {"status": 404})

    async def scheduled(self, controller) -> None:
        note("scheduled", {"cron": controller.cron, "time": controller.scheduledTime})
