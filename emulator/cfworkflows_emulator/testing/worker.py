"""The Worker under test: its handlers are called as the platform calls them, without a socket."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cfworkflows.http import Request, Response
from cfworkflows_emulator.handlers import QUEUE, SCHEDULED, Event
from cfworkflows_emulator.runtime import Message, MessageBatch, ScheduledController, deliver
from cfworkflows_emulator.testing.world import World

ORIGIN = "http://localhost:8787"
_MISSING: Any = object()


class WorkerClient:
    """Calls the Worker's handlers. The time stands still until a handler has returned, and its error is raised."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def fetch(
        self,
        resource: str | Request,
        init: Mapping[str, Any] | None = None,
        /,
        *,
        json: Any = _MISSING,
        **options: Any,
    ) -> Response:
        """Send a request to `fetch`: a path, an absolute URL, or a Request, with the options of `Request`.

            response = await worker.fetch("/orders", method="POST", json={"n": 1}, headers={"x-user": "u1"})

        `json` is sent as the body with its content type. Raises what the handler raises, and RuntimeError if there is
        none.
        """
        __tracebackhide__ = True
        given: Any = {**(init or {}), **options}
        if json is not _MISSING:
            if "body" in given:
                raise TypeError("fetch() takes body or json, not both")
            prepared = Response.json(json)
            given = {
                **given,
                "body": await prepared.bytes(),
                "headers": {"content-type": "application/json", **dict(given.get("headers") or {})},
            }
        if isinstance(resource, str) and resource.startswith("/"):
            resource = ORIGIN + resource
        with self._standing_still():
            return await self._world.worker.fetch(Request(resource, given or None))

    async def scheduled(self, cron: str, scheduled_time: datetime | int | None = None) -> ScheduledController:
        """Fire a cron trigger: call `scheduled(controller, env, ctx)`.

        `scheduled_time` is a datetime or ms since the epoch, by default now. Gives the controller. Raises what the
        handler raises, and RuntimeError if there is none.
        """
        __tracebackhide__ = True
        if scheduled_time is None:
            scheduled_time = self._world.clock.now()
        elif isinstance(scheduled_time, datetime):
            aware = scheduled_time if scheduled_time.tzinfo is not None else scheduled_time.replace(tzinfo=UTC)
            scheduled_time = round(aware.timestamp() * 1000)
        controller = ScheduledController(cron, scheduled_time)
        await self._call(SCHEDULED, controller)
        return controller

    async def queue(self, name: str, messages: Iterable[Any]) -> MessageBatch:
        """Deliver a batch of the queue `name`: call `queue(batch, env, ctx)`.

        `messages` are bodies, or objects of the class Message. Gives the batch, which tells what became of each. Raises
        what the handler raises, and RuntimeError if there is none.
        """
        __tracebackhide__ = True
        batch = MessageBatch(name, [each if isinstance(each, Message) else Message(each) for each in messages])
        for index, message in enumerate(batch.messages):
            message.id = message.id or f"{index:032x}"
            message.timestamp = message.timestamp or self._world.clock.datetime
        await self._call(QUEUE, batch)
        return batch

    async def _call(self, event: Event, argument: Any) -> None:
        __tracebackhide__ = True
        with self._standing_still():
            await deliver(self._world.worker, event, argument)

    def _standing_still(self) -> "_Hold":
        return _Hold(self._world)


class _Hold:
    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> None:
        __tracebackhide__ = True
        self._world.check()
        self._world.clock.hold()

    def __exit__(self, *error: object) -> None:
        self._world.clock.release()
