"""Steps of one name in branches that run at a time."""

import asyncio

from cfworkflows import WorkflowEntrypoint


class Ship(WorkflowEntrypoint):
    async def run(self, event, step):
        async def branch(order):
            await step.sleep(f"wait {order}", order.hours)
            await step.do("ship", lambda: order)  # !branch-name

        await asyncio.gather(*(branch(order) for order in event.payload["orders"]))
        await asyncio.gather(self.one(step, 1), self.one(step, 2))
        async with asyncio.TaskGroup() as group:
            for order in event.payload["orders"]:
                group.create_task(self.poll(step, order))
        tasks = []
        for order in event.payload["orders"]:
            tasks.append(asyncio.create_task(self.outer(step, order)))
        await asyncio.gather(*tasks)

    async def one(self, step, order):
        if await step.do(f"check {order}", lambda: order):
            await step.do("pay", lambda: order)  # !branch-name
            await self.receipt(step, order)

    async def receipt(self, step, order):
        await step.do("receipt", lambda: order)  # !branch-name

    async def poll(self, step, order):
        while True:
            if await step.do("poll", lambda: order):  # !branch-name
                return
            await step.sleep("between polls", "1 minute")  # !branch-name

    async def outer(self, step, order):
        await step.do("first", lambda: order)
        await self.inner(step, order)

    async def inner(self, step, order):
        await step.do("inner", lambda: order)  # !branch-name


class NamesOfTheirOwn(WorkflowEntrypoint):
    async def run(self, event, step):
        async def branch(order):
            await step.sleep(f"wait {order}", order.hours)
            await step.do(f"ship {order}", lambda: order)

        await asyncio.gather(*(branch(order) for order in event.payload["orders"]))


class FirstOfAll(WorkflowEntrypoint):
    async def run(self, event, step):
        async def branch(order):
            return await step.do("ship", lambda: order)

        async def choose(order):
            if order.gift:
                await step.do("wrap", lambda: order)
            else:
                await step.do("box", lambda: order)

        await asyncio.gather(*(branch(order) for order in event.payload["orders"]))
        return await asyncio.gather(*(choose(order) for order in event.payload["orders"]))


class OneAfterTheOther(WorkflowEntrypoint):
    async def run(self, event, step):
        for order in event.payload["orders"]:
            await self.ship(step, order)
        return [await self.ship(step, order) for order in event.payload["orders"]]

    async def ship(self, step, order):
        await step.sleep("pause", "1 minute")
        await step.do("ship", lambda: order)


class OneBranchOfAKind(WorkflowEntrypoint):
    async def run(self, event, step):
        await asyncio.gather(self.pay(step), self.send(step))

    async def pay(self, step):
        await step.do("check card", lambda: 1)
        await step.do("pay", lambda: 1)

    async def send(self, step):
        await step.do("check stock", lambda: 1)
        await step.do("send", lambda: 1)


class InSteps(WorkflowEntrypoint):
    async def run(self, event, step):
        async def branch(order):
            await asyncio.sleep(1)
            return order

        async def all_of_them():
            return await asyncio.gather(*(branch(order) for order in event.payload["orders"]))

        await step.do("first", all_of_them)
        return await step.do("second", all_of_them)


class BranchesOfBranches(WorkflowEntrypoint):
    async def run(self, event, step):
        async def nap(name):
            await step.sleep(name, "1 hour")

        async def branch(order):
            await asyncio.gather(nap(f"a {order}"), nap(f"b {order}"))
            await step.do("ship", lambda: order)  # !branch-name

        async def group(order):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(nap(f"c {order}"))
            await step.do("pay", lambda: order)  # !branch-name

        await asyncio.gather(*[branch(order) for order in event.payload["orders"]])
        await asyncio.gather(*[group(order) for order in event.payload["orders"]])
