"""The feed of all instances of a workflow: what was and what comes, each once, and where it goes on."""

import asyncio
from contextlib import aclosing

import pytest

from cfworkflows import WorkflowError
from cfworkflows_emulator.engine.feed import CHUNK


async def nap(event, step):
    await step.do("a", lambda: 1)
    await step.sleep("z", "1 hour")


async def other(event, step):
    await step.do("not to be seen", lambda: 1)


async def taken(feed, count):
    """The next `count` events of a feed, which is then closed."""
    found = []
    async with aclosing(feed.events()) as events:
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


async def followed(server):
    """Wait until a feed waits for what comes."""
    while not server.engine.store._followers:  # noqa: ASYNC110 - the store has no event for it
        await asyncio.sleep(0)


def types(events):
    return [event.event.type for event in events]


async def shown(server, *instances):
    """The events of the instances by their subscriptions, each as `(type, timestamp)`, in the order of time."""
    found = []
    for instance in instances:
        async with await instance.subscribe() as events:
            found += [(event.type, event.timestamp) async for event in events]
    return sorted(found, key=lambda each: each[1])


async def test_history_comes_in_the_order_of_time(serve):
    """All of the workflow's instances, and none of another's."""
    server = await serve(nap, other)
    first = await server.create()
    await server.clock.advance("1 minute")
    second = await server.create()
    await server["other"].create()
    for instance in (first, second):
        await server.finish(instance)
    expected = await shown(server, first, second)
    events = await taken(server.engine.follow("nap"), len(expected))
    assert sorted(expected) == sorted((event.event.type, event.event.timestamp) for event in events)
    times = [event.event.timestamp for event in events]
    assert sorted(times) == times


async def test_what_comes_is_given_when_it_is_durable(serve):
    """A feed that is open gives the events of new instances too, and not those of another workflow."""
    server = await serve(nap, other)
    feed = server.engine.follow("nap")
    reader = asyncio.ensure_future(taken(feed, 2))
    await followed(server)
    await server.finish(await server["other"].create())
    instance = await server.create()
    assert [instance.id] * 2 == [event.event.instanceId for event in await reader]


async def test_it_goes_on_behind_any_event(serve):
    """Behind whichever id it goes on, what is left follows: nothing twice, nothing lost, not within a millisecond."""
    server = await serve(nap)
    instances = [await server.create() for _ in range(3)]
    for instance in instances:
        await server.finish(instance)
    count = len(await shown(server, *instances))
    events = await taken(server.engine.follow("nap"), count)
    assert count == len({event.id for event in events})
    for number, event in enumerate(events[:-1], start=1):
        rest = await taken(server.engine.follow("nap", event.id), count - number)
        assert sorted(str(each.event) for each in events[number:]) == sorted(str(each.event) for each in rest)


async def test_a_long_history_is_read_in_pieces(serve):
    """More entries than one piece has all come."""

    async def long(event, step):
        for n in range(CHUNK // 4 + 1):
            await step.do(f"step {n}", lambda: 1)

    server = await serve(long)
    instance = await server.create()
    await server.finish(instance)
    expected = await shown(server, instance)
    assert CHUNK < len(expected)
    assert [type for type, _ in expected] == types(await taken(server.engine.follow("long"), len(expected)))


async def test_closing_ends_it_for_those_that_wait(serve):
    """Whoever waits for the next event hears that there is none."""
    server = await serve(nap)
    feed = server.engine.follow("nap")
    reader = asyncio.ensure_future(taken(feed, 1))
    await followed(server)
    feed.close()
    assert [] == await reader
    assert not server.engine.store._followers


async def test_an_error_ends_it(serve):
    """The first error that it is given is raised behind what was given already."""
    server = await serve(nap)
    feed = server.engine.follow("nap")
    reader = asyncio.ensure_future(taken(feed, 1))
    await followed(server)
    feed.fail(WorkflowError("first"))
    feed.fail(WorkflowError("second"))
    with pytest.raises(WorkflowError, match="first"):
        await reader


@pytest.mark.parametrize("id", ["x", "1-1", "1-1.1_", "-1.1", "1 "])
async def test_an_id_that_is_none_is_refused(serve, id):
    """With what to do."""
    server = await serve(nap)
    with pytest.raises(ValueError, match=r"is no id of an event of this feed\. Give the id of the last"):
        server.engine.follow("nap", id)


async def test_an_entry_that_cannot_be_read_ends_no_feed(serve):
    """It is an event with an error that names instance and entry; a subscription of that one instance raises."""
    server = await serve(nap)
    bad, good = await server.create(id="bad"), await server.create(id="good")
    for instance in (bad, good):
        await server.finish(instance)
    await server.database.run(
        lambda connection: connection.execute(
            """UPDATE journal SET value = '{"$":' WHERE type = 'step_completed' AND instance = 1"""
        )
    )
    events = [event.event for event in await taken(server.engine.follow("nap"), 16)]
    broken = [event for event in events if event.type == "step_completed"]
    assert [("bad", False, True), ("good", True, False)] == [
        (event.instanceId, "output" in event, "error" in event) for event in broken
    ]
    assert "(step_completed) of instance bad in workflows.sqlite cannot be read: " in broken[0].error.message
    with pytest.raises(WorkflowError, match=r"of instance bad in workflows\.sqlite cannot be read"):
        async with await bad.subscribe() as subscription:
            print([event async for event in subscription])
