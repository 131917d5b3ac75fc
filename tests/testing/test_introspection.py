"""Introspectors: what they tell, of one instance and of all, and what they refuse."""

import asyncio

import pytest
from mocked_orders import Order, calls, flow

from cfworkflows import AbortSignal, WorkflowError, scheduler
from cfworkflows import testing as kit
from cfworkflows.testing import (
    FakeEnv,
    IntrospectionError,
    Modifier,
    StalledError,
    WorkflowInstanceIntrospector,
    WorkflowIntrospector,
    introspect_workflow,
    introspect_workflow_instance,
)
from cfworkflows_emulator.testing.records import running

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


async def test_a_wait_of_the_scheduler_goes_by_the_clock_of_the_test():
    """In a callback too, and so does the timeout of a signal."""

    async def does(step):
        async def wait():
            signal = AbortSignal.timeout(90_000)
            await scheduler.wait(60_000)
            before = signal.aborted
            await scheduler.wait(60_000)
            return [before, signal.aborted]

        return await step.do("wait", {"timeout": "1 hour"}, wait)

    async with flow(does) as env:
        handle = await env.FLOW.create()
        await env.clock.advance("119 seconds", while_busy=True)
        assert "running" == (await handle.status()).status
        await env.clock.advance("1 second", while_busy=True)
        assert [False, True] == await handle.result()


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
