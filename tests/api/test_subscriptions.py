"""Event streams: history first, then what happens, over a real socket."""

import asyncio
import json
import operator
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from shop import BASE, REST, Explorer

ORDERS = [f"{prefix}/workflows/orders" for prefix in (BASE, REST)]


class Stream:
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.last_id = ""

    async def next(self) -> Any:
        """The next event, None at the end."""
        message: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for line in self.answer.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    message[name] = value
                elif "data" in message:
                    self.last_id = message["id"]
                    return json.loads(message["data"])
        return None

    async def until(self, type: str, id: str | None = None) -> list[str]:
        """The types of events, up to the first of `type`, of the instance `id`."""
        seen = []
        while (event := await self.next()) is not None:
            seen.append(event["type"])
            if event["type"] == type and id in (None, event["instanceId"]):
                break
        return seen


@asynccontextmanager
async def stream(explorer: Explorer, path: str, last_id: str | None = None) -> AsyncIterator[Stream]:
    headers = {"Last-Event-ID": last_id} if last_id is not None else {}
    async with explorer.session.get(explorer.url + path, headers=headers) as answer:
        assert (200, "text/event-stream") == (answer.status, answer.content_type)
        yield Stream(answer)


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing tells a test
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("orders", ORDERS)
async def test_instance_tells_its_history_and_its_end(explorer: Explorer, orders: str) -> None:
    """What was comes first, then what happens, and the stream ends with the instance."""
    instance = await explorer.orders.create(id="a", params={"n": 1})
    await explorer.clock.settle()
    async with stream(explorer, f"{orders}/instances/a/subscribe") as events:
        assert ["workflow_queued", "workflow_started", "workflow_running"] == (await events.until("workflow_running"))
        await events.until("attempt_errored")
        await instance.send_event(type="answer", payload=1)
        await explorer.clock.advance("2 hours")
        assert "sleep_completed" in await events.until("workflow_completed")
        assert await events.next() is None


async def test_stream_goes_on_where_it_was(explorer: Explorer) -> None:
    """With the id of the last event, by header or by query; after the end there is nothing more to ask for."""
    await explorer.orders.create(id="a")
    await explorer.clock.settle()
    path = f"{ORDERS[0]}/instances/a/subscribe"
    async with stream(explorer, path) as events:
        await events.until("attempt_errored")
        last_id = events.last_id
    await explorer.clock.advance("10 seconds")
    async with stream(explorer, path, last_id) as events:
        assert "attempt_started" == (await events.next())["type"]
    async with stream(explorer, f"{path}?cursor={last_id}&filter=sleep_started") as events:
        assert "sleep_started" == (await events.next())["type"]
    await (await explorer.orders.get("a")).terminate()
    async with explorer.session.get(f"{explorer.url}{path}?cursor=1000") as answer:
        assert 204 == answer.status


@pytest.mark.parametrize("orders", ORDERS)
async def test_workflow_tells_of_all_its_instances(explorer: Explorer, orders: str) -> None:
    """Of those that were and of those that are created later, each event once."""
    await explorer.orders.create(id="a")
    await explorer.clock.settle()
    async with stream(explorer, f"{orders}/subscribe") as events:
        await events.until("attempt_errored", "a")
        await explorer.orders.create(id="b", params={"n": 2})
        queued, started = await events.next(), await events.next()
        assert ("b", "workflow_queued") == (queued["instanceId"], queued["type"])
        assert {"n": 2} == started["params"]
        await (await explorer.orders.get("a")).terminate()
        assert "workflow_terminated" == (await events.until("workflow_terminated", "a"))[-1]


async def test_stream_of_a_workflow_goes_on_where_it_was(explorer: Explorer) -> None:
    """Whatever event it breaks off after, the rest follows: none is missing, none is given twice.

    On the virtual clock many events have the same time, of one instance and of several.
    """
    for id in "abc":
        await explorer.orders.create(id=id)
    await explorer.clock.advance("2 hours")
    path = f"{ORDERS[0]}/subscribe"
    whole = []
    async with stream(explorer, path) as events:
        for _ in range(sum([len(await history(explorer, id)) for id in "abc"])):
            event = await events.next()
            whole.append((events.last_id, event["instanceId"], event["eventId"]))
    assert len(whole) == len(set(whole))
    for index in range(0, len(whole) - 1, 5):
        async with stream(explorer, path, whole[index][0]) as events:
            rest = [await events.next() for _ in whole[index + 1 :]]
        assert [each[1:] for each in whole[index + 1 :]] == [(each["instanceId"], each["eventId"]) for each in rest]


async def history(explorer: Explorer, id: str) -> list[Any]:
    return (await explorer.project.engine.history("orders", id))[1]


async def test_stream_of_a_workflow_may_leave_history_out(explorer: Explorer) -> None:
    """With `now` it begins with what happens, with a time in ms with what happened since."""
    await explorer.orders.create(id="a")
    await explorer.clock.advance("1 day")
    middle = explorer.clock.now()
    await explorer.orders.create(id="b")
    await explorer.clock.advance("1 day")
    async with stream(explorer, f"{ORDERS[0]}/subscribe?cursor={middle}") as events:
        assert ("b", "workflow_queued") == operator.itemgetter("instanceId", "type")(await events.next())
    async with stream(explorer, f"{ORDERS[0]}/subscribe?cursor=now") as events:
        await until(lambda: explorer.project.engine.store._followers)
        await explorer.orders.create(id="c")
        assert ("c", "workflow_queued") == operator.itemgetter("instanceId", "type")(await events.next())
        last_id = events.last_id
        await events.next()
        await (await explorer.orders.get("c")).terminate()
    async with stream(explorer, f"{ORDERS[0]}/subscribe", last_id) as events:
        assert ("c", "workflow_started") == operator.itemgetter("instanceId", "type")(await events.next())


async def test_hidden_output_stays_hidden_when_a_stream_goes_on(explorer: Explorer) -> None:
    """What is sensitive was said before the id that the stream goes on behind, and counts all the same."""
    await explorer.orders.create(id="a")
    await explorer.clock.settle()
    async with stream(explorer, f"{ORDERS[0]}/subscribe") as events:
        await events.until("attempt_errored")
        await explorer.clock.advance("10 seconds")
        assert "attempt_started" == (await events.next())["type"]
    async with stream(explorer, f"{ORDERS[0]}/subscribe", events.last_id) as events:
        while (event := await events.next())["type"] != "step_completed":
            pass
    assert ("flaky-1", "[REDACTED]") == (event["stepName"], event["output"])


@pytest.mark.parametrize("path", ["/subscribe", "/instances/a/subscribe"])
async def test_client_that_goes_away_is_noticed(explorer: Explorer, path: str) -> None:
    """Nothing watches for it any more."""
    store = explorer.project.engine.store
    await explorer.orders.create(id="a")
    await explorer.clock.settle()
    async with stream(explorer, ORDERS[0] + path) as events:
        await events.until("attempt_errored")
        await until(lambda: store._watched or store._followers)
    await until(lambda: not store._watched and not store._followers)


@pytest.mark.parametrize("path", ["/subscribe", "/instances/a/subscribe"])
async def test_server_that_stops_ends_its_streams(explorer: Explorer, path: str) -> None:
    """It does not wait for them, and they are not cut off."""
    await explorer.orders.create(id="a")
    await explorer.clock.settle()
    async with stream(explorer, ORDERS[0] + path) as events:
        await events.until("attempt_errored")
        assert [] == await explorer.server.stop(10)
        assert await events.next() is None


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/subscribe?cursor=x", "no id of an event of this feed"),
        ("/subscribe?cursor=1-1", "no id of an event of this feed"),
        ("/subscribe?filter=x", "no type of event"),
        ("/instances/a/subscribe?cursor=-1", "not the id of an event"),
        ("/instances/a/subscribe?cursor=99999999999999999999999", "not the id of an event"),
        ("/instances/a/subscribe?filter=step_completed,nope", "'nope' is no type of event"),
    ],
)
async def test_wrong_subscription_is_refused(explorer: Explorer, path: str, says: str) -> None:
    """By what is wrong with it, before anything is streamed."""
    await explorer.orders.create(id="a")
    status, answer = await explorer.get(ORDERS[0] + path)
    assert (400, True) == (status, says in answer["errors"][0]["message"])
