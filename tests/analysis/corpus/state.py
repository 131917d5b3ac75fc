"""State that a replay does not have."""

import asyncio
import itertools

from cfworkflows import WorkflowEntrypoint


class State(WorkflowEntrypoint):
    async def run(self, event, step):
        found = []
        total = 0
        seen = {}

        async def work():
            nonlocal total
            found.append(1)  # !state-in-step
            total += 1  # !state-in-step
            seen["a"] = 1  # !state-in-step
            self.last = 1  # !state-in-step

        await step.do("work", work)
        await step.do("more", lambda: found.append(2))  # !state-in-step
        return [found, total, seen, self.last]


class Fine(WorkflowEntrypoint):
    async def run(self, event, step):
        results = []
        for n in range(3):
            results.append(await step.do(f"work {n}", lambda n=n: n))
        log = []

        @step.do("sum")
        async def add():
            parts = []
            for result in results:
                parts.append(result)
            log.append("only seen in here")
            return sum(parts)

        self.total = await add()
        await step.do("show", lambda: print(log.copy()))
        return self.total


class Event(WorkflowEntrypoint):
    async def run(self, event, step):
        event.payload.total = 1  # !event-mutation
        event["payload"]["items"].append(2)  # !event-mutation
        del event.payload["items"]  # !event-mutation
        order = dict(event.payload)
        order["total"] = 1

        async def change():
            event.payload.total += 1  # !event-mutation

        await step.do("change", change)
        event = order
        return event


class Loops(WorkflowEntrypoint):
    async def run(self, event, step):
        tasks = []
        for item in event.payload["items"]:
            tasks.append(step.do(f"a {item}", lambda: work(item)))  # !loop-variable
            await step.do(f"b {item}", lambda: work(item))
            await step.do(f"c {item}", lambda: work(1), {"rollback": lambda it: work(item)})  # !loop-variable
            await step.do(f"d {item}", lambda: work(1), rollback=lambda it, item=item: work(item))
        await asyncio.gather(*(step.do(f"e {n}", lambda: work(n)) for n in range(3)))  # !loop-variable
        await asyncio.gather(*(step.do(f"f {n}", lambda n=n: work(n)) for n in range(3)))
        for name in {"x", "y"}:  # !unordered-steps
            await step.do(name, lambda name=name: work(name))
        names = set(event.payload["names"])
        for name in names:  # !unordered-steps
            await step.do(name, lambda name=name: work(name))
        for name in sorted(names):
            await step.do(name, lambda name=name: work(name))
        await asyncio.gather(*tasks)


async def work(item):
    return item


counter = 0
calls = 0
counts = {"orders": 0, "seen": 0}
ids = itertools.count()
cache = {}


class Counters(WorkflowEntrypoint):
    made = 0

    async def run(self, event, step):
        global counter
        counter += 1  # !module-counter
        counts["orders"] += 1  # !module-counter
        Counters.made += 1  # !module-counter
        await step.do(f"order {counter}", lambda: 1)
        await step.do(f"order {next(ids)}", lambda: 1)  # !module-counter
        return [counts["orders"], Counters.made]


class OwnCounters(WorkflowEntrypoint):
    async def run(self, event, step):
        counter = 0
        counter += 1
        own = itertools.count()
        counts = {"orders": 0}
        counts["orders"] += 1
        return [await step.do(f"order {counter} {next(own)}", lambda: 1), counts["orders"]]


class Metrics(WorkflowEntrypoint):
    async def run(self, event, step):
        global calls
        calls += 1
        counts["seen"] += 1
        if event.payload["kind"] not in cache:
            cache[event.payload["kind"]] = len(cache)

        async def work():
            global counter
            counter += 1
            return f"{counter} {next(ids)}"

        return [await step.do("work", work), cache[event.payload["kind"]]]
