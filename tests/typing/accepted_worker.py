"""What a typed Worker may write: its environment, its Workflow bindings, requests and responses."""

from dataclasses import dataclass
from typing import Any, Protocol, TypedDict, assert_type

from cfworkflows import (
    Headers,
    InstanceStatus,
    Request,
    Response,
    WorkerEntrypoint,
    Workflow,
    WorkflowEntrypoint,
    WorkflowError,
    WorkflowEvent,
    WorkflowInstance,
    WorkflowInstanceCreateOptions,
    WorkflowStep,
    fetch,
)
from cfworkflows.types import Fetcher


@dataclass
class Order:
    id: str


class Receipt(TypedDict):
    total: int


class Note(TypedDict):
    text: str


class Env(Protocol):
    ORDERS: Workflow[Order, Receipt]
    NOTES: Workflow[Note]
    ANYTHING: Workflow
    OTHER: Fetcher
    API_TOKEN: str


class Orders(WorkflowEntrypoint[Env, Order]):
    async def run(self, event: WorkflowEvent[Order], step: WorkflowStep) -> Receipt:
        assert_type(self.env, Env)
        assert_type(self.env.API_TOKEN, str)
        child = await step.do("create a child", lambda: self.start(event.payload.id))
        assert_type(child, str)
        return {"total": 1}

    async def start(self, text: str) -> str:
        return (await self.env.NOTES.create(params={"text": text})).id


class Untyped(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep) -> Any:
        assert_type(event.payload.anything, Any)
        assert_type(self.env.ANYTHING, Any)
        return await step.do("something", lambda: event.payload.anything)


class EnvOnly(WorkflowEntrypoint[Env]):
    async def run(self, event: WorkflowEvent, step: WorkflowStep) -> str:
        return self.env.API_TOKEN + str(event.payload)


class Default(WorkerEntrypoint[Env]):
    async def fetch(self, request: Request) -> Response:
        assert_type(request.method, str)
        assert_type(request.headers.get("accept"), str | None)
        assert_type(await request.text(), str)
        body = await request.json()

        created = await self.env.ORDERS.create({"id": "order-1", "params": Order("1")})
        assert_type(created, WorkflowInstance[Receipt])
        assert_type(created.id, str)
        await self.env.ORDERS.create()
        await self.env.ORDERS.create(params=body)
        await self.env.ORDERS.create({"params": body["order"], "retention": {"successRetention": "1 day"}})
        await self.env.NOTES.create({"params": {"text": "a dict"}, "locationHint": "weur"})
        await self.env.NOTES.create(id="n", params={"text": "keywords"}, retention={"error_retention": 1_000})
        await self.env.ANYTHING.create(params={"anything": ["goes"]})
        await self.env.NOTES.create(id="n", locationHint="weur")
        await self.env.NOTES.createBatch(count=2, locationHint="weur")
        options: WorkflowInstanceCreateOptions[Note] = {"id": "n", "params": {"text": "a variable"}}
        await self.env.NOTES.create(options)

        try:
            instance = await self.env.ORDERS.get("order-1")
        except WorkflowError as error:
            return Response.json({"error": str(error)}, {"status": 404})
        await self.lifecycle(instance)
        return await self.http(instance)

    async def lifecycle(self, instance: WorkflowInstance[Receipt]) -> None:
        await instance.send_event({"type": "approval", "payload": {"approved": True}})
        await instance.send_event(type="approval")
        await instance.sendEvent({"type": "approval"})
        await instance.pause()
        await instance.resume()
        await instance.restart()
        await instance.restart({"from": {"name": "charge", "count": 2, "type": "do"}})
        await instance.restart(from_={"name": "charge"})
        await instance.terminate({"rollback": True})
        await instance.terminate(rollback=True)
        await instance.delete()
        async with await instance.subscribe({"cursor": 5, "filter": ["step_completed"]}) as events:
            async for event in events:
                print(event.type)
        with await instance.subscribe(filter=["workflow_completed"]) as events:
            assert_type((await events.next()).done, bool)

        batch = await self.env.NOTES.create_batch({"count": 3, "params": {"text": "all the same"}})
        assert_type([one.id for one in batch.created], list[str])
        assert_type([error.code for error in batch.errors], list[int])
        await self.env.NOTES.create_batch({"instances": [{"id": "a"}, {"id": "b", "params": {"text": "b"}}]})
        await self.env.NOTES.create_batch(count=2, params={"text": "keywords"})
        listed = await self.env.ORDERS.create_batch([{"id": "a", "params": Order("a")}])
        assert_type(listed, list[WorkflowInstance[Receipt]])
        deleted = await self.env.NOTES.delete_batch(["a", "b"])
        assert_type([one.id for one in deleted.deleted], list[str])

    async def http(self, instance: WorkflowInstance[Receipt]) -> Response:
        status = await instance.status()
        assert_type(status, InstanceStatus[Receipt])
        if status.status == "complete" and status.output is not None:
            assert_type(status.output["total"], int)
        if status.error is not None:
            assert_type(status.error.message, str)
        other = await self.env.OTHER.fetch("https://other/", {"method": "POST"}, body="text")
        assert_type(other.status, int)
        answer = await fetch("https://example.com", {"method": "POST", "headers": {"accept": "text/html"}, "body": "x"})
        assert_type(answer, Response)
        assert_type(answer.status, int)
        assert_type(await answer.text(), str)
        headers = Headers({"content-type": "text/plain"})
        headers.append("x-one", "1")
        plain = Response("text", {"status": 201, "headers": headers})
        assert_type(plain.ok, bool)
        Response("text", status=404, headers={"x": "y"})
        Response(None, 204)
        return Response.json({**status, "as a dict": status["output"]}, {"status": 200})


async def on_fetch(request: Request, env: Env, ctx: object) -> Response:
    return Response((await env.NOTES.create(params={"text": request.url})).id)
