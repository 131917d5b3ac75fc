"""`FakeEnv`: environments made in the test, and what their instances tell."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cfworkflows import NonRetryableError, WorkflowEntrypoint, WorkflowError, WorkflowFatalError
from cfworkflows.testing import FakeEnv, LeakError, StalledError
from cfworkflows_emulator.clock import VirtualClock


class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        payment = await step.do("charge", lambda: f"{self.env.CURRENCY} {event.payload.amount}")
        await step.sleep("think", "7 days")
        approval = await step.wait_for_event("wait for approval", type="approval", timeout="7 days")
        return {"payment": payment, "by": approval.payload}


def orders(**bindings):
    return FakeEnv(ORDERS=Order, CURRENCY="EUR", **bindings)


async def test_result_takes_a_week_of_virtual_time():
    """The output comes with the clock where the last timer left it."""
    async with orders() as env:
        start = env.clock.datetime
        order = await env.ORDERS.create(id="a1", params={"amount": 5})
        await order.send_event(type="approval", payload="Ada")
        assert {"payment": "EUR 5", "by": "Ada"} == await order.result()
        assert timedelta(days=7) == env.clock.datetime - start
        assert "EUR" == env.CURRENCY


async def test_result_raises_the_error_of_the_instance():
    """It has the class that it would have in `run()`, and names the instance."""

    class Declined(WorkflowEntrypoint):
        async def run(self, event, step):
            raise NonRetryableError("declined")

    async with FakeEnv(ORDERS=Declined) as env:
        order = await env.ORDERS.create(id="a1")
        with pytest.raises(NonRetryableError, match="declined") as raised:
            await order.result()
    assert "The workflow instance orders/a1 errored." == raised.value.__notes__[0]


async def test_result_of_a_terminated_instance():
    """There is none."""
    async with orders() as env:
        order = await env.ORDERS.create(id="a1", params={"amount": 5})
        await order.terminate()
        with pytest.raises(WorkflowError, match="orders/a1 was terminated"):
            await order.result()


async def test_event_sent_beside_result_arrives_before_the_timeout():
    """The clock waits for every call on a workflow that is under way."""
    async with orders() as env:
        order = await env.ORDERS.create(params={"amount": 5})
        await env.clock.advance("7 days")

        async def approve():
            for _ in range(5):
                assert "waiting" == (await order.status()).status
            await (await env.ORDERS.get(order.id)).send_event(type="approval", payload="Ada")

        output, _ = await asyncio.gather(order.result(), approve())
        assert "Ada" == output["by"]


async def test_clock_waits_for_callbacks_that_take_real_time():
    """In a thread or at a socket: each sees the time stand still, and nothing times out meanwhile."""
    seen = []

    class Slow(WorkflowEntrypoint):
        async def run(self, event, step):
            async def ask():
                async def answer(reader, writer):
                    writer.write(b"ok")
                    writer.close()

                server = await asyncio.start_server(answer, "127.0.0.1", 0)
                async with server:
                    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                    text = (await reader.read()).decode()
                    writer.close()
                    await writer.wait_closed()
                seen.append(env.clock.now())
                return text

            def block():
                seen.append(env.clock.now())
                return "done"

            both = await asyncio.gather(
                step.do("ask", ask, timeout="1 second"), step.do("block", block), step.sleep("an hour", "1 hour")
            )
            return both[:2]

    async with FakeEnv(SLOW=Slow) as env:
        start = env.clock.now()
        slow = await env.SLOW.create()
        assert ["ok", "done"] == await slow.result()
        assert [start, start] == seen
        assert start + 3_600_000 == env.clock.now()


async def test_clock_waits_for_a_step_that_nobody_awaits():
    """Its callback goes on after `run()` has returned; it sees the time at which it was called."""
    seen = []

    class Careless(WorkflowEntrypoint):
        async def run(self, event, step):
            def note():
                seen.append(env.clock.now())

            step.do("note", note)
            return "done"

    async with FakeEnv(CARELESS=Careless, ORDERS=Order, CURRENCY="EUR") as env:
        start = env.clock.now()
        await env.CARELESS.create()
        await env.clock.advance("1 day")
        assert [start] == seen


async def test_parallel_results_end_each_at_its_own_time():
    """Two tests of patience at once do not disturb each other."""

    class Nap(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.sleep("nap", f"{event.payload.hours} hours")
            return await step.do("when", lambda: env.clock.now())

    async with FakeEnv(NAP=Nap) as env:
        start = env.clock.now()
        naps = [await env.NAP.create(params={"hours": hours}) for hours in (3, 1, 2)]
        ended = await asyncio.gather(*(nap.result() for nap in naps))
        assert [3, 1, 2] == [(end - start) / 3_600_000 for end in ended]


async def test_waiting_in_vain_tells_what_everybody_waits_for():
    """With the event, the step, the line of the call, and the time."""
    line = Order.run.__code__.co_firstlineno + 3
    async with orders() as env:
        other = await env.ORDERS.create(id="a1", params={"amount": 5})
        order = await env.ORDERS.create(id="b1", params={"amount": 5})
        await env.clock.advance("7 days")
        await order.pause()
        env.clock.engine._alarms.close()
        env.clock._timers.clear()  # an engine that has forgotten its timers, so that nothing is due
        with pytest.raises(StalledError) as raised:
            await order.result()
    told = str(raised.value).splitlines()
    assert "orders/b1 would be waited for for ever: nothing is due, and nothing runs." == told[0]
    assert told[1].startswith('orders/a1 waits for event "approval" (step "wait for approval-1", tests/testing/')
    assert told[1].endswith(f"test_fake_env.py:{line}) until 2026-01-15 00:00")
    assert "orders/b1 is paused" == told[2]
    assert "a1" == other.id


async def test_a_paused_instance_is_waited_for_while_others_have_time():
    """One of them resumes it."""

    class Alarm(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.sleep("a day", "1 day")
            order = await self.env.ORDERS.get("a1")
            await step.do("resume", lambda: order.resume())

    async with orders(ALARM=Alarm) as env:
        order = await env.ORDERS.create(id="a1", params={"amount": 5})
        await env.clock.settle()
        await order.send_event(type="approval", payload="Ada")
        await order.pause()
        await env.ALARM.create()
        assert "Ada" == (await order.result())["by"]


async def test_schedules_fire_on_the_clock():
    """A daily one creates an instance a day, at its hour."""
    daily = FakeEnv.workflow(Order, name="daily", schedules=["0 9 * * *"])
    async with FakeEnv(ORDERS=daily, CURRENCY="EUR", start=datetime(2026, 3, 1, tzinfo=UTC)) as env:
        assert datetime(2026, 3, 1, tzinfo=UTC) == env.clock.datetime
        await env.clock.advance("33 hours")
        first = await env.ORDERS.get(f"0 9 * * *-{env.clock.now() - 86_400_000}")
        assert first.id != (await env.ORDERS.get(f"0 9 * * *-{env.clock.now()}")).id


async def test_limits_of_a_workflow():
    """They are those of a wrangler file."""

    class Long(WorkflowEntrypoint):
        async def run(self, event, step):
            for i in range(3):
                await step.do(f"step {i}", lambda: None)

    async with FakeEnv(LONG=FakeEnv.workflow(Long, limits={"steps": 2})) as env:
        with pytest.raises(Exception, match="limit of 2 steps"):
            await (await env.LONG.create()).result()


async def test_history_is_typed():
    """Each entry has its step, time and value."""
    async with orders() as env:
        order = await env.ORDERS.create(id="a1", params={"amount": 5})
        await env.clock.settle()
        history = await order.history()
        started = next(entry for entry in history if entry.type == "step_started")
        assert ("charge", 1, "workflow_queued") == (started.step, started.count, history[0].type)
        assert ({"amount": 5}, env.clock.datetime) == (history[0].value, history[0].time)
        assert datetime(2026, 1, 8, tzinfo=UTC) == history[-1].until
        assert __file__ in str(history[-1].at)


async def test_timeline_tells_attempts_errors_and_times():
    """Each line at its own time, an error with the place where it was raised."""
    tries = []

    class Flaky(WorkflowEntrypoint):
        async def run(self, event, step):
            def call():
                tries.append(1)
                if len(tries) == 1:
                    raise ConnectionError("down")
                return 42

            await step.do("call", call)
            await step.sleep("rest", "1 hour")

    async with FakeEnv(FLAKY=Flaky) as env:
        flaky = await env.FLAKY.create(id="f1")
        await env.clock.advance("10 seconds")
        told = (await flaky.timeline()).splitlines()
    assert "2026-01-01 00:00  created by binding with {}" == told[0]
    assert 'attempt 1 of "call-1" failed: ConnectionError: down (tests/testing/test_fake_env.py:' in told[2]
    assert told[2].endswith("next in 10s")
    assert '            +10s    "call-1" gave 42' == told[4]
    assert told[-1].startswith('             now  it sleeps (step "rest-1", ')


async def test_timeline_says_why_a_step_was_refused():
    """What is noted on an error stands behind its message."""

    class Refused(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.do("call", {"retry": {"limit": 1}}, lambda: 1)

    async with FakeEnv(REFUSED=Refused) as env:
        refused = await env.REFUSED.create(id="r1")
        with pytest.raises(WorkflowFatalError):
            await refused.result()
        told = await refused.timeline()
    assert told.endswith(" - unknown key retry; the keys are retries, timeout, sensitive. Did you mean retries?")


@pytest.mark.parametrize("where", ["async", "thread", "run", "group", "pytest.fail", "delay", "rollback"])
async def test_assertion_in_a_workflow_fails_the_test_at_once(where):
    """No retry, no other class, the line of the assertion: in callbacks, `run()`, delay functions and rollbacks."""
    calls = []

    async def fails():
        calls.append(1)
        assert where == "never", "this is the one"

    def fails_in_a_thread():
        calls.append(1)
        assert where == "never", "this is the one"

    class Asserting(WorkflowEntrypoint):
        async def run(self, event, step):
            match where:
                case "async":
                    await step.do("check", fails)
                case "thread":
                    await step.do("check", fails_in_a_thread)
                case "run":
                    await fails()
                case "group":
                    async with asyncio.TaskGroup() as group:
                        group.create_task(fails())
                case "pytest.fail":
                    await step.do("check", lambda: (calls.append(1), pytest.fail("this is the one")))
                case "delay":

                    async def delay(request):
                        await fails()

                    await step.do("check", lambda: 1 / 0, retries={"limit": 3, "delay": delay})
                case "rollback":
                    await step.do("check", lambda: 1, rollback=lambda: fails())
                    raise NonRetryableError("undo")

    async with FakeEnv(ASSERTING=Asserting) as env:
        instance = await env.ASSERTING.create(id="a1")
        with pytest.raises((AssertionError, pytest.fail.Exception), match="this is the one") as raised:
            await instance.result()
        assert [1] == calls
        assert __file__ == innermost_file(raised.value)
        assert "It was raised in the workflow instance asserting/a1." in raised.value.__notes__
        assert "stopped by" in (await instance.timeline()).splitlines()[-1]


def innermost_file(error):
    trace = error.__traceback__
    while trace.tb_next is not None and "_pytest" not in trace.tb_next.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename


async def test_assertion_that_nobody_awaits_is_raised_at_the_end():
    """The end of the block raises it."""

    class Asserting(WorkflowEntrypoint):
        async def run(self, event, step):
            assert event.payload.ok, "not ok"

    async def careless():
        async with FakeEnv(ASSERTING=Asserting) as env:
            await env.ASSERTING.create(params={"ok": False})
            await VirtualClock.settle(env.clock)  # which looks at nothing

    with pytest.raises(AssertionError, match="not ok"):
        await careless()


async def test_tasks_and_files_left_behind_are_named(tmp_path):
    """The names of both are in the error; the task is cancelled."""
    left = []

    async def careless():
        async with orders():
            left.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))
            left.append((tmp_path / "left.txt").open("w"))

    with pytest.raises(LeakError) as raised:
        await careless()
    task, file = left
    file.close()
    assert "the task forgotten: Event.wait" in raised.value.leaks[0]
    assert f"the open file {tmp_path / 'left.txt'}" == raised.value.leaks[1]
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_wrong_uses_of_a_fake_env():
    """Each says what to do instead."""
    with pytest.raises(RuntimeError, match="async with FakeEnv"):
        _ = orders().ORDERS
    with pytest.raises(TypeError, match="attribute clock of its own"):
        FakeEnv(clock=Order)
    with pytest.raises(ValueError, match="Two Workflows are called orders"):
        FakeEnv(A=FakeEnv.workflow(Order, name="orders"), ORDERS=Order)
    with pytest.raises(ValueError, match="step"):
        FakeEnv(A=FakeEnv.workflow(Order, steps=5))
    async with orders() as env:
        with pytest.raises(AttributeError, match="env has no binding NOTHING"):
            _ = env.NOTHING
        with pytest.raises(RuntimeError, match="opened once"):
            await env.__aenter__()


async def test_a_value_that_is_an_object_reads_with_dots():
    """As one of the configuration does."""
    async with orders(LIMITS={"eu": {"items": 5, "days": [{"n": 1}]}}) as env:
        assert (5, 1) == (env.LIMITS.eu["items"], env.LIMITS["eu"].days[0].n)
