"""Workflows that touch every verb, for the tests that kill and evict. Their effects survive the death of the server."""

import asyncio
from collections import Counter
from contextlib import suppress

from cfworkflows import NonRetryableError, WorkflowTimeoutError

effects: Counter[str] = Counter()
RETRY = {"retries": {"limit": 3, "delay": "1 second"}}


def effect(name, value=None):
    async def callback(ctx):
        effects[f"{ctx.step.name}-{ctx.step.count}"] += 1
        return value if value is not None else name

    return callback


async def sequential(step):
    return [await step.do("same", effect("same", n)) for n in range(3)]


async def parallel(step):
    async def branch(n):
        first = await step.do(f"first {n}", effect("first", n))
        await step.sleep(f"nap {n}", 1000 * n)
        return await step.do(f"second {n}", effect("second", first + 1))

    return await asyncio.gather(*(branch(n) for n in range(3)))


async def retry(step):
    async def flaky(ctx):
        effects["flaky-1"] += 1
        if ctx.attempt < 3:
            raise ValueError("not yet")
        return "at last"

    async def hopeless():
        raise NonRetryableError("never")

    try:
        await step.do("hopeless", hopeless)
    except NonRetryableError as error:
        return [str(error), await step.do("flaky", RETRY, flaky)]


async def sleeping(step):
    before = await step.do("before", effect("before"))
    await step.sleep("a day", "1 day")
    await step.sleep("a week", "1 week")
    return [before, await step.do("after", effect("after"))]


async def waiting(step):
    with suppress(WorkflowTimeoutError):
        await step.wait_for_event("nothing", type="nothing", timeout="1 hour")
    first, second = await asyncio.gather(
        step.wait_for_event("first", type="go", timeout="30 days"),
        step.wait_for_event("second", type="go", timeout="30 days"),
    )
    return [first.payload, second.payload, await step.do("after", effect("after"))]


async def nested(step):
    async def outer():
        inner = await step.do("save", effect("inner"))
        await step.sleep("nap", "1 minute")
        return [inner, await step.do("save", effect("again"))]

    first = await step.do("outer", {"retries": {"limit": 50, "delay": 1}}, outer)
    await step.sleep("nap", "1 minute")
    return [first, await step.do("save", effect("top"))]


async def decorated(step):
    @step.do("a")
    async def a():
        effects["a-1"] += 1
        return 1

    @step.do("b")
    async def b(a, ctx):
        effects["b-1"] += 1
        return [a, ctx.step.name]

    @step.do("c", concurrent=True)
    async def c(a, b):
        effects["c-1"] += 1
        return [a, b]

    return await c()


OUTPUTS = {
    sequential: [0, 1, 2],
    parallel: [1, 2, 3],
    retry: ["never", "at last"],
    sleeping: ["before", "after"],
    waiting: [1, 2, "after"],
    nested: [["inner", "again"], "top"],
    decorated: [1, [1, "b"]],
}


async def finish(server, instance):
    """Let time pass, and send an event, 1 and 2, to each wait of the type `go`, until the instance has ended."""
    while (status := await server.settled(instance)).status not in ("complete", "errored", "terminated"):
        state = await server.state(instance)
        waits = [wait for wait in state.waits.values() if not wait.done and wait.event_type == "go"]
        if len(waits) > len(state.events):
            await instance.send_event(type="go", payload=3 - len(waits) + len(state.events))
        elif server.clock.next_timer is not None:
            await server.clock.advance_to_next()
    return status
