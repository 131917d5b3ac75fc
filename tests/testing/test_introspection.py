"""Introspectors: what they change of an instance, what they tell, and what they refuse."""

import asyncio

import pytest

from cfworkflows import (
    NonRetryableError,
    ReadableStream,
    Response,
    SerializationError,
    WorkflowEntrypoint,
    WorkflowError,
)
from cfworkflows import testing as kit
from cfworkflows.testing import (
    FakeEnv,
    IntrospectionError,
    LeakError,
    Modifier,
    StalledError,
    UnusedMockError,
    WorkflowInstanceIntrospector,
    WorkflowIntrospector,
    introspect_workflow,
    introspect_workflow_instance,
)
from cfworkflows_emulator.testing.records import running

calls = []


@pytest.fixture(autouse=True)
def _no_calls():
    calls.clear()


class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        def charge():
            calls.append("charge")
            return "real"

        paid = await step.do("charge", charge)
        await step.sleep("think", "7 days")
        try:
            approval = await step.wait_for_event("approval", type="approval", timeout="1 day")
            return {"paid": paid, "by": approval.payload}
        except TimeoutError as error:
            return {"paid": paid, "by": str(error)}


class Flow(WorkflowEntrypoint):
    """Runs the function in the class attribute."""

    async def run(self, event, step):
        return await type(self).does(step)


def flow(does):
    return FakeEnv(FLOW=type("Flow", (Flow,), {"does": staticmethod(does)}))


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


# What an introspector tells


async def test_step_result_is_waited_for_and_its_error_raised():
    """Time passes until the step is over; at once, if it is."""

    async def does(step):
        await step.sleep("a day", "1 day")
        await step.do("good", lambda: 1)
        await step.do("secret", {"sensitive": "output"}, lambda: 2)
        await step.do("bad", {"retries": {"limit": 0, "delay": 0}}, lambda: 1 / 0)

    async with flow(does) as env, introspect_workflow_instance(env.FLOW, "f1") as instance:
        result = asyncio.ensure_future(instance.wait_for_step_result("good"))
        await env.FLOW.create(id="f1")
        assert 1 == await result
        assert "[REDACTED]" == await instance.wait_for_step_result("secret")
        with pytest.raises(ZeroDivisionError):
            await instance.wait_for_step_result("bad")
        assert 1 == await instance.wait_for_step_result("good")
        with pytest.raises(
            IntrospectionError, match=r'f1 is errored and has no result of step "god-1". Its steps: step "good-1"'
        ):
            await instance.wait_for_step_result("god")


async def test_statuses_output_and_error():
    """Each status is waited for; one that cannot come any more is an error, as is an output that is not there."""
    async with FakeEnv(ORDERS=Order) as env, introspect_workflow_instance(env.ORDERS, "a1") as instance:
        await instance.wait_for_status("queued")
        order = await env.ORDERS.create(id="a1")
        await instance.wait_for_status("running")
        await instance.wait_for_status("waiting")
        with pytest.raises(IntrospectionError, match='is in status "waiting" but must be "complete"'):
            await instance.get_output()
        await order.pause()
        await instance.wait_for_status("paused")
        await order.resume()
        await instance.wait_for_status("complete")
        assert "real" == (await instance.get_output())["paid"]
        with pytest.raises(IntrospectionError, match='is in status "complete" but must be "errored"'):
            await instance.get_error()
        with pytest.raises(
            IntrospectionError, match=r"a1 has reached status 'complete'\. .* the expected status of 'errored'"
        ):
            await instance.wait_for_status("errored")
        with pytest.raises(IntrospectionError, match="never has the status 'unknown'"):
            await instance.wait_for_status("unknown")


async def test_error_of_an_instance():
    """Its name and its message."""

    async def does(step):
        raise ValueError("no")

    async with flow(does) as env, introspect_workflow_instance(env.FLOW, "f1") as instance:
        await env.FLOW.create(id="f1")
        await instance.wait_for_status("errored")
        assert {"name": "ValueError", "message": "no"} == await instance.get_error()


async def test_instance_that_is_never_created_is_not_waited_for():
    """The test is told so at once."""
    async with FakeEnv(ORDERS=Order) as env, introspect_workflow_instance(env.ORDERS, "a1") as instance:
        with pytest.raises(StalledError, match="orders/a1 was not created"):
            await instance.wait_for_status("complete")


async def test_dispose_deletes_the_instance_and_its_timeline_is_kept():
    """Its id is free again."""
    async with FakeEnv(ORDERS=Order) as env:
        instance = await introspect_workflow_instance(env.ORDERS, "a1")
        await env.ORDERS.create(id="a1")
        await instance.dispose()
        await instance.dispose()
        told = dict(section for tell in running().timelines for section in tell())
        assert "created by binding" in told["orders/a1 (waiting)"]
        with pytest.raises(WorkflowError, match="not_found"):
            await env.ORDERS.get("a1")
        async with introspect_workflow_instance(env.ORDERS, "a1"):
            await env.ORDERS.create(id="a1")


# All instances of a workflow


async def test_all_instances_that_are_created_are_modified_before_they_start():
    """Those of a batch too, and none that was there before."""
    async with FakeEnv(ORDERS=Order) as env:
        await (await env.ORDERS.create(id="before")).result()
        async with introspect_workflow(env.ORDERS) as orders:
            assert [] == orders.get()
            await orders.modify_all(lambda m: (m.mock_step_result("charge", "mocked"), m.disable_sleeps()))
            await env.ORDERS.create(id="a1")
            await env.ORDERS.create_batch(instances=[{"id": "a2"}, {"id": "a1"}])
            assert ["a1", "a2"] == [instance.id for instance in await orders.get()]
            for instance in orders.get():
                await instance.modify(lambda m: m.mock_event(type="approval", payload="Ada"))
                await instance.wait_for_status("complete")
                assert {"paid": "mocked", "by": "Ada"} == await instance.get_output()
        assert ["charge"] == calls
        assert "complete" == (await (await env.ORDERS.get("before")).status()).status
        with pytest.raises(WorkflowError, match="not_found"):
            await env.ORDERS.get("a1")
        assert "real" == (await (await env.ORDERS.create(id="after")).result())["paid"]


async def test_what_one_instance_is_given_comes_beside_what_all_are():
    """Both count."""
    async with FakeEnv(ORDERS=Order) as env, introspect_workflow(env.ORDERS) as orders:
        instance = await introspect_workflow_instance(env.ORDERS, "a1")
        await instance.modify(lambda m: m.mock_step_result("charge", "mine"))
        await orders.modify_all(lambda m: m.disable_sleeps())
        await orders.modify_all(lambda m: m.force_event_timeout("approval"))
        order = await env.ORDERS.create(id="a1")
        assert "mine" == (await order.result())["paid"]
        assert 1_767_225_600_000 == env.clock.now()
        assert [instance] == orders.get()


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


async def test_wrong_uses_of_introspectors():
    """Each says what is needed."""
    async with FakeEnv(ORDERS=Order, WORD="x") as env:
        with pytest.raises(IntrospectionError, match="Workflow binding and instance id are required"):
            introspect_workflow_instance(env.ORDERS, "")
        with pytest.raises(IntrospectionError, match="Workflow binding is required"):
            introspect_workflow(None)
        with pytest.raises(IntrospectionError, match="needs a Workflow binding of the test's own env"):
            introspect_workflow(env.WORD)
        async with introspect_workflow(env.ORDERS), introspect_workflow_instance(env.ORDERS, "a1"):
            with pytest.raises(IntrospectionError, match=r'"orders" already has an active .* for binding "ORDERS"'):
                introspect_workflow(env.ORDERS)
            with pytest.raises(IntrospectionError, match="orders/a1 has an introspector"):
                introspect_workflow_instance(env.ORDERS, "a1")
        async with introspect_workflow(env.ORDERS):
            pass


async def test_ported_lines_work():
    """The platform's names, its awaits, and its `{name, index}`."""
    async with FakeEnv(ORDERS=Order) as env:
        async with await kit.introspectWorkflowInstance(env.ORDERS, "a1") as instance:

            async def change(m):
                await m.disableSleeps()
                await m.disableRetryDelays([{"name": "charge"}])
                await m.mockStepError({"name": "charge", "index": 1}, Exception("down"), 1)
                await m.forceStepTimeout({"name": "charge"}, 1)
                await m.mockStepResult({"name": "charge"}, "mocked")
                await m.mockEvent({"type": "approval", "payload": "Ada"})

            assert instance is await instance.modify(change)
            await env.ORDERS.create({"id": "a1"})
            assert "mocked" == await instance.waitForStepResult({"name": "charge"})
            await instance.waitForStatus("complete")
            assert {"paid": "mocked", "by": "Ada"} == await instance.getOutput()
        orders = await kit.introspectWorkflow(env.ORDERS)
        await orders.modifyAll(lambda m: m.forceEventTimeout({"name": "approval"}))
        await env.ORDERS.create()
        await (await orders.get())[0].waitForStatus("complete")
        await orders.dispose()


def test_every_method_has_its_camel_case_name():
    """None is forgotten when one is added."""
    for cls in (Modifier, WorkflowInstanceIntrospector, WorkflowIntrospector):
        for name in [name for name in vars(cls) if "_" in name.strip("_") and not name.startswith("_")]:
            if name != "read_streams":
                first, *rest = name.split("_")
                assert getattr(cls, first + "".join(map(str.title, rest))) is getattr(cls, name)


# Time that passes while a callback hangs


async def test_time_may_pass_while_a_callback_hangs():
    """Each attempt meets its timeout, and the instance fails with it; the late callbacks are waited for no more."""
    began = []

    async def does(step):
        async def hang():
            began.append(env.clock.now() - start)
            await asyncio.Event().wait()

        await step.do("hang", {"retries": {"limit": 1, "delay": "1 minute"}, "timeout": "30 seconds"}, hang)

    async with flow(does) as env:
        start = env.clock.now()
        handle = await env.FLOW.create()
        await env.clock.advance("29 seconds", while_busy=True)
        assert ([0], "running") == (began, (await handle.status()).status)
        await env.clock.advance("1 second", while_busy=True)
        assert "waiting" == (await handle.status()).status
        await env.clock.advance("59 seconds")
        await env.clock.advance("31 seconds", while_busy=True)
        with pytest.raises(TimeoutError, match="after 30000ms"):
            await handle.result()
        assert [0, 90_000] == began


@pytest.mark.cfworkflows(patience=0.2)
async def test_callback_that_hangs_is_told_of_with_what_helps():
    """The error names the way to let it time out."""

    async def does(step):
        await step.do("hang", asyncio.Event().wait)

    async with flow(does) as env:
        handle = await env.FLOW.create()
        with pytest.raises(StalledError, match=r"while_busy=True") as raised:
            await handle.result()
        assert 'is in attempt 1 (step "hang-1"' in str(raised.value)
