"""When a failed attempt is repeated: backoff, limits, delay functions."""

import asyncio
import math
from contextlib import suppress
from itertools import pairwise

import pytest

from cfworkflows import (
    NonRetryableDelayError,
    NonRetryableError,
    PortabilityWarning,
    StepError,
    WorkflowTimeoutError,
)
from cfworkflows_bindings import Environment
from cfworkflows_emulator.engine.run.retries import warn_of_retry


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [("constant", [200, 200, 200]), ("linear", [200, 400, 600]), ("exponential", [200, 400, 800])],
)
async def test_a_failed_attempt_is_repeated_after_the_backoff(serve, backoff, waits):
    """The platform's waits: d; d·n; d·2^(n-1)."""
    times = []

    async def run(step):
        async def fail():
            times.append(server.clock.now())
            raise ValueError("no")

        config = {"retries": {"limit": 3, "delay": 200, "backoff": backoff}}
        with pytest.raises(ValueError, match=r"^no$"):
            await step.do("fail", config, fail)

    server = await serve(run)
    await server.run()
    assert waits == [later - earlier for earlier, later in pairwise(times)]


async def test_the_default_is_five_retries_from_ten_seconds_on(serve):
    """Without a configuration: 6 attempts, exponential from 10 s."""
    attempts = []

    async def run(step):
        async def fail(ctx):
            attempts.append((ctx.attempt, server.clock.now() - start))
            raise ValueError("no")

        await step.do("fail", fail)

    server = await serve(run)
    start = server.clock.now()
    status = await server.finish(await server.create())
    assert [(1, 0), (2, 10_000), (3, 30_000), (4, 70_000), (5, 150_000), (6, 310_000)] == attempts
    assert {"name": "ValueError", "message": "no"} == status.error


async def test_limits_of_none_and_without_end(serve):
    """`limit: 0` is one attempt; `math.inf` is 10,000 retries; delays beyond all bounds do no harm."""
    attempts = []

    async def run(step):
        with pytest.raises(ValueError, match="no"):
            await step.do("once", {"retries": {"limit": 0, "delay": 1}}, lambda: int("no"))

        async def late(ctx):
            attempts.append(ctx.attempt)
            assert 10_000 == ctx.config["retries"]["limit"]
            if ctx.attempt < 80:
                raise ValueError("not yet")
            return ctx.attempt

        return await step.do("late", {"retries": {"limit": math.inf, "delay": "10 seconds"}}, late)

    server = await serve(run)
    assert 80 == await server.run()
    assert list(range(1, 81)) == attempts


@pytest.mark.parametrize(
    ("delay", "waited"),
    [
        (lambda request: "3 seconds", 3_000),
        (lambda request: 1000 * request.ctx.attempt, 1_000),
        (lambda request: len(str(request.error)), 5),
    ],
)
async def test_a_delay_function_is_asked_with_context_and_error(serve, delay, waited):
    """It gives ms or a duration, and gets `ctx` and `error`."""

    async def run(step):
        async def fail_once(ctx):
            assert "delay" not in ctx.config["retries"]
            if ctx.attempt == 1:
                raise ValueError("again")

        await step.do("s", {"retries": {"limit": 1, "delay": delay}}, fail_once)

    server = await serve(run)
    start = server.clock.now()
    await server.run()
    assert start + waited == server.clock.now()


async def _fail(request):
    raise RuntimeError("broken")


async def _fail_with_a_timeout(request):
    raise WorkflowTimeoutError("broken")


def _exit(request):
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("delay", "text"),
    [
        (_fail, "threw an error: broken"),
        (_fail_with_a_timeout, "threw an error: broken"),
        (_exit, "threw an error: The callback called sys.exit(3)."),
        (
            lambda request: "5minutes",
            'returned an invalid delay value (expected a number of ms or a duration string like "30 seconds")',
        ),
        (
            lambda request: -1,
            'returned an invalid delay value (expected a number of ms or a duration string like "30 seconds")',
        ),
    ],
)
async def test_a_delay_function_that_fails_ends_the_step(serve, delay, text):
    """One attempt, and the platform's message."""

    async def run(step):
        with pytest.raises(NonRetryableDelayError) as caught:
            await step.do("s", {"retries": {"limit": 3, "delay": delay}}, lambda: int("no"))
        return str(caught.value)

    server = await serve(run)
    assert f'The delay function for step "s-1" {text}' == await server.run(id="i")
    assert 1 == (await server.state(await server.get("i"))).steps["s-1"].attempts


async def test_a_delay_function_that_hangs_ends_the_step(serve):
    """It has five seconds, and is asked once."""
    asked = asyncio.Event()

    async def hang(request):
        asked.set()
        await asyncio.Event().wait()

    async def run(step):
        await step.do("s", {"retries": {"limit": 3, "delay": hang}}, lambda: int("no"))

    server = await serve(run)
    start = server.clock.now()
    instance = await server["run"].create()
    await server.time_out(asked)
    error = (await server.finish(instance)).error
    assert 5_000 == server.clock.now() - start
    text = 'The delay function for step "s-1" did not return within 5 seconds'
    assert ("NonRetryableDelayError", text) == (error.name, error.message)


async def test_a_subclass_of_non_retryable_error_is_told_to_be_retried(serve):
    """As on the platform, which goes by the name: a warning at the line that raised it, once for each class."""

    class Gone(NonRetryableError):
        pass

    def gone():
        raise Gone("no more")

    async def run(step):
        for name in "ab":
            with suppress(Exception):
                await step.do(name, gone, retries={"limit": 2, "delay": 0})

    with pytest.warns(PortabilityWarning) as told:
        await (await serve(run)).run()
    ((text, where),) = [(str(each.message), (each.filename, each.lineno)) for each in told]
    assert text.startswith("Gone derives from NonRetryableError, and is retried all the same: ")
    assert (__file__, gone.__code__.co_firstlineno + 1) == where


async def test_a_non_retryable_error_in_a_group_is_told_to_be_retried(serve):
    """Once for the line that raised it; and the step fails as the platform has it, after all of its attempts."""

    async def gone():
        raise NonRetryableError("no more")

    async def grouped():
        async with asyncio.TaskGroup() as group:
            group.create_task(gone())

    async def run(step):
        with pytest.raises(StepError) as caught:
            await step.do("a", grouped, retries={"limit": 2, "delay": 0})
        return str(caught.value)

    server = await serve(run)
    with pytest.warns(PortabilityWarning, match="left a step in a group, and the step is retried") as told:
        instance = await server.create()
    output = (await server.finish(instance)).output
    assert "unhandled errors in a TaskGroup (1 sub-exception): NonRetryableError: no more" == output
    assert [(__file__, gone.__code__.co_firstlineno + 1)] == [(each.filename, each.lineno) for each in told]
    assert 3 == (await server.state(instance)).steps["a-1"].attempts


async def test_where_warnings_are_errors_a_subclass_of_non_retryable_error_ends_the_step(serve):
    """The warning is the error of the step, and nothing else comes to harm."""

    class Gone(NonRetryableError):
        pass

    def gone():
        raise Gone("no more")

    async def run(step):
        with pytest.raises(StepError) as caught:
            await step.do("a", gone)
        return caught.value.name

    assert "PortabilityWarning" == await (await serve(run)).run()


async def test_a_subclass_that_keeps_the_name_is_not_told(serve):
    """It is not retried."""

    class Gone(NonRetryableError):
        def __init__(self, message):
            super().__init__(message, "NonRetryableError")

    async def run(step):
        def gone(ctx):
            raise Gone(str(ctx.attempt))

        with pytest.raises(NonRetryableError) as caught:
            await step.do("a", gone)
        return str(caught.value)

    assert "1" == await (await serve(run)).run()


async def test_a_binding_that_is_not_supported_ends_the_step_at_once(serve):
    """No attempt could find another one, and minutes of retries would hide it."""
    env = Environment({}, {"KV": "KV Namespace"})
    calls = []

    async def run(step):
        def read():
            calls.append(1)
            return env.KV

        await step.do("read", read)

    server = await serve(run)
    with pytest.raises(Exception, match=r"env\.KV is a binding of the kind KV Namespace"):
        await server.run()
    assert [1] == calls


def test_an_error_that_says_nothing_of_retries_is_retried_in_silence(recwarn):
    """Neither has one that was not raised a line to be told; a group speaks for what is in it."""

    class Gone(NonRetryableError):
        """One that is retried all the same."""

    for error in (ValueError("no"), Gone("never raised"), ExceptionGroup("several", [ValueError("no")])):
        warn_of_retry(error)
    assert [] == list(recwarn)
