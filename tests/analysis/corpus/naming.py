"""Names of steps."""

from cfworkflows import WorkflowEntrypoint

LONG = "x" * 257


class Names(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do(LONG, lambda: 1)  # !step-name
        await step.do("two\nlines", lambda: 1)  # !step-name
        await step.do(7, lambda: 1)  # !step-name
        await step.do("x" * 256, lambda: 1)


class Duplicates(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("a", lambda: 1)
        await step.sleep("a", 1)
        await step.do("a", lambda: 2)  # !duplicate-name
        if event.payload.x:
            await step.do("b", lambda: 1)
        await step.do("b", lambda: 1)  # !duplicate-name
        try:
            await step.do("c", lambda: 1)
        except ValueError:
            await step.do("c", lambda: 2)  # !duplicate-name


class Exclusive(WorkflowEntrypoint):
    async def run(self, event, step):
        if event.payload.x:
            await step.do("a", lambda: 1)
        elif event.payload.y:
            await step.do("a", lambda: 2)
        else:
            await step.do("a", lambda: 3)
        match event.payload.kind:
            case 1:
                await step.do("b", lambda: 1)
            case _:
                await step.do("b", lambda: 2)
        if event.payload.z:
            await step.do("c", lambda: 1)
            return
        value = await step.do("d", lambda: 1) if event.payload.x else await step.do("d", lambda: 2)
        while value:
            value = await step.do("poll", lambda: 1)
            await step.sleep("between polls", "1 minute")
        await step.do("c", lambda: value)


class Twice(WorkflowEntrypoint):
    async def run(self, event, step):
        await self.notify(step, "a")
        await self.notify(step, "b")

    async def notify(self, step, who):
        await step.do("notify", lambda: who)
