"""What has no fixed order: sets, what asyncio.wait gives, and timeouts that are not stored."""

import asyncio
from asyncio import wait_for

from cfworkflows import WorkflowEntrypoint


class Sets(WorkflowEntrypoint):
    async def run(self, event, step):
        wanted = set(event.payload["wanted"])
        there = set(event.payload["there"])
        for name in wanted & there:  # !unordered-steps
            await step.do(name, lambda name=name: name)
        for name in wanted.difference(there):  # !unordered-steps
            await step.do(name, lambda name=name: name)
        for name in list(wanted):  # !unordered-steps
            await step.do(name, lambda name=name: name)
        for name in event.payload["a"].keys() - there:  # !unordered-steps
            await step.do(name, lambda name=name: name)
        await asyncio.gather(*{step.do("a", lambda: 1), step.do("b", lambda: 2)})  # !unordered-steps
        tasks = {step.do(f"c {n}", lambda n=n: n) for n in range(3)}
        return await asyncio.gather(*tasks)  # !unordered-steps


class SortedSets(WorkflowEntrypoint):
    async def run(self, event, step):
        wanted = set(event.payload["wanted"])
        for name in sorted(wanted & set(event.payload["there"])):
            await step.do(name, lambda name=name: name)
        mask = event.payload["flags"] & 7
        for n in range(mask):
            await step.do(f"n {n}", lambda n=n: n)
        for name in event.payload["names"].copy():
            if name in wanted:
                await step.do(name, lambda name=name: name)
        wanted = sorted(wanted)
        for name in wanted:
            await step.do(f"again {name}", lambda name=name: name)
        print({name.upper() for name in set(wanted)})
        unique = {"a", "b"}
        return await asyncio.gather(*[step.do(name, lambda name=name: name) for name in sorted(unique)], *unique_of())


def unique_of():
    return set()


class Done(WorkflowEntrypoint):
    async def run(self, event, step):
        tasks = [asyncio.ensure_future(step.do(f"a {n}", lambda n=n: n)) for n in range(3)]
        done, pending = await asyncio.wait(tasks)
        found = []
        for task in done:  # !unordered-steps
            found.append(task.result())
        for task in done:  # !unordered-steps
            await step.do("store", lambda: 1)
        return [found, pending, [task.result() for task in done]]  # !unordered-steps


class DoneInOrder(WorkflowEntrypoint):
    async def run(self, event, step):
        tasks = [asyncio.ensure_future(step.do(f"a {n}", lambda n=n: n)) for n in range(3)]
        done, _ = await asyncio.wait(tasks)
        for task in done:
            task.result()
        later = []
        for task in done:
            later.append(task.result())
        print(sorted(later))
        ok = all(task.result() for task in done)
        some = sorted([task.result() for task in done])
        done = [task for task in tasks if task.done()]
        for task in done:
            some.append(task.result())
        return [ok, some, [task.result() for task in tasks if task in done]]


class DoneAndCounted(WorkflowEntrypoint):
    async def run(self, event, step):
        done, pending = await asyncio.wait([step.sleep("a", 1), step.sleep("b", 1)])
        for each in pending:
            each.cancel()

        @step.do("race in a step")
        async def work():
            ended, _ = await asyncio.wait([asyncio.sleep(1), asyncio.sleep(2)])
            return [each.result() for each in ended]

        return [len(done), sum([1 for _ in done]), await work()]


class Timeouts(WorkflowEntrypoint):
    async def run(self, event, step):
        await asyncio.wait_for(step.do("a", lambda: 1), 5)  # !plain-timeout
        await wait_for(self.work(step), timeout=5)  # !plain-timeout
        async with asyncio.timeout(5):  # !plain-timeout
            await step.wait_for_event("b", {"type": "b"})
        async with asyncio.timeout(5) as limit:  # !plain-timeout
            await self.work(step)
        later = step.do("c", lambda: 1)
        done, _ = await asyncio.wait([later], timeout=5)  # !plain-timeout
        return [len(done), limit.expired()]

    async def work(self, step):
        await step.do("work", lambda: 1)


class OtherTimeouts(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("a", {"timeout": "5 seconds"}, lambda: self.slow())
        await asyncio.wait_for(step.do("b", lambda: 1), None)
        async with asyncio.timeout(None):
            await step.do("c", lambda: 1)
        async with asyncio.timeout(1):
            parsed = await self.parse(event)
        await asyncio.wait_for(self.parse(event), 1)
        return parsed

    async def slow(self):
        async with asyncio.timeout(5):
            return await wait_for(self.parse(1), 1)

    async def parse(self, event):
        return event
