"""Steps side by side, inside each other, and in threads."""

import asyncio
import functools

import pytest

from cfworkflows import WorkflowFatalError

EVICTION = pytest.mark.parametrize("evict_after_ms", [None, 0])


async def test_steps_side_by_side_run_at_the_same_time(serve):
    """`asyncio.gather` is `Promise.all`: each starts at its call; same names count on."""
    both = asyncio.Barrier(3)

    async def run(step):
        async def meet(ctx):
            await both.wait()
            return f"{ctx.step.name}-{ctx.step.count}"

        calls = [step.do("meet", meet) for _ in range(3)]
        await step.sleep("meet", 0)
        return await asyncio.gather(*calls)

    assert ["meet-1", "meet-2", "meet-3"] == await (await serve(run)).run()


@EVICTION
async def test_a_step_of_the_same_name_inside_and_outside_of_a_callback(serve, evict_after_ms):
    """On a replay the outer step is not called, and what comes after it still gets its own result."""

    async def run(step):
        outer = await step.do("outer", lambda: step.do("save", lambda: "inner"))
        top = await step.do("save", lambda: "top")
        await step.sleep("nap", "1 hour")
        return [outer, top, await step.do("save", lambda: "last")]

    assert ["inner", "top", "last"] == await (await serve(run, evict_after_ms=evict_after_ms)).run()


async def test_time_passes_for_a_sleep_inside_of_a_callback(serve):
    """The callback waits for it, so it does not hold the virtual clock."""

    async def run(step):
        async def outer():
            await step.sleep("nap", "1 minute")
            return (await step.wait_for_event("go", type="go", timeout="1 minute")).payload

        return await step.do("outer", outer)

    server = await serve(run)
    instance = await server.create()
    assert "running" == (await instance.status()).status
    await server.clock.advance("1 minute")
    await instance.send_event(type="go", payload=5)
    assert 5 == (await server.settled(instance)).output


async def test_a_step_called_from_a_thread_is_a_clear_error(serve):
    """It fails at once, for it would be called wrongly again."""

    async def run(step):
        def blocking():
            step.do("inner", lambda: 1)

        with pytest.raises(WorkflowFatalError, match='Step "inner" was called from a thread'):
            await step.do("outer", blocking)
        return await step.do("inner", lambda: "fine")

    server = await serve(run)
    start = server.clock.now()
    assert "fine" == await server.run()
    assert start == server.clock.now()


async def test_a_step_that_nobody_waits_for_any_more_goes_on(serve):
    """Cancelled by `asyncio.wait_for`, its result is stored and a replay finds it."""
    go, calls = asyncio.Event(), []

    async def run(step):
        async def slow():
            calls.append(1)
            await go.wait()
            return "slow"

        call = step.do("slow", slow)
        if not calls:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(call, 0.01)
            go.set()
        await step.sleep("nap", "1 hour")
        return call.cancelled() or await call

    server = await serve(run, evict_after_ms=0)
    assert "slow" == await server.run()
    assert [1] == calls


async def test_a_failed_sibling_can_be_caught(serve):
    """`gather` raises the first error, and the others go on."""

    async def run(step):
        config = {"retries": {"limit": 0, "delay": 0}}
        with pytest.raises(ValueError, match="no"):
            await asyncio.gather(step.do("a", config, lambda: int("no")), step.sleep("nap", "1 hour"))
        return await step.do("b", functools.partial(str, 5))

    server = await serve(run)
    assert "5" == (await server.settled(await server.create())).output
