"""`step.do` on the engine: results, retries, timeouts and errors."""

import asyncio
import threading
from dataclasses import dataclass
from functools import partial

import pytest
from pydantic import BaseModel

from cfworkflows import (
    NonRetryableError,
    SerializationError,
    StepError,
    WorkflowFatalError,
    WorkflowInternalError,
)


@dataclass
class Point:
    x: int
    y: int


class Order(BaseModel):
    id: str
    total: float


class CustomError(Exception):
    pass


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_a_result_is_the_same_on_first_run_and_replay(serve, evict_after_ms):
    """What `run()` sees is what was stored, whether the step has just run or not."""
    seen = []

    async def run(step):
        values = [
            await step.do("tuple", lambda: (1, 2)),
            await step.do("dict", lambda: {"a": {"b": 1}}),
            await step.do("point", lambda: Point(1, 2)),
            await step.do("order", lambda: Order(id="o", total=2.5)),
            await step.do("none", lambda: None),
        ]
        values[1].a.b = 2  # does not reach storage
        seen.append((values, [type(value) for value in values]))
        await step.sleep("nap", "1 hour")

    server = await serve(run, evict_after_ms=evict_after_ms)
    await server.run()
    assert ((1, 2), {"a": {"b": 2}}, Point(1, 2), Order(id="o", total=2.5), None) == tuple(seen[0][0])
    assert [tuple, Point, Order] == [seen[0][1][0], *seen[0][1][2:4]]
    assert (1 if evict_after_ms is None else 2) == len(seen)
    assert all(seen[0] == other for other in seen)


async def test_a_callbacks_annotation_and_returns_name_the_type_of_the_result(serve):
    """Plain data becomes what the callback is annotated to give, or what `returns=` names."""

    async def fetch() -> Order:
        return {"id": "o", "total": 1}

    async def run(step):
        first = await step.do("annotated", fetch)
        second = await step.do("named", lambda: {"x": 1, "y": 2}, returns=Point)
        return [first.total, second.x, type(first).__name__, type(second).__name__]

    assert [1.0, 1, "Order", "Point"] == await (await serve(run)).run()


async def test_a_late_result_is_discarded_and_the_callback_goes_on(serve):
    """A timeout ends the attempt and not the callback; what it gives later is nobody's."""
    began, go, finished = asyncio.Event(), asyncio.Event(), []

    async def run(step):
        async def slow(ctx):
            if ctx.attempt == 1:
                began.set()
                await go.wait()
                finished.append(ctx.attempt)
            return ctx.attempt

        return await step.do("slow", {"timeout": "1 day", "retries": {"limit": 1, "delay": "1 hour"}}, slow)

    server = await serve(run)
    instance = await server["run"].create()
    await server.time_out(began)
    await server.clock.settle()
    assert "waiting" == (await instance.status()).status
    go.set()
    await server.finish(instance)
    assert [1] == finished
    assert 2 == (await instance.status()).output
    errored = [e for e in (await server.engine.history("run", instance.id))[1] if e.type == "attempt_errored"]
    assert ["Execution timed out after 86400000ms"] == [entry.data["error"]["message"] for entry in errored]


@pytest.mark.parametrize(
    ("error", "attempts", "kind", "text"),
    [
        (NonRetryableError("stop"), 1, NonRetryableError, "stop"),
        (NonRetryableError("stop", "Custom"), 2, StepError, "stop"),
        (Exception("NonRetryableError: fake"), 1, Exception, "NonRetryableError: fake"),
        (ValueError("bad"), 2, ValueError, "bad"),
        (KeyError("key"), 2, KeyError, "'key'"),
        (ZeroDivisionError("zero"), 2, ZeroDivisionError, "zero"),
        (StopIteration("end"), 2, RuntimeError, None),
        (StopAsyncIteration("end"), 2, StopAsyncIteration, "end"),
        (CustomError("bad"), 2, StepError, "bad"),
        (Exception("plain"), 2, Exception, "plain"),
        (SystemExit(3), 2, RuntimeError, "The callback called sys.exit(3)."),
        (pytest.fail.Exception("failed"), 2, RuntimeError, "The callback raised Failed: failed"),
        (asyncio.CancelledError(), 2, RuntimeError, "The callback was cancelled from within."),
        (WorkflowFatalError("wrong"), 1, WorkflowFatalError, "wrong"),
        (TimeoutError("slow"), 2, TimeoutError, "slow"),
    ],
)
@pytest.mark.parametrize("form", ["async", "thread", "lambda"])
async def test_an_error_arrives_the_same_on_first_run_and_replay(serve, error, attempts, kind, text, form):
    """Builtin classes and our own keep their type, others become StepError; NonRetryableError ends the step."""
    if form == "thread" and isinstance(error, asyncio.CancelledError):
        pytest.skip("a thread cannot be cancelled")
    seen, calls = [], []

    def fail():
        calls.append(1)
        raise error

    async def fail_async():
        fail()

    callback = {"async": fail_async, "thread": fail, "lambda": lambda: fail()}[form]

    async def run(step):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is is what is asked
            await step.do("s", {"retries": {"limit": 1, "delay": 1}}, callback)
        seen.append((type(caught.value), str(caught.value), getattr(caught.value, "name", None)))
        await step.sleep("nap", 1)

    server = await serve(run, evict_after_ms=0)
    await server.run()
    assert attempts == len(calls)
    assert 2 == len(seen)
    assert seen[0] == seen[1]
    assert kind is seen[0][0]
    assert text in (None, seen[0][1])
    if isinstance(error, CustomError):
        assert "CustomError" == seen[0][2]


async def test_errors_out_of_run_end_the_instance(serve):
    """What `run()` raises is the instance's error, NonRetryableError too."""

    async def run(event, step):
        raise {"own": CustomError("bad"), "final": NonRetryableError("stop"), "exit": SystemExit(2)}[event.payload.how]

    server = await serve(run)
    statuses = [await server.finish(await server.create(params={"how": how})) for how in ("own", "final", "exit")]
    assert ["errored"] * 3 == [status.status for status in statuses]
    assert [("CustomError", "bad"), ("NonRetryableError", "stop"), ("SystemExit", "2")] == [
        (status.error.name, status.error.message) for status in statuses
    ]


async def test_an_outcome_of_pytest_in_run_ends_the_instance(serve):
    """An error that is no Exception does not leave an instance running for ever."""

    async def run(step):
        pytest.fail("no")

    assert "Failed" == (await (server := await serve(run)).finish(await server.create())).error.name


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (threading.Lock(), SerializationError, 'Value returned from step "s" is not serialisable. $: a _thread.lock'),
        ({"items": [object()]}, SerializationError, "$.items[0]"),
        ("x" * 2 * 1024 * 1024, WorkflowInternalError, "Step s-1 output is too large. Maximum allowed size is 1MiB."),
        ("é" * 600 * 1024, WorkflowInternalError, "Step s-1 output is too large"),
    ],
)
async def test_a_result_that_cannot_be_stored_fails_the_step_at_once(serve, value, error, text):
    """One attempt: the next one would return the same."""
    calls = []

    async def run(step):
        async def give():
            calls.append(1)
            return value

        with pytest.raises(error) as caught:
            await step.do("s", give)
        return str(caught.value)

    assert text in await (await serve(run)).run()
    assert 1 == len(calls)


async def test_a_result_of_exactly_one_mebibyte_is_stored(serve):
    """The limit counts the value, not the quotes around it."""

    async def run(step):
        return len(await step.do("big", lambda: "x" * 1024 * 1024))

    assert 1024 * 1024 == await (await serve(run)).run()


@pytest.mark.parametrize("value", [threading.Lock(), "é" * 600 * 1024])
async def test_an_output_that_cannot_be_stored_ends_the_instance(serve, value):
    """Also one whose characters are fewer than its bytes."""

    async def run(step):
        return value

    server = await serve(run)
    status = await server.finish(await server.create())
    assert ("errored", "SerializationError") == (status.status, status.error.name)
    assert status.error.message.startswith("The output of the workflow cannot be stored: ")


async def test_a_returned_coroutine_is_awaited(serve):
    """A lambda that calls an async function gives what that function gives, also through a partial."""

    async def work(n=1):
        return n

    async def run(step):
        return [await step.do("a", lambda: work()), await step.do("b", lambda: partial(work, 2)())]

    assert [1, 2] == await (await serve(run)).run()


async def test_the_step_limit_counts_calls(serve):
    """The platform's message, for the call that is one too many."""

    async def run(step):
        for n in range(4):
            await step.sleep("nap", 0)
            await step.do(f"s{n}", lambda: None)

    server = await serve(run, step_limit=3)
    error = (await server.finish(await server.create())).error
    assert "WorkflowFatalError" == error.name
    text = "The limit of 3 steps has been reached. This limit can be changed in your worker configuration."
    assert text == error.message


async def test_a_stored_configuration_is_kept_when_the_code_changes(serve):
    """Only a delay function is taken from the code as it is now, for it cannot be stored."""
    attempts = []
    config = {"retries": {"limit": 3, "delay": lambda request: 1000, "backoff": "constant"}}

    async def run(step):
        async def fail(ctx):
            attempts.append((ctx.attempt, ctx.config))
            raise ValueError("no")

        await step.do("s", config, fail)

    server = await serve(run, evict_after_ms=0)
    instance = await server.create()
    config = {"retries": {"limit": 0, "delay": lambda request: 5000}, "timeout": 1}
    start = server.clock.now()
    await server.finish(instance)
    assert [1, 2, 3, 4] == [attempt for attempt, _ in attempts]
    assert 11_000 == server.clock.now() - start
    assert {"timeout": "10 minutes", "retries": {"limit": 3, "backoff": "constant"}} == attempts[-1][1]


async def test_a_step_that_nobody_awaits_runs_though_run_returns_at_once(serve):
    """The call starts it, as a promise is started; the instance is complete meanwhile, and its end is written down."""
    log, began, go = [], asyncio.Event(), asyncio.Event()

    async def background():
        log.append("began")
        began.set()
        await go.wait()
        log.append("ended")

    async def run(step):
        step.do("background", background)
        return "returned"

    server = await serve(run)
    instance = await server.create()
    assert "returned" == (await server.settled(instance)).output
    await began.wait()
    (callback,) = server.engine._shared.callbacks.running
    go.set()
    await callback
    assert ["began", "ended"] == log
    await server.unloaded()
    journal = await server.journal(instance)
    ends = ["workflow_completed", "attempt_completed background-1", "step_completed background-1"]
    assert ends == journal[-3:]
    assert ("complete", "returned") == ((status := await instance.status()).status, status.output)
