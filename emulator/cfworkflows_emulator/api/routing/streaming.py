"""Subscriptions as server-sent events. Each ends with its subject, with its client, or with the server."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from cfworkflows.errors import WorkflowError
from cfworkflows.http import ReadableStream, Response
from cfworkflows_emulator.api.routing.routes import Call
from cfworkflows_emulator.api.routing.validation import InvalidError
from cfworkflows_emulator.engine import EVENT_TYPES, Engine, Feed, Subscription
from cfworkflows_emulator.views import printable

_LARGEST = 2**53


async def instance_events(engine: Engine, workflow: str, id: str, call: Call) -> Response:
    """The events of an instance. 204, which keeps a browser from asking again, when it ended and all were sent."""
    cursor = call.query.cursor or call.request.headers.get("last-event-id") or "0"
    if not cursor.isascii() or not cursor.isdigit() or int(cursor[:20]) >= _LARGEST:
        raise InvalidError((f"cursor: {cursor!r} is not the id of an event, which is a whole number",))
    types = sorted(_types(call))
    state = await engine.state(workflow, id)
    if state.status.finite and int(cursor) >= state.last_seq:
        return Response(None, {"status": 204})
    options = {"cursor": int(cursor), **({"filter": types} if types else {})}
    return _response(_of_instance(await engine.subscribe(workflow, id, options, previews=True)))


async def workflow_events(engine: Engine, workflow: str, call: Call) -> Response:
    """The events of all instances of a workflow. It does not end by itself."""
    types = _types(call)
    last_id = call.query.cursor or call.request.headers.get("last-event-id") or ""
    try:
        feed = engine.follow(workflow, last_id)
    except ValueError as error:
        raise InvalidError((f"cursor: {error}",)) from error
    return _response(_of_workflow(feed, types))


def _response(messages: AsyncGenerator[bytes, None]) -> Response:
    headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store"}
    return Response(ReadableStream(_until_the_server_stops(messages)), {"headers": headers})


async def _until_the_server_stops(messages: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """A browser asks again by itself, with the id of the last event that it got."""
    try:
        async with aclosing(messages):
            async for message in messages:
                yield message
    except WorkflowError as error:
        if error.code != "instance.unavailable":
            raise


async def _of_instance(subscription: Subscription) -> AsyncGenerator[bytes, None]:
    yield b": the events of an instance\n\n"
    with subscription:
        async for event in subscription:
            yield _message(str(event["eventId"]), event)


async def _of_workflow(feed: Feed, types: frozenset[str]) -> AsyncGenerator[bytes, None]:
    yield b": the events of a workflow\n\n"
    async with aclosing(feed.events()) as events:
        async for id, event in events:
            if not types or event["type"] in types:
                yield _message(id, event)


def _message(id: str, event: Any) -> bytes:
    text = json.dumps(printable(event), separators=(",", ":"))
    return f"id: {id}\ndata: {text}\n\n".encode()


def _types(call: Call) -> frozenset[str]:
    types = frozenset(each.strip() for each in call.query.filter.split(",") if each.strip())
    if wrong := types - EVENT_TYPES:
        options = ", ".join(sorted(EVENT_TYPES))
        raise InvalidError((f"filter: {min(wrong)!r} is no type of event; there are {options}",))
    return types
