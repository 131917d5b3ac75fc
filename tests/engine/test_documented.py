"""Documented behaviours of the platform that belong to no other file: each is one sentence of its documentation."""

import asyncio

import pytest

from cfworkflows import NonRetryableError, WorkflowTimeoutError
from cfworkflows_emulator.views import History, describe_instance

DAY = 86_400_000
ONCE = {"retries": {"limit": 0, "delay": 0}}


async def test_a_workflow_without_steps_completes(serve):
    """What `run()` returns is the output."""

    async def run(step):
        return {"steps": 0}

    assert {"steps": 0} == await (await serve(run)).run()


async def test_a_workflow_that_returns_nothing_has_no_output(serve):
    """It is None, as null is on the platform."""

    async def run(step):
        await step.do("a", lambda: 1)

    status = await (await serve(run)).create()
    assert ("complete", None) == ((shown := await status.status()).status, shown.output)


async def test_the_event_tells_id_workflow_and_time_of_the_instance(serve):
    """And no schedule, unless one created it."""
    seen = []

    async def told(event, step):
        seen.append(dict(event))

    server = await serve(told)
    start = server.clock.now()
    await server.create(id="i", params={"n": 1})
    assert {"payload", "timestamp", "instanceId", "workflowName"} == set(seen[0])
    assert ("i", "told", {"n": 1}) == tuple(seen[0][key] for key in ("instanceId", "workflowName", "payload"))
    assert start == seen[0]["timestamp"].timestamp() * 1000


async def test_what_code_changes_in_an_event_or_a_result_is_not_kept(serve):
    """A replay sees the payload and the results as they were stored."""
    seen = []

    async def run(event, step):
        result = await step.do("a", lambda: {"list": []})
        again = await step.do("b", lambda: {"list": []})
        seen.append((event.payload.n, result.list, again is result))
        event.payload["n"] = 2
        result.list.append("changed")
        await step.sleep("nap", "1 day")

    server = await serve(run, evict_after_ms=0)
    await server.run(params={"n": 1})
    assert [(1, [], False)] * 2 == [(n, [], same) for n, _, same in seen]
    assert ["changed"] == seen[-1][1]


async def test_each_kind_of_step_counts_its_names_for_itself(serve):
    """A step, a sleep and a wait of one name are each the first of it, and the next step is the second."""

    async def run(step):
        await step.do("x", lambda: 1)
        await step.sleep("x", 1)
        with pytest.raises(WorkflowTimeoutError):
            await step.wait_for_event("x", type="never", timeout="1 second")
        await step.do("x", lambda: 2)

    server = await serve(run)
    instance = await server.create()
    await server.finish(instance)
    starts = [entry for entry in await server.journal(instance) if "_started x" in entry and "attempt" not in entry]
    assert ["step_started x-1", "sleep_started x-1", "wait_started x-1", "step_started x-2"] == starts


async def test_an_attempt_that_takes_too_long_is_tried_again(serve):
    """A timeout is an error like any other: `Execution timed out after {ms}ms`."""
    began = asyncio.Event()

    async def run(step):
        async def hang():
            began.set()
            await asyncio.Event().wait()

        with pytest.raises(WorkflowTimeoutError, match=r"^Execution timed out after 2000ms$"):
            await step.do("hang", {"retries": {"limit": 1, "delay": "1 second"}, "timeout": "2 seconds"}, hang)

    server = await serve(run)
    instance = await server["run"].create()
    start = server.clock.now()
    await server.time_out(began)
    began.clear()
    await server.clock.settle()
    server.clock._fire_next()
    await server.time_out(began)
    assert "complete" == (await server.settled(instance)).status
    assert 5_000 == server.clock.now() - start


async def test_a_wait_times_out_after_a_day_unless_it_says_otherwise(serve):
    """It is not tried again, and without a catch the instance is errored."""

    async def run(step):
        await step.wait_for_event("w", type="never")

    server = await serve(run)
    instance = await server.create()
    start = server.clock.now()
    status = await server.finish(instance)
    assert DAY == server.clock.now() - start
    assert ("errored", "WorkflowTimeoutError") == (status.status, status.error.name)
    assert f"Execution timed out after {DAY}ms" == status.error.message


async def test_an_event_gives_payload_type_and_time(serve):
    """These three, the time as a datetime of UTC."""

    async def run(step):
        event = await step.wait_for_event("w", type="go")
        return [sorted(event), event.payload, event.type, event.timestamp.timestamp() * 1000]

    server = await serve(run)
    instance = await server.create()
    await server.clock.advance("1 hour")
    await instance.send_event(type="go", payload=5)
    status = await server.settled(instance)
    assert [["payload", "timestamp", "type"], 5, "go", float(server.clock.now())] == status.output


async def test_an_event_wakes_an_instance_that_is_not_in_memory(serve):
    """It is replayed up to the wait, without its steps being run again."""
    calls = []

    async def run(step):
        await step.do("a", lambda: calls.append(1))
        return (await step.wait_for_event("w", type="go")).payload

    server = await serve(run, evict_after_ms=0)
    instance = await server.create()
    await server.clock.advance("1 second")
    assert {} == server.engine.residents.actors
    await instance.send_event(type="go", payload=5)
    assert 5 == (await server.settled(instance)).output
    assert [1] == calls


async def test_sensitive_output_is_hidden_from_those_who_watch(serve):
    """The code gets the value, the Explorer does not; the output of the workflow and errors are shown."""

    async def run(step):
        pin = await step.do("pin", {"sensitive": "output"}, lambda: 1234)
        try:
            await step.do("fails", {"sensitive": "output", **ONCE}, lambda: int("no"))
        except ValueError as error:
            return [pin, str(error)]

    server = await serve(run)
    instance = await server.create()
    _, entries = await server.engine.history("run", instance.id)
    shown = describe_instance(History.of(entries))
    assert "[REDACTED]" == shown["steps"][0]["output"]
    assert "invalid literal" in shown["steps"][1]["attempts"][0]["error"]["message"]
    assert 1234 == (await instance.status()).output[0]


async def test_a_non_retryable_error_out_of_run_is_the_error_of_the_instance(serve):
    """From a step that is tried once, or from `run()` itself: name and message are kept."""
    calls = []

    async def run(event, step):
        def fail():
            calls.append(1)
            raise NonRetryableError("stop")

        await (step.do("s", lambda: fail()) if event.payload == "step" else fail())

    server = await serve(run)
    for where in ("step", "run"):
        status = await server.finish(await server.create(params=where))
        assert ("errored", "NonRetryableError", "stop") == (status.status, status.error.name, status.error.message)
    assert [1, 1] == calls


async def test_code_between_steps_runs_again_and_steps_do_not(serve):
    """After each time the instance was out of memory."""
    log = []

    async def run(step):
        log.append("outside")
        await step.do("a", lambda: log.append("inside"))
        await step.sleep("nap", "1 day")

    server = await serve(run, evict_after_ms=0)
    await server.run()
    assert ["outside", "inside", "outside"] == log


async def test_an_instance_that_waits_runs_the_code_that_is_there_when_it_wakes(serve):
    """A new version of the Worker counts for instances that were created before it."""
    versions = ["old"]

    async def run(step):
        await step.sleep("nap", "1 day")
        return versions[-1]

    server = await serve(run, evict_after_ms=0)
    instance = await server.create()
    versions.append("new")
    assert "new" == (await server.finish(instance)).output
