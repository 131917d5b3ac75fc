"""Wrong uses of a Workflow binding, and of HTTP. Type checkers refuse each marked line."""

from dataclasses import dataclass
from typing import Protocol, TypedDict

from cfworkflows import Headers, Request, Response, WorkerEntrypoint, Workflow, WorkflowInstance
from cfworkflows import WorkflowEntrypont as Misspelt  # error: attr-defined; reportAttributeAccessIssue
from cfworkflows.testing import FakeEnvironment  # error: attr-defined; reportAttributeAccessIssue
from cfworkflows.types import Fetcher

print(Misspelt, FakeEnvironment)


@dataclass
class Order:
    id: str


class Note(TypedDict):
    text: str


class Env(Protocol):
    ORDERS: Workflow[Order, str]
    NOTES: Workflow[Note]
    OTHER: Fetcher


class Default(WorkerEntrypoint[Env]):
    async def fetch(self, request: Request) -> Response:
        print(self.env.ORDER)  # error: attr-defined; reportAttributeAccessIssue
        await self.env.ORDERS.create({"params": {"id": "1"}})  # error: arg-type; reportArgumentType
        await self.env.ORDERS.create(params="1")  # error: arg-type; reportArgumentType
        await self.env.NOTES.create(params={"txt": "1"})  # error: typeddict-unknown-key; reportArgumentType
        await self.env.NOTES.create({"parms": {"text": "1"}})  # error: arg-type; reportArgumentType
        await self.env.NOTES.create(parms={"text": "1"})  # error: call-arg; reportCallIssue
        await self.env.NOTES.create({"id": 1})  # error: arg-type; reportArgumentType
        await self.env.NOTES.create({"retention": {"success": 1}})  # error: arg-type; reportArgumentType
        await self.env.NOTES.create_batch({"count": 2, "params": 5})  # error: dict-item; reportArgumentType
        await self.env.NOTES.create_batch(count="2")  # error: call-overload; reportArgumentType
        await self.env.NOTES.create_batch([{"params": Order("1")}])  # error: typeddict-item; reportArgumentType
        self.env.ORDERS.create()  # error: unused-coroutine; reportUnusedCoroutine
        print(self.env.ORDERS.create().id)  # error: attr-defined; reportAttributeAccessIssue
        instance = await self.env.ORDERS.get("1")
        await self.lifecycle(instance)
        return "text"  # error: return-value; reportReturnType

    async def lifecycle(self, instance: WorkflowInstance[str]) -> None:
        await instance.send_event({"type": "a", "payloda": 1})  # error: call-overload; reportArgumentType
        await instance.send_event({"payload": 1})  # error: call-overload; reportArgumentType
        await instance.send_event("a")  # error: call-overload; reportArgumentType
        await instance.terminate({"rolback": True})  # error: arg-type; reportArgumentType
        await instance.restart({"from": {"nam": "a"}})  # error: arg-type; reportArgumentType
        await instance.subscribe({"filter": ["step_complete"]})  # error: arg-type; reportArgumentType
        status = await instance.status()
        print(status.result)  # error: attr-defined; reportAttributeAccessIssue
        print(status.status == "completed")  # error: comparison-overlap; reportUnnecessaryComparison
        number: int = status.output  # error: assignment; reportAssignmentType
        print(number)

    async def service(self) -> None:
        await self.env.OTHER.fetch("https://other/", {"metod": "POST"})  # error: arg-type; reportArgumentType
        await self.env.OTHER.add(1, 2)  # error: attr-defined; reportAttributeAccessIssue

    def http(self, request: Request) -> None:
        Response("x", {"staus": 200})  # error: arg-type; reportArgumentType
        Response("x", status="200")  # error: arg-type; reportArgumentType
        Response.json({}, {"status": "200"})  # error: arg-type; reportArgumentType
        Headers(5)  # error: arg-type; reportArgumentType
        print(request.text().upper())  # error: attr-defined; reportAttributeAccessIssue
        print(request.metod)  # error: attr-defined; reportAttributeAccessIssue
