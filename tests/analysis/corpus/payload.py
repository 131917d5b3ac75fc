"""Fields of a payload that have the name of a method of dict."""

from dataclasses import dataclass
from typing import TypedDict

from models import Order
from pydantic import BaseModel

from cfworkflows import WorkflowEntrypoint, WorkflowEvent, WorkflowStep


class Cart(TypedDict):
    items: list[str]


@dataclass
class Basket:
    items: list[str]


class Bag(BaseModel):
    items: list[str]


class Plain(WorkflowEntrypoint):
    async def run(self, event, step):
        for item in event.payload.items:  # !payload-field
            await step.do(f"item {item}", lambda item=item: item)
        await step.do("reserve", lambda: reserve(event.payload.items))  # !payload-field
        payload = event.payload
        first = payload.order.keys[0]  # !payload-field
        if event["payload"].copy:  # !payload-field
            return event.payload["order"].values  # !payload-field
        approval = await step.wait_for_event("approval", {"type": "approval"})
        return [first, approval.payload.pop]  # !payload-field


class PlainByName(WorkflowEntrypoint[object, Cart]):
    async def run(self, event: WorkflowEvent[Cart], step: WorkflowStep):
        return len(event.payload.items)  # !payload-field


class Methods(WorkflowEntrypoint):
    async def run(self, event, step):
        for key, value in event.payload.items():
            await step.do(f"{key} {value}", lambda: 1)
        order = event.payload.get("order", {})
        names = sorted(event.payload.keys(), key=event.payload.get)
        more = list(map(event.payload.get, names))
        return [order, more, event.payload["items"], event.payload.order["keys"], event.payload.copy().total]


class Typed(WorkflowEntrypoint[object, Basket]):
    async def run(self, event, step):
        return event.payload.items


class Model(WorkflowEntrypoint[object, Bag]):
    async def run(self, event: WorkflowEvent[Bag], step):
        approval = await step.wait_for_event("approval", {"type": "approval"}, returns=Bag)
        return [event.payload.items, approval.payload.items]


class FromElsewhere(WorkflowEntrypoint[object, Order]):
    async def run(self, event, step):
        return event.payload.items


class ByAnnotation(WorkflowEntrypoint):
    async def run(self, event: "WorkflowEvent[Bag]", step):
        return event.payload.items


class OtherEvent(WorkflowEntrypoint):
    async def run(self, event, step):
        event = Bag(items=[])
        order = await step.do("load", lambda: 1)
        return [event.payload.items, order.payload.items, event.items]


async def reserve(items):
    return items
