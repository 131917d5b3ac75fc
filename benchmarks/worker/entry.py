"""What is measured: a handler that says hello, and a workflow of steps, waits and sleeps. Twin: `peer/index.js`."""

import asyncio
import time
from urllib.parse import parse_qs, urlsplit

from cfworkflows import Response, WorkerEntrypoint, WorkflowEntrypoint

ENDED = {"done": 0, "last": 0.0}


class Hello(WorkflowEntrypoint):
    async def run(self, event, step):
        return await step.do("hello", lambda: "hello")


class Bench(WorkflowEntrypoint):
    async def run(self, event, step):
        result = await self.work(event.payload, step)
        ENDED["done"] += 1
        ENDED["last"] = time.time() * 1000
        return result

    async def work(self, params, step):
        match params.kind:
            case "steps":
                marks = [time.time() * 1000]
                for i in range(params.n):
                    await step.do(f"step {i}", lambda i=i: i)
                    if (i + 1) % (params.n / 10) == 0:
                        marks.append(time.time() * 1000)
                return marks
            case "fan-out":
                return len(await asyncio.gather(*(step.do(f"step {i}", lambda i=i: i) for i in range(params.n))))
            case "event":
                return (await step.wait_for_event("go", {"type": "go", "timeout": "1 hour"})).payload
            case "sleep":
                await step.do("before", lambda: 1)
                await step.sleep("nap", params.n * 1000)
                return await step.do("after", lambda: 2)
            case "naps":
                for i in range(params.n):
                    await step.do(f"step {i}", lambda i=i: i)
                    await step.sleep(f"nap {i}", "8 hours")
                return params.n
            case "until":
                return await step.sleep_until("nap", params.n)
        raise ValueError(f"There is no kind {params.kind!r}.")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlsplit(request.url)
        match url.path.split("/")[1:]:
            case [""]:
                return Response("hello")
            case ["done"]:
                return Response.json(ENDED)
            case ["create"]:
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                params = {"kind": query["kind"], "n": int(query["n"])}
                creations = (self.env.BENCH.create({"params": params}) for _ in range(int(query["count"])))
                return Response.json([instance.id for instance in await asyncio.gather(*creations)])
            case ["status", id]:
                return Response.json(await (await self.env.BENCH.get(id)).status())
            case ["finish", id]:
                instance = await self.env.BENCH.get(id)
                await instance.send_event({"type": "go", "payload": "gone"})
                while (status := await instance.status()).status != "complete":
                    pass
                return Response.json(status)
        return Response("not found", {"status": 404})
