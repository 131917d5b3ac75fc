"""Rollback: handlers undo the steps in reverse order, whatever happens meanwhile."""

import asyncio
import dataclasses
import threading
from contextlib import suppress

import pytest
from undoing import ONCE, Undone, fail, outcome, rolled_back

from cfworkflows import NonRetryableError, WorkflowFatalError


@dataclasses.dataclass
class Reservation:
    id: int


async def test_handlers_run_in_reverse_order_of_the_starts(serve):
    """Parallel steps too; the failing step's own comes first, and a step without a handler has none."""
    undone = Undone()

    async def run(step):
        await step.do("one", lambda: 1, undone())
        await step.do("plain", lambda: 1)
        await asyncio.gather(step.do("p1", lambda: 1, undone()), step.do("p2", lambda: 2, undone()))
        await step.do("bad", ONCE, lambda: fail(), undone())

    server = await serve(run)
    status = await server.finish(await server.create())
    assert ["bad", "p2", "p1", "one"] == undone.names
    assert ("errored", "ValueError", "no money") == (status.status, status.error.name, status.error.message)
    assert ("complete", None) == outcome(status)


async def test_the_handlers_do_not_overlap(serve):
    """The next one starts when the one before has ended."""
    seen = []

    async def run(step):
        async def undo(rollback):
            seen.append(f"{rollback.step_name} in")
            for _ in range(20):
                await asyncio.sleep(0)
            seen.append(f"{rollback.stepName} out")

        for _ in range(2):
            await step.do("x", lambda: 1, rollback=undo)
        fail()

    server = await serve(run)
    await server.finish(await server.create())
    assert ["x-2 in", "x-2 out", "x-1 in", "x-1 out"] == seen


async def test_the_journal_of_a_rollback(serve):
    """The platform's events, all of them before `workflow_errored`."""
    undone = Undone()

    async def run(step):
        await step.do("a", lambda: 1, undone(failing=1), rollback_config={"retries": {"limit": 1, "delay": 100}})
        fail()

    server = await serve(run)
    instance = await server.create()
    await server.finish(instance)
    assert [
        "rollback_started",
        "rollback_step_started a-1",
        "rollback_attempt_started a-1",
        "rollback_attempt_errored a-1",
        "rollback_attempt_started a-1",
        "rollback_attempt_completed a-1",
        "rollback_step_completed a-1",
        "rollback_completed",
        "workflow_errored",
    ] == await rolled_back(server, instance)


async def test_what_a_handler_is_given(serve):
    """The forward step's context, the error that set it off, and the output with its class; None if there is none."""
    undone = Undone()

    async def run(step):
        async def reserve() -> Reservation:
            return Reservation(7)

        async def bad(ctx):
            fail()

        await step.do("reserve", {"timeout": "1 minute"}, reserve, undone())
        await step.do("bad", {"retries": {"limit": 2, "delay": lambda _: 1000}}, bad, undone())

    server = await serve(run)
    await server.finish(await server.create())
    bad, reserve = undone.calls
    assert (None, 3, "ValueError", "no money") == (
        bad.output,
        bad.ctx.attempt,
        type(bad.error).__name__,
        str(bad.error),
    )
    assert {"retries": {"limit": 2, "backoff": "exponential"}, "timeout": "10 minutes"} == bad.ctx.config
    assert (Reservation(7), "1 minute", 1) == (reserve.output, reserve.ctx.config["timeout"], reserve.ctx.attempt)
    assert ("reserve-1", {"name": "reserve", "count": 1}) == (reserve.step_name, reserve.ctx.step)


async def test_every_form_of_a_handler(serve):
    """With one argument or none; async, a lambda called inline, a plain def in a thread, in the decorator too."""
    seen = []

    async def run(step):
        async def coroutine():
            seen.append("coroutine")

        def in_thread(rollback):
            seen.append(("thread", threading.current_thread() is threading.main_thread(), rollback.output))

        def by_name(*, ctx):
            seen.append(("keyword", ctx.output))
            return object()  # what it returns is of no interest

        await step.do("1", lambda: 1, {"rollback": coroutine})
        await step.do("2", lambda: 2, rollback=in_thread)
        await step.do("3", lambda: 3, rollback=by_name)
        await step.do("4", lambda: 4, rollback=lambda: seen.append(threading.current_thread().name))

        @step.do("5", rollback=lambda rollback: seen.append(rollback.output))
        async def decorated():
            return 5

        await decorated()
        fail()

    server = await serve(run)
    assert ("complete", None) == outcome(await server.finish(await server.create()))
    assert [5, "MainThread", ("keyword", 3), ("thread", False, 2), "coroutine"] == seen


async def test_a_handler_that_asks_for_more_is_refused_at_the_call(serve):
    """The error is that of the step's call."""

    async def run(step):
        with pytest.raises(WorkflowFatalError, match=r"rollback handler asks for 2 arguments \(output, error\)"):
            step.do("a", lambda: 1, rollback=lambda output, error: None)

    server = await serve(run)
    await server.run()


async def test_retries_and_delays(serve):
    """Under the handler's own configuration; the step's is not inherited."""
    undone, times = Undone(), []

    async def run(step):
        async def undo():
            times.append(server.clock.now())
            if len(times) < 4:
                fail()

        config = {"retries": {"limit": 3, "delay": "1 second", "backoff": "linear"}}
        await step.do("first", lambda: 1, undone(failing=1))
        await step.do("a", ONCE, lambda: 1, {"rollback": undo, "rollbackConfig": config})
        fail()

    server = await serve(run)
    began = server.clock.now()
    status = await server.finish(await server.create())
    assert [0, 1000, 3000, 6000] == [time - began for time in times]
    assert 16_000 == server.clock.now() - began  # the default: the first retry after 10 seconds
    assert ("complete", None) == outcome(status)


async def test_a_delay_function_of_a_handler(serve):
    """It is asked as a step's is, and told the attempt of the handler."""
    undone, asked = Undone(), []
    handler = undone(failing=2)

    async def run(step):
        config = {"retries": {"limit": 2, "delay": lambda it: asked.append(it.ctx.attempt) or "1 minute"}}
        await step.do("a", lambda: 1, handler, rollback_config=config)
        fail()

    server = await serve(run)
    assert ("complete", None) == outcome(await server.finish(await server.create()))
    assert ([1, 2], 3) == (asked, len(undone.names))


async def test_the_chain_ends_at_the_first_handler_that_fails(serve):
    """The outcome tells its error; the instance's own error stays."""
    undone = Undone()

    async def run(step):
        await step.do("one", lambda: 1, undone())
        await step.do("two", lambda: 2, undone(failing=9), rollback_config={"retries": {"limit": 1, "delay": 1}})
        raise KeyError("outside")

    server = await serve(run)
    instance = await server.create()
    status = await server.finish(instance)
    assert ["two", "two"] == undone.names
    assert ("errored", {"name": "KeyError", "message": "outside"}) == (status.status, status.error)
    assert ("failed", ("ValueError", "cannot undo")) == outcome(status)
    assert ["rollback_step_errored two-1", "rollback_errored", "workflow_errored"] == (
        await rolled_back(server, instance)
    )[-3:]


async def test_a_non_retryable_error_of_a_handler(serve):
    """Ends it at once."""
    undone = Undone()

    async def run(step):
        await step.do("one", lambda: 1, undone())
        await step.do("two", lambda: 2, undone(failing=1, with_error=NonRetryableError))
        fail()

    server = await serve(run)
    status = await server.finish(await server.create())
    assert (["two"], ("failed", ("NonRetryableError", "cannot undo"))) == (undone.names, outcome(status))


async def test_a_handler_times_out(serve):
    """After the timeout of its own configuration."""
    began = asyncio.Event()

    async def run(step):
        async def hang():
            began.set()
            await asyncio.Event().wait()

        config = {"retries": {"limit": 0, "delay": 0}, "timeout": "5 seconds"}
        await step.do("a", lambda: 1, rollback=hang, rollback_config=config)
        fail()

    server = await serve(run)
    instance = await server[run.__name__].create()
    await server.time_out(began)
    status = await server.settled(instance)
    assert ("failed", ("WorkflowTimeoutError", "Execution timed out after 5000ms")) == outcome(status)


@pytest.mark.parametrize("error", [NonRetryableError("fatal"), TimeoutError("late"), SystemExit(1)])
async def test_any_error_that_leaves_run_sets_it_off(serve, error):
    """Also those that no step raised."""
    undone = Undone()

    async def run(step):
        await step.do("a", lambda: 1, undone())
        raise error

    server = await serve(run)
    status = await server.finish(await server.create())
    assert (["a"], "errored", type(error).__name__) == (undone.names, status.status, status.error.name)


async def test_what_sets_off_no_rollback(serve):
    """A success, an error that was caught, an output that cannot be stored, a plain terminate."""
    undone = Undone()

    async def success(step):
        await step.do("a", lambda: 1, undone())

    async def caught(step):
        await success(step)
        with suppress(ValueError):
            await step.do("bad", ONCE, lambda: fail(), undone())

    async def unstorable(step):
        await success(step)
        return object()

    async def terminated(step):
        await success(step)
        await step.sleep("nap", "1 day")

    server = await serve(success, caught, unstorable, terminated)
    for workflow, end in zip(server.classes, ("complete", "complete", "errored", "terminated"), strict=True):
        instance = await server[workflow].create()
        if workflow is server.classes[-1]:
            await server.clock.settle()
            await instance.terminate({"rollback": "yes"})  # as on the platform, only True counts
        status = await server.finish(instance)
        assert (end, None) == (status.status, status.rollback)
        assert not [entry for entry in await server.journal(instance) if entry.startswith("rollback")]
    assert [] == undone.names


async def test_without_handlers_there_is_no_rollback(serve):
    """Neither after an error, nor after a terminate that asks for one."""

    async def run(step):
        await step.do("a", lambda: 1)
        await step.sleep("nap", "1 day")
        fail()

    server = await serve(run)
    instance = await server.create()
    await instance.terminate(rollback=True)
    assert ("terminated", None) == ((status := await instance.status()).status, status.rollback)
    assert None is (await server.finish(await server.create())).rollback
