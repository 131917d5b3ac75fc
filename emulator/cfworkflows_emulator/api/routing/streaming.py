"""Subscriptions as server-sent events."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Protocol

from cfworkflows.errors import WorkflowError
from cfworkflows.http import ReadableStream, Response
from cfworkflows_emulator.api.routing.routes import Call
from cfworkflows_emulator.api.routing.validation import InvalidError
from cfworkflows_emulator.engine.engine import Engine
from cfworkflows_emulator.engine.feed import Feed
from cfworkflows_emulator.engine.journal.entries import EVENT_TYPES
from cfworkflows_emulator.engine.subscription import Subscription
from cfworkflows_emulator.views import printable

_LARGEST = 2**53


class Closable(Protocol):
    """Something that ends when the server does."""

    def fail(self, error: WorkflowError) -> None: ...


class Streams:
    """The event streams that are open. Each ends with its subject, with its client, or with the server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: set[Closable] = set()

    def stop(self) -> None:
        """End them all. A browser asks again by itself, with the id of the last event that it got."""
        for stream in self._open:
            stream.fail(WorkflowError("The server is stopping", code="instance.unavailable"))

    async def instance(self, workflow: str, id: str, call: Call) -> Response:
        """The events of an instance. 204, which keeps a browser from asking again, when it ended and all were given."""
        cursor = call.query.cursor or call.request.headers.get("last-event-id") or "0"
        if not cursor.isascii() or not cursor.isdigit() or int(cursor[:20]) >= _LARGEST:
            raise InvalidError((f"cursor: {cursor!r} is not the id of an event, which is a whole number",))
        types = sorted(_types(call))
        state = await self._engine.state(workflow, id)
        if state.status.finite and int(cursor) >= state.last_seq:
            return Response(None, {"status": 204})
        options = {"cursor": int(cursor), **({"filter": types} if types else {})}
        subscription = await self._engine.subscribe(workflow, id, options, previews=True)
        return self._response(subscription, lambda: _of_instance(subscription))

    async def workflow(self, workflow: str, call: Call) -> Response:
        """The events of all instances of a workflow. It does not end by itself."""
        types = _types(call)
        last_id = call.query.cursor or call.request.headers.get("last-event-id") or ""
        try:
            feed = self._engine.follow(workflow, last_id)
        except ValueError as error:
            raise InvalidError((f"cursor: {error}",)) from error
        return self._response(feed, lambda: _of_workflow(feed, types))

    def _response(self, source: Closable, messages: Callable[[], AsyncGenerator[bytes, None]]) -> Response:
        async def body() -> AsyncGenerator[bytes, None]:
            self._open.add(source)
            try:
                async with aclosing(messages()) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except WorkflowError as error:
                if error.code != "instance.unavailable":  # the server stops, and the stream with it
                    raise
            finally:
                self._open.discard(source)

        headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store"}
        return Response(ReadableStream(body()), {"headers": headers})


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
