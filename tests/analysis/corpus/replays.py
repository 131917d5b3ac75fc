"""Effects and chance outside of steps."""

import asyncio
import datetime as dt
import glob
import os
import random
import time
import uuid
from datetime import datetime
from pathlib import Path

import requests

from cfworkflows import WorkflowEntrypoint, env, fetch


class Effects(WorkflowEntrypoint):
    async def run(self, event, step):
        await fetch("https://example.com")  # !side-effect
        await self.env.KV.put("key", "value")  # !side-effect
        await env.KV.put("key", "value")  # !side-effect
        requests.post("https://example.com")  # !side-effect
        with open("file") as file:  # !side-effect
            text = file.read()
        Path("file").write_text(text)  # !side-effect
        await step.do("request", lambda: self.load())
        await self.load()
        await asyncio.sleep(3)  # !plain-sleep
        time.sleep(3)  # !plain-sleep
        await asyncio.sleep(0)
        naps = [step.sleep("a", 1), step.sleep("b", 1)]
        first, _ = await asyncio.wait(naps, return_when=asyncio.FIRST_COMPLETED)  # !race
        for each in asyncio.as_completed([step.sleep("c", 1)]):  # !race
            await each
        return await helper(first)

    async def load(self):
        return (await fetch("https://example.com")).status  # !side-effect


async def helper(value):
    await fetch("https://example.com", {"method": "POST", "body": value})  # !side-effect


class Chance(WorkflowEntrypoint):
    async def run(self, event, step):
        started = time.time()  # !nondeterminism
        if random.random() > 0.5:  # !nondeterminism
            await step.sleep("nap", "1 second")
        today = datetime.now().date()  # !nondeterminism
        now = dt.datetime.now(dt.UTC)  # !nondeterminism
        ms = asyncio.get_running_loop().time()  # !nondeterminism
        await step.do(f"order {uuid.uuid4()}", lambda: 1)  # !step-name
        await step.do("report " + str(today), lambda: 1)  # !step-name
        await step.sleep(f"sleep {started}", 5)  # !step-name
        return [str(now), ms]


class Good(WorkflowEntrypoint):
    async def run(self, event, step):
        id = await step.do("id", lambda: str(uuid.uuid4()))
        now = await step.do("now", lambda: time.time())
        dice = random.Random(event.instance_id).random()
        name = uuid.uuid5(uuid.NAMESPACE_URL, event.instance_id)

        @step.do("fetch")
        async def load():
            response = await fetch("https://example.com")
            with open("file", "w") as file:
                file.write(await response.text())
            await self.env.KV.put("key", str(datetime.now()))
            return await helper("from a step")

        await load()
        await step.do(f"report {id} {event.timestamp}", lambda: dice)
        prefix = self.env.PREFIX.strip()
        print(name, now, prefix)
        return time.strptime("2026", "%Y").tm_year


class Shadowed(WorkflowEntrypoint):
    async def run(self, event, step, random=None):
        def open(path):
            return path

        time = event.payload.time
        return [random.random(), open("x"), time.time()]


def not_reached():
    return time.time()


class Numbers(WorkflowEntrypoint):
    async def run(self, event, step):
        user = event.payload["user"]
        shard = hash(user) % 4  # !nondeterminism
        await step.do(f"shard {hash(user)}", lambda: shard)  # !step-name
        print(f"{user} is {id(event)}")
        key = hash(user)
        await step.do("key " + str(key), lambda: 1)  # !step-name
        return hex(id(event))  # !nondeterminism


class NumbersThatAreCompared(WorkflowEntrypoint):
    async def run(self, event, step):
        seen = set()
        for item in event.payload["items"]:
            if id(item) in seen:
                continue
            seen.add(id(item))
        shard = hash(7) % 4
        same = hash(event.payload["a"]) == hash(event.payload["b"])
        stored = await step.do("shard", lambda: hash(event.payload["a"]) % 4)

        def id_of(id, hash):
            return f"{id(1)} {hash('a')}"

        return [shard, same, stored, id_of(str, str)]


class Folders(WorkflowEntrypoint):
    async def run(self, event, step):
        for name in os.listdir("orders"):  # !nondeterminism
            await step.do(name, lambda: 1)
        folder = Path("orders")
        for path in folder.iterdir():  # !nondeterminism
            await step.do(path.name, lambda: 1)
        for path in Path("orders").rglob("*.json"):  # !nondeterminism
            await step.do(path.name, lambda: 1)
        for name in sorted(glob.glob("orders/*")):  # !nondeterminism
            await step.do(name, lambda: 1)


class FoldersInSteps(WorkflowEntrypoint):
    async def run(self, event, step):
        folder = Path("orders")
        names = await step.do("list", lambda: sorted(os.listdir(folder)))
        paths = await step.do("paths", lambda: [str(path) for path in folder.iterdir()])
        path = os.path.join("orders", folder.name)
        return [names, paths, path, event.payload["folder"].glob("*")]


class Tasks(WorkflowEntrypoint):
    async def run(self, event, step):
        name = asyncio.current_task().get_name()  # !nondeterminism
        await step.do("log", lambda: print(asyncio.current_task().get_name()))
        return name
