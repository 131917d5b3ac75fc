"""The forms that Workflows come in: Cloudflare's own SDK, inherited classes, helpers, other names for the step."""

import time

import workers  # !unsupported-module
from workers import WorkflowEntrypoint as Base  # !unsupported-module


class Plain(workers.WorkflowEntrypoint):
    async def run(self, event, step):
        return time.time()  # !nondeterminism


class Parent(Base):
    async def run(self, event, step):
        await self.work(event)

    async def work(self, event):
        return 1


class Child(Parent):
    async def work(self, event):
        return time.time()  # !nondeterminism


class Keeps(Base):
    async def run(self, event, durable):
        self.step = durable
        s = durable
        await s.sleep("a", "5minutes")  # !duration
        await self.work()
        await helper(1, steps=durable)

        async def inner():
            await durable.sleep("b", "5minutes")  # !duration

        await inner()
        await durable.do("nested", lambda: durable.sleep("c", "5minutes"))  # !duration

    async def work(self):
        await self.step.sleep("d", "5minutes")  # !duration


async def helper(n, *, steps):
    await steps.sleep("e", "5minutes")  # !duration
    if n:
        await helper(n - 1, steps=steps)


class NotAWorkflow:
    async def run(self, event, step):
        return time.time()
