"""The Worker of the conformance scenarios: an HTTP API over its workflows."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bench import DONE, STARTED, Bench
from errors import described, folded_event, status_of
from journal import NOTES, note
from patterns import Approval, Backoff, Callback, Fallback, FanOut, Reminders, Saga
from program import keys, run_program
from values import decode, describe, js_type

from cfworkflows import Request, Response, WorkerEntrypoint, WorkflowEntrypoint, WorkflowEvent, WorkflowStep

__all__ = [
    "Approval", "Backoff", "Bench", "Callback", "Conformance", "Cron", "Default", "Echo", "Fallback", "FanOut",
    "Limited", "Other", "Queued", "Reminders", "Saga", "ShortRetention",
]  # fmt: skip

LAST_EVENTS = ("workflow_completed", "workflow_errored", "workflow_terminated")


class Conformance(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        return await run_program(event, step, self.env)


class Other(Conformance):
    pass


class Limited(Conformance):
    pass


class Queued(Conformance):
    pass


class ShortRetention(Conformance):
    pass


class Cron(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        await note("cron", "cron", event)
        return await step.do("tick", lambda: {"keys": sorted(event)})


class Echo(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        return {"keys": sorted(event), "payload": event.payload, "type": js_type(event.payload)}


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        try:
            return await self.answer(request)
        except Exception as error:  # noqa: BLE001 - every error is an answer
            return Response.json({"error": described(error, describe)}, {"status": 400})

    async def answer(self, request: Request) -> Response:
        url = urlsplit(request.url)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        match url.path.split("/")[1:]:
            case ["ping"]:
                return Response("pong")
            case ["bench", "done"]:
                return Response.json({"done": len(DONE), "started": len(STARTED)})
            case ["bench", "reset"]:
                DONE.clear()
                STARTED.clear()
                return Response.json({"ok": True})
            case ["log"]:
                return Response.json(NOTES.get(query["id"], []))
        body = decode(await request.json()) if request.method == "POST" else query
        name = body.pop("workflow", "conformance")
        workflow = getattr(self.env, "WF" if name == "conformance" else name.upper().replace("-", "_"))
        match url.path:
            case "/create":
                instance = await workflow.create(*body.get("raw", [body]))
                return Response.json({"id": instance.id})
            case "/createBatch":
                return created(await workflow.create_batch(body.get("batch")))
            case "/deleteBatch":
                return done(await workflow.delete_batch(body.get("ids")))
        return await answer_about(await workflow.get(body.get("id")), url.path, body)


async def answer_about(instance: Any, path: str, body: dict[str, Any]) -> Response:
    match path:
        case "/get":
            return Response.json({"id": instance.id, "keys": keys(instance)})
        case "/status":
            return Response.json(describe(await status_of(instance)))
        case "/event":
            event = body["raw"] if "raw" in body else {key: body.get(key) for key in ("type", "payload")}
            return done(await instance.send_event(event))
        case "/pause" | "/resume" | "/terminate" | "/restart" | "/delete":
            method = getattr(instance, path[1:])
            return done(await method(body["options"]) if "options" in body else await method())
        case "/subscribe":
            return Response.json({"events": await events_of(instance, body)})
    return Response.json({"error": {"name": "NotFound", "message": path}}, {"status": 404})


async def events_of(instance: Any, body: dict[str, Any]) -> list[Any]:
    """The events of an instance, until the last one, or for `ms`."""
    found: list[Any] = []
    subscription = await instance.subscribe(body.get("options"))
    try:
        async with asyncio.timeout(body.get("ms", 1000) / 1000):
            while True:
                result = await subscription.next()
                if result.get("done"):
                    found.append({"$done": True})
                    break
                found.append(describe(folded_event(result["value"])))
                if result["value"]["type"] in LAST_EVENTS and not body.get("all"):
                    break
    except TimeoutError:
        pass
    return found


def created(result: Any) -> Response:
    if isinstance(result, list):
        return Response.json({"ids": [instance.id for instance in result]})
    ids = [instance.id for instance in result["created"]]
    return Response.json({"created": ids, "errors": describe(result["errors"])})


def done(result: Any) -> Response:
    return Response.json({"ok": True, "result": describe(result)})
