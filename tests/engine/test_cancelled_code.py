"""Code of `run()` that is cancelled from within: a failing TaskGroup, `asyncio.timeout`, a task that cancels itself."""

import asyncio

import pytest

FAIL = {"retries": {"limit": 0, "delay": 0}}


def fail():
    raise ValueError("no")


async def test_task_group_that_fails_ends_the_instance(serve):
    """Its error is the instance's, with what is in it, and nothing holds the clock."""

    async def grouped(step):
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(fail))

    server = await serve(grouped)
    status = await server.finish(await server.create())
    assert ("errored", "ExceptionGroup") == (status.status, status.error.name)
    assert "unhandled errors in a TaskGroup (1 sub-exception): ValueError: no" == status.error.message


async def test_task_group_that_fails_and_is_caught_lets_run_go_on(serve):
    """Steps that come after it are run, replayed and completed like any other."""

    async def grouped(step):
        async def failing():
            await step.do("fail", FAIL, fail)

        async def slow():
            await step.sleep("a week", "7 days")

        with pytest.raises(ExceptionGroup):  # noqa: PT012 - the group is the statement
            async with asyncio.TaskGroup() as group:
                group.create_task(slow())
                group.create_task(failing())
        await step.sleep("a day", "1 day")
        return await step.do("after", lambda: "done")

    server = await serve(grouped)
    assert "done" == await server.run()


async def test_task_group_in_a_run_that_is_stopped_leaves_no_trace(serve):
    """What `run()` makes of the end of the process is no outcome: the next process goes on, and completes it."""

    async def grouped(step):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.to_thread(fail))
        except* ValueError:
            pass
        try:
            await step.sleep("a day", "1 day")
        except asyncio.CancelledError:
            return "cut off"
        return "done"

    server = await serve(grouped, file=True)
    instance = await server.create()
    await server.cancel_all()
    await server.restart()
    assert "done" == (await server.finish(await server.get(instance.id))).output


async def test_timeout_of_asyncio_around_a_step(serve):
    """It is a TimeoutError in `run()`, which goes on; the step itself does too."""
    release = asyncio.Event()

    async def impatient(step):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await step.do("slow", release.wait)
        release.set()
        return await step.do("after", lambda: "done")

    server = await serve(impatient)
    assert "done" == await server.run()


async def test_timeout_of_asyncio_that_leaves_run_ends_the_instance(serve):
    """The error is the instance's."""
    release = asyncio.Event()

    async def impatient(step):
        async with asyncio.timeout(0):
            await step.do("slow", release.wait)

    server = await serve(impatient)
    status = await server.finish(await server.create())
    assert ("errored", "TimeoutError") == (status.status, status.error.name)
    release.set()
    await server.unloaded()


async def test_run_that_cancels_itself_ends_the_instance(serve):
    """Nobody else stopped it, so it is an error as any other."""

    async def hasty(step):
        asyncio.current_task().cancel()
        await step.sleep("a day", "1 day")

    server = await serve(hasty)
    status = await server.finish(await server.create())
    assert ("errored", "CancelledError") == (status.status, status.error.name)


async def test_sys_exit_in_run_ends_the_instance_and_not_the_process(serve):
    """The error of the instance has its name."""

    async def leaving(step):
        raise SystemExit(3)

    server = await serve(leaving)
    status = await server.finish(await server.create())
    assert ("errored", "SystemExit") == (status.status, status.error.name)


BY_HAND = [GeneratorExit, KeyboardInterrupt, SystemExit, asyncio.CancelledError]


@pytest.mark.parametrize("kind", BY_HAND, ids=lambda kind: kind.__name__)
async def test_what_ends_more_than_the_code_raised_by_run_is_an_error(serve, kind):
    """The instance ends, with the name of the error."""

    async def raising(step):
        await step.sleep("a while", "1 second")
        raise kind("no")

    server = await serve(raising)
    status = await server.finish(await server.create())
    assert ("errored", kind.__name__) == (status.status, status.error.name)


@pytest.mark.parametrize("kind", BY_HAND, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("where", ["called", "awaited", "in a thread"])
async def test_what_ends_more_than_the_code_raised_by_a_callback_fails_its_attempt(serve, kind, where):
    """It is tried again, like after any other error, and the error says what was raised."""

    def called():
        raise kind("no")

    async def awaited():
        await asyncio.sleep(0)
        raise kind("no")

    async def raising(step):
        callback = {"called": lambda: later(), "awaited": awaited, "in a thread": called}[where]
        await step.do("raise", {"retries": {"limit": 1, "delay": "1 second"}}, callback)

    def later():
        raise kind("no")

    server = await serve(raising)
    instance = await server.create()
    status = await server.finish(instance)
    named = {SystemExit: "sys.exit", asyncio.CancelledError: "cancelled"}.get(kind, kind.__name__)
    assert "errored" == status.status
    assert named in status.error.message
    assert 2 == (await server.state(instance)).steps["raise-1"].attempts


@pytest.mark.parametrize("kind", BY_HAND, ids=lambda kind: kind.__name__)
async def test_what_ends_more_than_the_code_raised_by_a_delay_function_fails_the_step(serve, kind):
    """The instance ends."""

    async def delay(request):
        raise kind("no")

    async def raising(step):
        await step.do("fail", {"retries": {"limit": 3, "delay": delay}}, fail)

    server = await serve(raising)
    assert "errored" == (await server.finish(await server.create())).status
