"""Calls of bindings that nobody awaits."""

import asyncio

from cfworkflows import Response, WorkerEntrypoint, WorkflowEntrypoint, env, fetch


async def on_fetch(request, env):
    env.ORDERS.create({"id": "1"})  # !not-awaited
    return Response("x")


async def on_scheduled(controller):
    env.KV.put("key", "value")  # !not-awaited
    fetch("https://example.com")  # !not-awaited


class Dropped(WorkerEntrypoint):
    async def fetch(self, request):
        self.env.ORDERS.create({"id": "1"})  # !not-awaited
        instance = self.env.ORDERS.create({"id": "2"})  # !not-awaited
        order = await self.env.ORDERS.get("1")
        order.send_event({"type": "paid"})  # !not-awaited
        (await self.env.ORDERS.get("2")).sendEvent({"type": "paid"})  # !not-awaited
        orders = self.env.ORDERS
        orders.create_batch([{"id": "3"}])  # !not-awaited
        bindings = self.env
        bindings.KV.delete("key")  # !not-awaited
        unread = self.env.KV.get("key")  # !not-awaited
        name = self.env.KV.list("name")["keys"]  # !not-awaited
        return Response(instance.id + name)


class Awaited(WorkerEntrypoint):
    async def fetch(self, request):
        instance = await self.env.ORDERS.create({"id": "1"})
        later = self.env.ORDERS.get("2")
        self.ctx.wait_until(self.env.KV.put("key", "value"))
        task = asyncio.create_task(self.env.KV.put("other", "value"))
        values = await asyncio.gather(self.env.KV.get("a"), *[self.env.KV.get(key) for key in "bc"])
        order = await later
        await order.send_event(type="paid")
        await task
        return Response.json([instance.id, values])

    def load(self, key):
        return self.env.KV.get(key)


class NotCoroutines(WorkerEntrypoint):
    async def fetch(self, request):
        self.env.ANALYTICS.writeDataPoint({"doubles": [1]})
        cache = {}
        cache.get("key")
        cache.setdefault("orders", []).append(1)
        self.env.LOCAL = cache
        self.env.LOCAL.get("key").clear()
        title = self.env.SETTINGS.get("title").upper()
        cache[title] = 1
        mailer = Mailer()
        mailer.send_event({"type": "paid"})
        statement = self.env.DB.prepare("SELECT 1")
        return Response.json((await statement.first()).get("id"))


class Mailer:
    def __init__(self):
        self.env = {}

    def send_event(self, event):
        self.env.get(event)


class InSteps(WorkflowEntrypoint):
    async def run(self, event, step):
        async def store():
            self.env.KV.put("key", "value")  # !not-awaited
            return 1

        await step.do("put", lambda: self.env.KV.put("key", "value"))
        return await step.do("store", store)
