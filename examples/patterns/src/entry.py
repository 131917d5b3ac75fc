"""The seven workflow patterns behind one small HTTP API. `GET /` tells what can be asked."""

from approval import Approval
from backoff import Backoff
from fallback import Fallback
from fan_out import FanOut
from reminders import Reminders
from saga import OrderSaga
from services import flaky_api
from webhook import Webhook, on_callback

from cfworkflows import Request, Response, WorkerEntrypoint, WorkflowError, fetch

__all__ = ["Approval", "Backoff", "Default", "Fallback", "FanOut", "OrderSaga", "Reminders", "Webhook"]

BINDINGS = {
    "saga": "SAGA",
    "approval": "APPROVAL",
    "reminders": "REMINDERS",
    "backoff": "BACKOFF",
    "fan-out": "FAN_OUT",
    "webhook": "MY_WORKFLOW",
    "fallback": "FALLBACK",
}

HELP = """\
The seven workflow patterns. Start one:

  curl -X POST {origin}/approval  -d '{{"approverEmail": "a@b.c"}}'
  curl -X POST {origin}/saga      -d '{{"items": ["book"], "paymentMethod": "visa"}}'      # or "declined"
  curl -X POST {origin}/reminders -d '{{"userId": "u1"}}'
  curl -X POST {origin}/backoff   -d '{{"failures": 2}}'
  curl -X POST {origin}/fan-out   -d '{{"items": [{{"id": 1}}, {{"id": 2}}]}}'
  curl -X POST {origin}/webhook   -d '{{}}'
  curl -X POST {origin}/fallback  -d '{{"key": "k1"}}'

Then, with the id that came back:

  curl {origin}/approval                                   # list the instances
  curl {origin}/approval/<id>                              # its status, and the steps done so far
  curl -X POST {origin}/approval/<id>/events/manager_approval -d '{{"approved": true}}'
  curl -X POST {origin}/approval/<id>/pause                # or resume, terminate, restart
  curl -X POST {origin}/webhook/callback -d '{{"instanceId": "<id>", "status": "done"}}'
"""


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        origin, path = split(request.url)
        match [request.method, *path]:
            case ["GET"]:
                return Response(HELP.format(origin=origin))
            case ["POST", "jobs"]:  # the job service that the webhook pattern calls
                return Response.json({"jobId": "job-7"})
            case [_, pattern, *rest] if pattern in BINDINGS:
                try:
                    return await self.instances(request, origin, pattern, rest)
                except WorkflowError as error:
                    return failure(404 if error.code == "instance.not_found" else 400, error)
                except (ValueError, TypeError, KeyError) as error:  # no JSON, or not what is asked for
                    return failure(400, error)
        return Response.json({"error": f"There is no {request.method} /{'/'.join(path)}"}, {"status": 404})

    async def instances(self, request: Request, origin: str, pattern: str, rest: list[str]) -> Response:
        workflow = getattr(self.env, BINDINGS[pattern])
        match [request.method, *rest]:
            case ["POST", "callback"] if pattern == "webhook":
                return await on_callback(request, self.env)
            case ["POST"]:
                params = await request.json()
                if pattern == "webhook":
                    params["jobsUrl"] = f"{origin}/jobs"
                if pattern == "backoff":
                    flaky_api.failures = params.get("failures", 0)
                instance = await workflow.create({"params": params})
                return Response.json({"id": instance.id}, {"status": 201})
            case ["GET"]:
                return Response.json(await explore(f"{origin}{EXPLORER}/{pattern}/instances"))
            case ["GET", id]:
                instance = await workflow.get(id)
                details = await explore(f"{origin}{EXPLORER}/{pattern}/instances/{id}")
                steps = [{"name": step["name"], "done": bool(step["end"])} for step in details["steps"]]
                return Response.json({"id": id, **await instance.status(), "steps": steps})
            case ["POST", id, "events", type]:
                instance = await workflow.get(id)
                await instance.send_event({"type": type, "payload": await request.json()})
                return Response.json({"sent": type})
            case ["POST", id, "pause" | "resume" | "terminate" | "restart" as verb]:
                instance = await workflow.get(id)
                await getattr(instance, verb)()
                return Response.json({"id": id, **await instance.status()})
        return Response.json({"error": f"Not something to ask of {pattern}"}, {"status": 404})


# A Worker cannot list instances, here or on Cloudflare. The local server can; on Cloudflare the REST API does.
EXPLORER = "/cdn-cgi/local/explorer/api/workflows"


async def explore(url: str):
    return (await (await fetch(url)).json())["result"]


def split(url: str) -> tuple[str, list[str]]:
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return f"{scheme}://{host}", [part for part in path.partition("?")[0].split("/") if part]


def failure(status: int, error: Exception) -> Response:
    return Response.json({"error": str(error)}, {"status": status})
