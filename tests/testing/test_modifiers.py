"""Modifiers of an introspector: what they change of an instance, and what they refuse."""

import asyncio

import pytest
from mocked_orders import Flow, Order, calls, flow

from cfworkflows import (
    NonRetryableError,
    ReadableStream,
    Response,
    SerializationError,
    WorkflowEntrypoint,
    WorkflowError,
)
from cfworkflows.testing import (
    FakeEnv,
    IntrospectionError,
    LeakError,
    UnusedMockError,
    introspect_workflow,
    introspect_workflow_instance,
)


async def outcome(env, change=None):
    """The introspected outcome of one instance of the flow, with `change` asked for."""
    async with introspect_workflow_instance(env.FLOW, "f1") as instance:
        if change is not None:
            await instance.modify(change)
        handle = await env.FLOW.create(id="f1")
        try:
            return await handle.result(), [(each.type, each.attempt) for each in await handle.history()]
        except Exception as error:  # noqa: BLE001 - what it is, is the test's to say
            return error, [(each.type, each.attempt) for each in await handle.history()]


# What a modifier does


async def test_mocked_result_takes_the_place_of_the_callback():
    """It goes through the journal: attempt, result, and the value that `run()` reads."""
    async with FakeEnv(ORDERS=Order) as env, introspect_workflow_instance(env.ORDERS, "a1") as instance:
        await instance.modify(lambda m: m.mock_step_result("charge", {"n": (1, 2)}))
        order = await env.ORDERS.create(id="a1")
        assert {"n": (1, 2)} == await instance.wait_for_step_result({"name": "charge"})
        assert [] == calls
        types = [each.type for each in await order.history() if each.step == "charge"]
        assert ["step_started", "attempt_started", "attempt_completed", "step_completed"] == types


@pytest.mark.parametrize("value", [None, 0, "", False, []])
async def test_mocked_result_may_be_falsy(value):
    """Unlike on the platform, such a value is a result like any other."""

    async def does(step):
        return [await step.do("a", lambda: "real")]

    async with flow(does) as env:
        output, _ = await outcome(env, lambda m: m.mock_step_result("a", value))
    assert [value] == output


async def test_mocked_result_is_rebuilt_as_the_step_says():
    """As a real one it is a copy, in the class that the step is annotated to give."""
    result = {"items": [1]}
    seen = []

    async def does(step):
        seen.extend([await step.do("a", lambda: None), await step.do("a", lambda: None)])

    async with flow(does) as env:
        await outcome(env, lambda m: m.mock_step_result({"name": "a", "index": 2}, result))
    assert [None, result] == seen
    assert result is not seen[1]


async def test_mocked_stream_is_read_by_every_instance():
    """Its bytes are kept, so that the attempts of all instances get a fresh stream."""

    async def does(step):
        return await Response(await step.do("download", lambda: "real")).text()

    async def source():
        yield b"by"
        yield b"tes"

    async with flow(does) as env, introspect_workflow(env.FLOW) as flows:
        await flows.modify_all(lambda m: m.mock_step_result("download", ReadableStream(source())))
        results = [await (await env.FLOW.create()).result() for _ in range(2)]
    assert ["bytes", "bytes"] == results


async def test_mocked_errors_and_timeouts_take_one_attempt_after_the_other():
    """Then the result has its turn: the first attempts fail as asked, each with the delays of the step."""

    async def does(step):
        return await step.do("a", lambda: "real")

    def change(m):
        m.mock_step_error("a", ConnectionError("down"), 2)
        m.force_step_timeout("a", times=1)
        m.mock_step_result("a", "mocked")

    async with flow(does) as env, introspect_workflow_instance(env.FLOW, "f1") as instance:
        await instance.modify(change)
        handle = await env.FLOW.create(id="f1")
        assert "mocked" == await handle.result()
        errors = [each.error for each in await handle.history() if each.type == "attempt_errored"]
        assert [
            ("ConnectionError", "down"),
            ("ConnectionError", "down"),
            ("WorkflowTimeoutError", "Execution timed out after 0ms"),
        ] == [(error.name, error.message) for error in errors]
        assert 70_000 == env.clock.now() - 1_767_225_600_000


async def test_mocked_error_without_times_fails_every_attempt():
    """The step fails when its attempts are used up; a NonRetryableError fails it at once."""

    async def does(step):
        return await step.do("a", lambda: "real")

    async with flow(does) as env:
        error, history = await outcome(env, lambda m: m.mock_step_error("a", KeyError("k")))
    assert ("KeyError", 6) == (type(error).__name__, sum(type == "attempt_errored" for type, _ in history))
    async with flow(does) as env:
        error, history = await outcome(env, lambda m: m.mock_step_error("a", NonRetryableError("no")))
    assert ("NonRetryableError", 1) == (type(error).__name__, sum(type == "attempt_errored" for type, _ in history))


async def test_forced_step_timeout_needs_no_time_although_the_callback_would_hang():
    """The callback is not called; retries and all take the time of their delays only."""

    async def does(step):
        await step.do("hang", {"retries": {"limit": 1, "delay": "1 minute"}}, asyncio.Event().wait)

    async with flow(does) as env:
        start = env.clock.now()
        error, _ = await outcome(env, lambda m: m.force_step_timeout("hang"))
        assert start + 60_000 == env.clock.now()
    assert isinstance(error, TimeoutError)


async def test_disabled_retry_delays_leave_the_attempts():
    """All of them, at one time; those of other steps have their delays, if steps were named."""

    async def does(step):
        for name in ("a", "b"):
            try:
                await step.do(name, {"retries": {"limit": 2, "delay": "1 hour", "backoff": "constant"}}, lambda: 1 / 0)
            except ZeroDivisionError:
                calls.append(env.clock.now() - start)

    async with flow(does) as env:
        start = env.clock.now()
        _, history = await outcome(env, lambda m: m.disable_retry_delays())
        assert [1, 2, 3, 1, 2, 3] == [attempt for type, attempt in history if type == "attempt_started"]
        await outcome(env, lambda m: m.disable_retry_delays(["a"]))
    assert [0, 0, 0, 7_200_000] == calls


async def test_disabled_sleeps_are_logged_and_take_no_time():
    """All of them, or those that are named, by their index where there are several."""

    async def does(step):
        await step.sleep("a", "1 hour")
        await step.sleep("a", "1 hour")
        await step.sleep_until("b", env.clock.now() + 60_000)

    async with flow(does) as env:
        start = env.clock.now()
        _, history = await outcome(env, lambda m: m.disable_sleeps())
        assert 3 == sum(type == "sleep_completed" for type, _ in history)
        assert start == env.clock.now()
        await outcome(env, lambda m: m.disable_sleeps([{"name": "a", "index": 2}, "b"]))
        assert start + 3_600_000 == env.clock.now()


async def test_mocked_event_is_there_before_those_that_are_sent():
    """First come, first served; it survives a restart, which those that were sent do not."""

    async def does(step):
        first = await step.wait_for_event("first", type="go", timeout="1 day")
        await step.sleep("a day", "1 day")
        return [first.payload, (await step.wait_for_event("second", type="go", timeout="1 day")).payload]

    async with flow(does) as env, introspect_workflow_instance(env.FLOW, "f1") as instance:
        await instance.modify(lambda m: m.mock_event({"type": "go", "payload": 1}))
        handle = await env.FLOW.create(id="f1")
        await handle.send_event(type="go", payload=2)
        assert [1, 2] == await handle.result()
        await handle.restart()
        await handle.send_event(type="go", payload=3)
        assert [1, 3] == await handle.result()
        await handle.restart(from_={"name": "a day", "type": "sleep"})
        await instance.modify(lambda m: m.mock_event(type="go", payload=4))
        assert [1, 4] == await handle.result()


async def test_mocked_event_for_an_instance_that_waits_is_handed_over():
    """As if it had been sent."""
    async with FakeEnv(ORDERS=Order) as env, introspect_workflow_instance(env.ORDERS, "a1") as instance:
        await env.ORDERS.create(id="a1")
        await env.clock.advance("7 days")
        await instance.modify(lambda m: m.mock_event(type="approval", payload="Ada"))
        await instance.wait_for_status("complete")
        assert {"paid": "real", "by": "Ada"} == await instance.get_output()


async def test_forced_event_timeout_comes_at_once_with_the_message_of_the_real():
    """It tells the timeout that the code gives; an event that is there is not taken."""
    async with FakeEnv(ORDERS=Order) as env, introspect_workflow_instance(env.ORDERS, "a1") as instance:
        await instance.modify(lambda m: (m.force_event_timeout("approval"), m.disable_sleeps()))
        order = await env.ORDERS.create(id="a1")
        await order.send_event(type="approval", payload="Ada")
        assert "Execution timed out after 86400000ms" == (await order.result())["by"]
        assert 1_767_225_600_000 == env.clock.now()


@pytest.mark.parametrize("evict_after", [0, "10 seconds"])
async def test_mocks_survive_eviction(evict_after):
    """Replays read the journal: each mock is used once, also where every wait is a replay."""

    async def does(step):
        first = await step.do("a", lambda: calls.append("real"))
        await step.sleep("a day", "1 day")
        second = await step.do("b", lambda: calls.append("real"))
        await step.sleep("another", "1 day")
        return [first, second, (await step.wait_for_event("go", type="go", timeout="1 day")).payload]

    def change(m):
        m.mock_step_result("a", 1)
        m.mock_step_error("b", ValueError("no"), times=1)
        m.mock_step_result("b", 2)
        m.mock_event(type="go", payload=3)

    async with FakeEnv(FLOW=type("Flow", (Flow,), {"does": staticmethod(does)}), evict_after=evict_after) as env:
        output, history = await outcome(env, change)
    assert [1, 2, 3] == output
    assert ([], 1) == (calls, sum(type == "event_received" for type, _ in history))


async def test_mocks_are_for_steps_and_not_for_their_undoing():
    """A rollback handler is called although the step of that name is mocked."""

    async def does(step):
        await step.do("a", lambda: "real", rollback=lambda undo: calls.append(undo.output))
        raise NonRetryableError("undo")

    async with flow(does) as env:
        error, _ = await outcome(env, lambda m: m.mock_step_result("a", "mocked"))
    assert ("undo", ["mocked"]) == (str(error), calls)


# Wrong uses


async def test_mock_that_nothing_used_fails_the_test():
    """With its name, and the steps that there were."""
    changes = {
        'mock_step_result of step "chrage-1"': lambda m: m.mock_step_result("chrage", 1),
        'mock_step_error of step "charge-2"': lambda m: m.mock_step_error({"name": "charge", "index": 2}, ValueError()),
        'force_step_timeout of step "think-1"': lambda m: m.force_step_timeout("think"),
        'mock_event of event "aproval"': lambda m: m.mock_event(type="aproval"),
        'force_event_timeout of step "charge-1"': lambda m: m.force_event_timeout("charge"),
        'disable_sleeps of step "approval-1"': lambda m: m.disable_sleeps(["approval"]),
        'disable_retry_delays of step "charge-1"': lambda m: m.disable_retry_delays(["charge"]),
    }
    for told, change in changes.items():
        async with FakeEnv(ORDERS=Order) as env:
            instance = await introspect_workflow_instance(env.ORDERS, "a1").modify(change)
            await (await env.ORDERS.create(id="a1")).result()
            with pytest.raises(UnusedMockError) as raised:
                await instance.dispose()
        assert [
            "Nothing in orders/a1 used:",
            f"- {told}",
            'What there was: step "charge-1", sleep "think-1", wait "approval-1"',
        ] == str(raised.value).splitlines()


async def test_unused_mock_of_all_instances_fails_the_test():
    """If none of them used it: one that only some use is fine."""

    class Branching(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.do(event.payload, lambda: None)

    async def both(*names):
        async with FakeEnv(FLOW=Branching) as env, introspect_workflow(env.FLOW) as flows:
            await flows.modify_all(lambda m: (m.mock_step_result("a", 1), m.mock_step_result("b", 1)))
            for name in names:
                await env.FLOW.create(id=f"is-{name}", params=name)

    await both("a", "b")
    with pytest.raises(
        UnusedMockError, match=r'(?s)Nothing in flow used:.- mock_step_result of step "b-1".*is-a: step'
    ):
        await both("a")
    with pytest.raises(UnusedMockError, match="no instance was created"):
        await both()


async def test_unused_mock_does_not_hide_the_error_of_a_test():
    """The block ends with its own error."""

    async def failing():
        async with FakeEnv(ORDERS=Order) as env, introspect_workflow_instance(env.ORDERS, "a1") as instance:
            await instance.modify(lambda m: m.mock_step_result("charge", 1))
            raise KeyError

    with pytest.raises(KeyError):
        await failing()


async def test_unused_mock_of_an_introspector_that_nobody_disposed_of():
    """The end of the environment tells of it, once for each."""

    async def careless():
        async with FakeEnv(ORDERS=Order) as env:
            await introspect_workflow_instance(env.ORDERS, "a1").modify(lambda m: m.mock_step_result("a", 1))
            await introspect_workflow(env.ORDERS).modify_all(lambda m: m.mock_step_result("b", 1))
            await (await env.ORDERS.create(id="a2")).result()

    with pytest.raises(LeakError) as raised:
        await careless()
    assert [
        'the mock_step_result of step "b-1", which nothing used, for all of orders',
        'the mock_step_result of step "a-1", which nothing used, for orders/a1: it was never created',
    ] == raised.value.leaks


async def test_timeline_of_a_mocked_error_shows_no_code_of_the_kit():
    """There is no line of the user's that raised it."""

    async def does(step):
        await step.do("a", lambda: "real")

    async with flow(does) as env, introspect_workflow_instance(env.FLOW, "f1") as instance:
        await instance.modify(lambda m: m.mock_step_error("a", NonRetryableError("mocked")))
        handle = await env.FLOW.create(id="f1")
        await instance.wait_for_status("errored")
        told = (await handle.timeline()).splitlines()
    assert '             +0s    attempt 1 of "a-1" failed: NonRetryableError: mocked' == told[2]


async def test_wrong_uses_of_a_modifier():
    """In the platform's words, where it has any; each names the step."""

    def wrong(error, match, change):
        return error, match, change

    error = ValueError("no")
    for kind, match, change in (
        wrong(IntrospectionError, "mock step 'a' multiple times!", lambda m: m.mock_step_result("a", 2)),
        wrong(
            IntrospectionError, "error on step 'a' after mocking its result!", lambda m: m.mock_step_error("a", error)
        ),
        wrong(IntrospectionError, "timeout on step 'a' after mocking its", lambda m: m.force_step_timeout("a")),
        wrong(IntrospectionError, "Every attempt of step 'e' fails", lambda m: m.force_step_timeout("e")),
        wrong(SerializationError, "a function cannot be stored", lambda m: m.mock_step_result("b", lambda: 1)),
        wrong(TypeError, "takes an exception", lambda m: m.mock_step_error("b", "no")),
        wrong(ValueError, "1 or more, not 0", lambda m: m.mock_step_error("b", error, 0)),
        wrong(TypeError, "A step is its name", lambda m: m.mock_step_result({"nam": "b"}, 1)),
        wrong(ValueError, "from 1, not 0", lambda m: m.mock_step_result({"name": "b", "index": 0}, 1)),
        wrong(TypeError, r"takes a list of steps: \['a'\]", lambda m: m.disable_sleeps("a")),
        wrong(TypeError, "type and the payload", lambda m: m.mock_event(typ="a")),
        wrong(WorkflowError, "invalid_event_type", lambda m: m.mock_event(type="a.b")),
        wrong(IntrospectionError, "locked or unreadable", lambda m: m.mock_step_result("s", locked())),
        wrong(IntrospectionError, "chunks must be ArrayBuffer", lambda m: m.mock_step_result("s2", texts())),
    ):
        async with FakeEnv(ORDERS=Order) as env:
            instance = introspect_workflow_instance(env.ORDERS, "a1")
            await instance.modify(lambda m: (m.mock_step_result("a", 1), m.mock_step_error("e", error)))
            with pytest.raises(kind, match=match):
                await instance.modify(change)
            instance.mocks.all.clear()


def locked():
    stream = ReadableStream(b"bytes")
    stream.get_reader()
    return stream


async def texts():
    yield "text"
