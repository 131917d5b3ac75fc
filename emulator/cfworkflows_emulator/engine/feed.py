"""The events of all instances of a workflow, past and future."""

import asyncio
import logging
import re
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import NamedTuple

from cfworkflows.errors import WorkflowError
from cfworkflows.values import JsDict
from cfworkflows_emulator.engine.journal.entries import EVENT_TYPES, Entry
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.engine.subscription import InstanceEvents, UnreadableEntryError, preview

log = logging.getLogger("cfworkflows.engine")

CHUNK = 200
NOW = "now"

_ID = re.compile(r"([0-9]{1,15})(?:-([0-9]{1,15}\.[0-9]{1,15}(?:_[0-9]{1,15}\.[0-9]{1,15})*))?")


class FeedEvent(NamedTuple):
    """An event as a subscription yields it, and the id to continue behind it."""

    id: str
    event: JsDict


class Feed:
    """Yields the events of a workflow's instances, each once and when it is durable, until it is closed.

    Its events have ids of their own, because the ids of an instance's events mean nothing across instances: the time of
    the event, and how far each instance has got within that millisecond. History comes in the order of time. After a
    clock was set back, a feed that continues behind an id does not yield what was written at an earlier time.

    `last_id` is where it begins: behind an event, at a time in ms, or with `now`, without any history. None is at the
    beginning.
    """

    previews = True

    def __init__(self, store: InstanceStore, workflow: str, last_id: str, now: int) -> None:
        self._store = store
        self._workflow = workflow
        self._has_history = last_id != NOW
        self._time, self._within = _position(last_id) if self._has_history else (now, {})
        self._since, self._skipped = self._time, dict(self._within)
        self._instances: dict[int, InstanceEvents | None] = {}
        self._read_up_to: dict[int, int] = {}
        self._changed_keys: dict[int, None] = {}
        self._changed = asyncio.Event()
        self._over = False
        self._error: WorkflowError | None = None

    def close(self) -> None:
        """End it, also for callers that wait for its next event."""
        self._over = True
        self._changed.set()

    def fail(self, error: WorkflowError) -> None:
        """End it with an error."""
        self._error = self._error or error
        self.close()

    async def events(self) -> AsyncGenerator[FeedEvent, None]:
        """All of them. Raises StateError if the disk fails, and the error that `fail` was called with."""
        self._store.follow(self._follow)
        try:
            async with aclosing(self._entries()) as entries:
                async for key, entry in entries:
                    instance = self._instances[key]
                    if instance is None or entry.type not in EVENT_TYPES:
                        continue
                    yield FeedEvent(self._id_behind(key, entry), self._event(instance, entry))
            if self._error is not None:
                raise self._error
        finally:
            self._store.unfollow(self._follow)

    @staticmethod
    def _event(instance: InstanceEvents, entry: Entry) -> JsDict:
        """The event of an entry. One that cannot be read says so, and does not end the feed of the others."""
        try:
            return instance.event(entry)
        except UnreadableEntryError as error:
            log.error("%s", error)
            return JsDict(
                instanceId=instance.id,
                eventId=entry.seq,
                timestamp=entry.time,
                type=entry.type,
                error=JsDict(name="WorkflowInternalError", message=str(error)),
            )

    def _follow(self, keys: Iterable[int]) -> None:
        self._changed_keys.update(dict.fromkeys(sorted(keys)))
        self._changed.set()

    async def _entries(self) -> AsyncGenerator[tuple[int, Entry], None]:
        await self._store.flushed()
        history = deque(await self._store.positions(self._workflow, self._since) if self._has_history else ())
        while history and not self._over:
            chunk = [history.popleft() for _ in range(min(CHUNK, len(history)))]
            found = await self._store.entries(chunk)
            for position in chunk:
                key, seq = position
                if await self._known(key, seq) and position in found and self._take(key, found[position]):
                    yield key, found[position]
        while not self._over:
            self._changed.clear()
            changed, self._changed_keys = list(self._changed_keys), {}
            for key in changed:
                if self._over or not await self._known(key, 1):
                    continue
                for entry in await self._store.journal(key, after=self._read_up_to.get(key, 0)):
                    if self._take(key, entry):
                        yield key, entry
            if self._store.failure is not None:
                raise self._store.failure
            if not self._over:
                await self._changed.wait()

    async def _known(self, key: int, seq: int) -> bool:
        """Whether an instance is one of the workflow. What it wrote before `seq` is noted the first time."""
        if key not in self._instances:
            row = await self._store.get(key)
            if row is None or row.workflow != self._workflow:
                if row is not None:
                    self._instances[key] = None
                return False
            events = InstanceEvents(row.id, preview)
            if seq > 1:
                for entry in await self._store.journal(key):
                    if entry.seq < seq:
                        events.see(entry)
            self._instances[key] = events
        return self._instances[key] is not None

    def _take(self, key: int, entry: Entry) -> bool:
        """Whether an entry is to be yielded: it is new to this feed, and behind the id that the feed began with."""
        instance = self._instances[key]
        if instance is None or entry.seq <= self._read_up_to.get(key, 0):
            return False
        self._read_up_to[key] = entry.seq
        instance.see(entry)
        if entry.time == self._since:
            return entry.seq > self._skipped.get(key, 0)
        return entry.time > self._since

    def _id_behind(self, key: int, entry: Entry) -> str:
        if entry.time > self._time:
            self._time, self._within = entry.time, {}
        if entry.time == self._time:
            self._within[key] = entry.seq
        return f"{self._time}-{'_'.join(f'{key}.{seq}' for key, seq in self._within.items())}"


def _position(last_id: str) -> tuple[int, dict[int, int]]:
    if not last_id:
        return 0, {}
    match = _ID.fullmatch(last_id)
    if match is None:
        raise ValueError(
            f"{last_id!r} is no id of an event of this feed. Give the id of the last event, a time in ms, now, or none."
        )
    pairs = [pair.split(".") for pair in (match[2] or "").split("_") if pair]
    return int(match[1]), {int(key): int(seq) for key, seq in pairs}
