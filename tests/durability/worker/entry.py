"""Workflows of every kind. Each callback adds a line to the file EFFECTS, with a value that no other call gives."""

# ruff: noqa: ASYNC110, ASYNC240 - callbacks that wait for a file, and one that blocks the event loop

import asyncio
import hashlib
import json
import os
import random
import time
import uuid
from pathlib import Path

from cfworkflows import Response, WorkerEntrypoint, WorkflowEntrypoint

# Attempts that a crash cuts off count; here only as many as it takes are to be lost.
PATIENT = {"retries": {"limit": 10_000, "delay": 0, "backoff": "constant"}}
CHUNK = b"0123456789abcdef" * 8192


def effect(instance, step, attempt):
    """Leave a trace that survives the process: one line, appended at once. Gives a value for the step to return."""
    value = uuid.uuid4().hex
    line = json.dumps({"instance": instance, "step": step, "attempt": attempt, "value": value})
    descriptor = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)
    return value


class Traced(WorkflowEntrypoint):
    async def run(self, event, step):
        self.instance = f"{event.workflow_name}/{event.instance_id}"
        return await self.go(event, step)

    def do(self, step, name, work=None, options=None):
        async def callback(ctx):
            value = effect(self.instance, f"{ctx.step.name}-{ctx.step.count}", ctx.attempt)
            await asyncio.sleep(random.random() / 100)
            return value

        return step.do(name, PATIENT, work or callback, options)


class Sequential(Traced):
    async def go(self, event, step):
        def in_thread(ctx):
            return effect(self.instance, f"{ctx.step.name}-{ctx.step.count}", ctx.attempt)

        inline = lambda ctx: in_thread(ctx)  # noqa: E731 - a lambda is called in place
        values = [await self.do(step, name) for name in ("a", "b", "b")]
        values += [await self.do(step, "thread", in_thread), await self.do(step, "inline", inline)]
        return dict(zip(["a-1", "b-1", "b-2", "thread-1", "inline-1"], values, strict=True))


class Parallel(Traced):
    async def go(self, event, step):
        async def nap():
            await step.sleep("nap", 100)
            return await self.do(step, "late")

        values = await asyncio.gather(*(self.do(step, f"p{number}") for number in range(4)), nap())
        last = await self.do(step, "last")
        return dict(zip(["p0-1", "p1-1", "p2-1", "p3-1", "late-1", "last-1"], [*values, last], strict=True))


class Retried(Traced):
    async def go(self, event, step):
        async def flaky(ctx):
            value = effect(self.instance, "flaky-1", ctx.attempt)
            if ctx.attempt < 3:
                raise ValueError(f"attempt {ctx.attempt}")
            return value

        async def hopeless(ctx):
            effect(self.instance, "hopeless-1", ctx.attempt)
            raise ValueError("hopeless")

        value = await step.do("flaky", {"retries": {"limit": 10_000, "delay": 20, "backoff": "constant"}}, flaky)
        try:
            await step.do("hopeless", {"retries": {"limit": 1, "delay": 0}}, hopeless)
        except Exception:  # noqa: BLE001 - what it raised, or that its last attempt was cut off
            return {"flaky-1": value, "after-1": await self.do(step, "after")}


class Sleeper(Traced):
    async def go(self, event, step):
        values = {}
        for number in range(4):
            await step.sleep("nap", 150)
            values[f"awake-{number + 1}"] = await self.do(step, "awake")
        return values


class Waiter(Traced):
    async def go(self, event, step):
        got = []
        while (item := await step.wait_for_event("next", {"type": "item", "timeout": "1 day"})).payload != "end":
            got.append(item.payload)
            await self.do(step, "handle")
        return got


class Undone(Traced):
    async def go(self, event, step):
        async def undo(it):
            effect(self.instance, f"undo {it.ctx.step.name}", None)

        for name in ("first", "second", "third"):
            await self.do(step, name, options={"rollback": undo, "rollbackConfig": PATIENT})
        raise ValueError("all of it is undone")


class Streamed(Traced):
    async def go(self, event, step):
        async def produce(ctx):
            value = effect(self.instance, "produce-1", ctx.attempt)

            async def chunks():
                yield value.encode()
                for _ in range(5):
                    await asyncio.sleep(0)
                    yield CHUNK

            return chunks()

        stream = await self.do(step, "produce", produce)
        text = b"".join([bytes(chunk) async for chunk in stream])
        after = await self.do(step, "after")
        return {"produce-1": text[:32].decode(), "after-1": after, "digest": hashlib.sha256(text[32:]).hexdigest()}


class Limited(Traced):
    async def go(self, event, step):
        first = await self.do(step, "first")
        await step.sleep("nap", 30)
        return {"first-1": first, "second-1": await self.do(step, "second")}


class Nap(WorkflowEntrypoint):
    """Sleeps for as many ms as its id says."""

    async def run(self, event, step):
        await step.sleep("nap", int(event.instance_id))


class Held(Traced):
    """Its callback goes on until the file HOLD has gone: in the event loop, in a thread, or in nobody's favour."""

    async def go(self, event, step):
        hold = Path(os.environ["HOLD"])

        async def waits(ctx):
            value = effect(self.instance, "held-1", ctx.attempt)
            while hold.exists():
                await asyncio.sleep(0.01)
            return value

        def thread(ctx):
            value = effect(self.instance, "held-1", ctx.attempt)
            while hold.exists():
                time.sleep(0.01)
            return value

        async def stuck(ctx):
            value = effect(self.instance, "held-1", ctx.attempt)
            while hold.exists():
                pass
            return value

        before = await self.do(step, "before")
        held = await self.do(step, "held", {"waits": waits, "thread": thread, "stuck": stuck}[event.instance_id])
        return {"before-1": before, "held-1": held}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("storm")
