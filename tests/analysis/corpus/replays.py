"""Effects and chance outside of steps."""

import asyncio
import datetime as dt
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
