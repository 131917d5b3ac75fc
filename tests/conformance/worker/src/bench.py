"""A workflow to measure with: many steps in a row or at once, an event, or a sleep."""

import asyncio

from cfworkflows import WorkflowEntrypoint, WorkflowEvent, WorkflowStep

DONE: set[str] = set()
STARTED: set[str] = set()


class Bench(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        STARTED.add(event.instanceId)
        params = event.payload
        result = None
        match params.kind:
            case "steps":
                result = 0
                for i in range(params.n):
                    result += await step.do(f"s{i}", lambda: 1)
            case "fanout":
                result = len(await asyncio.gather(*(step.do(f"f{i}", lambda i=i: i) for i in range(params.n))))
            case "event":
                result = (await step.wait_for_event("w", {"type": "go", "timeout": "1 hour"})).payload
            case "sleep":
                await step.do("before", lambda: 1)
                await step.sleep("nap", params.sleep)
                result = await step.do("after", lambda: 2)
        DONE.add(event.instanceId)
        return result
