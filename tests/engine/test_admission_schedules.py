"""An instance of a schedule runs for an hour without a slot of its own."""

import asyncio

import pytest
from slot_work import create


async def fire(server, name="run"):
    """An instance of a schedule of the workflow, as if it had fired now."""
    due = server.clock.now()
    await server.engine._creation.scheduled(name, "0 0 1 1 *", due)
    return await server.get(f"0 0 1 1 *-{due}")


async def test_an_instance_of_a_schedule_needs_no_slot_for_an_hour(working, work):
    """It runs beside those that have all slots, and those that are queued; it takes none from them."""
    server = await working(1)
    await create(server, "a", "b")
    scheduled = await fire(server)
    await work.until_began("a", scheduled.id)
    assert "running" == (await scheduled.status()).status
    await work.end("a")
    await work.until_began("a", scheduled.id, "b")
    await work.end("b", scheduled.id)
    assert "complete" == (await server.finish(scheduled)).status


class Marks(dict):
    """An event for each name."""

    def __missing__(self, name):
        return self.setdefault(name, asyncio.Event())


def phases(marks):
    """A workflow of two steps: the callback of the first tells that it began, and waits for the mark of its id."""

    async def run(event, step):
        async def first():
            marks["began", event.instance_id].set()
            await marks[event.instance_id].wait()

        await step.do("first", {"timeout": "1 day"}, first)
        return await step.do("second", lambda: 2)

    return run


@pytest.mark.parametrize("is_free", [True, False])
async def test_after_an_hour_it_takes_a_slot_or_is_queued(serve, is_free):
    """Its callback goes on, its next step waits for the slot; it goes before those that have not begun."""
    marks = Marks()
    server = await serve(phases(marks), concurrency_limit=1)
    scheduled = await fire(server)
    await marks["began", scheduled.id].wait()
    first = None if is_free else (await create(server, "a"))[0]
    if first is not None:
        await marks["began", "a"].wait()
    assert server.clock.next_timer is not None
    server.clock._fire_next()  # although the callbacks hold the clock
    last = (await create(server, "b"))[0]
    assert ("running" if is_free else "queued") == (await scheduled.status()).status
    assert "queued" == (await last.status()).status
    marks[scheduled.id].set()
    if first is not None:
        while "step_completed first-1" not in await server.journal(scheduled):  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert "step_started second-1" not in await server.journal(scheduled)
        assert not marks["began", "b"].is_set()
        marks["a"].set()
    await marks["began", "b"].wait()
    marks["b"].set()
    assert [2, 2] == [(await server.finish(each)).output for each in (scheduled, last)]
    assert (1 if is_free else 2) == (await server.journal(scheduled)).count("workflow_queued")


@pytest.mark.parametrize("hours", [0.5, 2])
async def test_one_that_sleeps_past_the_hour_is_queued_when_it_wakes(serve, work, hours):
    """And one that wakes before needs no slot."""

    async def run(event, step):
        if event.schedule is None:
            return await work.run(event, step)
        await step.sleep("nap", f"{hours} hours")
        return "done"

    server = await serve(run, concurrency_limit=1)
    scheduled = await fire(server)
    await server.settled(scheduled)
    await server.clock.advance(hours * 3_600_000 - 60_000)
    await create(server, "a")
    await work.until_began("a")
    assert server.clock.next_timer is not None
    server.clock._fire_next()  # although a callback holds the clock
    expected = "complete" if hours < 1 else "queued"
    while expected != (await scheduled.status()).status:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await work.end("a")
    assert "done" == (await server.finish(scheduled)).output


async def test_after_a_restart_of_the_server_it_still_needs_no_slot(serve, work):
    """It is taken up beside the one that has the slot."""

    async def run(event, step):
        return await work.run(event, step)

    server = await serve(run, file=True, concurrency_limit=1)
    await create(server, "a")
    scheduled = await fire(server)
    await work.until_began("a", scheduled.id)
    await server.restart()
    await work.until_began("a", scheduled.id, "a", scheduled.id)
    assert "running" == (await (await server.get(scheduled.id)).status()).status
    await work.end("a", scheduled.id)
    await server.clock.settle()
