"""`instance.subscribe`: the events of an instance, past and future."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Any

from cfworkflows.errors import WorkflowError, name_of, text_of
from cfworkflows.types import SubscriptionResult
from cfworkflows.values import JsDict, decode
from cfworkflows_emulator.engine.journal.entries import ENTRIES, EVENT_TYPES, TERMINAL, Entry, EntryType
from cfworkflows_emulator.engine.journal.state import Status
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.engine.journal.streams import StoredStream
from cfworkflows_emulator.engine.run.results import is_sensitive, open_stream, shown_output
from cfworkflows_emulator.storage.folder import DATABASE


class UnreadableEntryError(WorkflowError):
    """An entry of a journal is not as an engine writes it."""


class InstanceEvents:
    """Makes events of the entries of one instance. An event shows data of earlier entries, so `see` them all.

    `stream_of(step, stream)` is what stands for an output that is a stream.
    """

    def __init__(self, id: str, stream_of: Callable[[str, StoredStream], object]) -> None:
        self.id = id
        self._stream_of = stream_of
        self._params: str | None = None
        self._sensitive: dict[str, bool] = {}

    def see(self, entry: Entry) -> None:
        """Take note of what later events will show."""
        if entry.type == EntryType.WORKFLOW_QUEUED and entry.value is not None:  # not when it is queued again
            self._params = entry.value
        elif entry.type == EntryType.STEP_STARTED:
            self._sensitive[str(entry.step)] = is_sensitive(entry.data.get("config", {}))

    def event(self, entry: Entry) -> JsDict:
        """The event of an entry whose type is one of EVENT_TYPES. Raises UnreadableEntryError."""
        try:
            return self._event(entry)
        except Exception as error:
            raise UnreadableEntryError(
                f"Entry {entry.seq} ({entry.type}) of instance {self.id} in {DATABASE} cannot be read: "
                f"{name_of(type(error))}: {text_of(error).rstrip('.')}. It is damaged, or written by a newer version."
            ) from error

    def _event(self, entry: Entry) -> JsDict:
        event = JsDict(instanceId=self.id, eventId=entry.seq, timestamp=entry.time, type=entry.type)
        if entry.step is not None:
            event["stepName"] = entry.step
        for name in ENTRIES[entry.type].event or ():
            if name == "error":
                error = entry.data["error"]
                event["error"] = JsDict(name=error["name"], message=error["message"])
            elif name in entry.data:
                event[name] = _js(entry.data[name])
        if entry.type == EntryType.WORKFLOW_STARTED and self._params is not None:
            event["params"] = decode(self._params)
        elif entry.type in (EntryType.STEP_COMPLETED, EntryType.WORKFLOW_COMPLETED):
            stream = StoredStream.of(entry.seq, entry.data)
            if entry.value is None and stream is None:
                return event
            event["output"] = shown_output(
                entry.value,
                stream,
                sensitive=entry.type == EntryType.STEP_COMPLETED and self._sensitive.get(str(entry.step), False),
                stream_of=partial(self._stream_of, str(entry.step)),
            )
        return event


def preview(step: str, stream: StoredStream) -> str | None:
    """The start of a stream, for onlookers."""
    return stream.preview


class Subscription:
    """Yields the events of an instance, each once and only when it is durable: from the journal on disk, not memory.

    So it does not matter whether the instance is in memory. If it is restarted meanwhile, events that were erased
    before they were yielded are not yielded any more, and the events of the restarted instance follow, with higher ids.

    `await next()`, `async for`, and `with` or `async with` to close it. With `previews`, outputs that are streams are
    shown as their start, in a text.
    """

    def __init__(
        self,
        store: InstanceStore,
        key: int,
        id: str,
        cursor: int,
        types: Collection[str] | None,
        *,
        previews: bool = False,
    ) -> None:
        self.previews = previews
        self._store = store
        self._key = key
        self._cursor = cursor
        self._types = types
        self._read_up_to = 0
        self._unread: deque[Entry] = deque()
        self._events = InstanceEvents(id, preview if previews else partial(open_stream, store, key))
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()
        self._over = False
        self._ended = False
        self._error: WorkflowError | None = None

    async def next(self) -> SubscriptionResult:
        """`{"done": False, "value": event}`, when there is one; `{"done": True, "value": None}` after the last.

        Calls at the same time get one event each. Raises StateError if the disk fails, and WorkflowError
        (`instance.unavailable`) when the server stops.
        """
        async with self._turn:
            while not self._over and (self._unread or await self._read()):
                entry = self._unread.popleft()
                self._over = entry.type in TERMINAL
                if entry.type in EVENT_TYPES and (self._types is None or entry.type in self._types):
                    return SubscriptionResult(done=False, value=self._events.event(entry))
            if self._error is not None:
                raise self._error
            return SubscriptionResult(done=True, value=None)

    def close(self) -> None:
        """End it, also for callers that wait for its next event."""
        self._over = True
        self._changed.set()

    dispose = close

    def fail(self, error: WorkflowError) -> None:
        """End it with an error."""
        self._error = self._error or error
        self.close()

    async def _read(self) -> bool:
        """Wait for new entries; False if there will be none."""
        self._store.watch(self._key, self._changed)
        try:
            while not self._is_over():
                self._changed.clear()
                row = await self._store.get(self._key)
                if self._is_over():  # the database may be closed by now
                    break
                entries = await self._store.journal(self._key, after=self._read_up_to)
                if self._take(entries):
                    return not self._is_over()
                # The row was read first: when it said that all was over, no entry was missing.
                if row is None or Status(row.status).finite:
                    self._over = True
                elif self._store.failure is not None:
                    raise self._store.failure
                else:
                    await self._changed.wait()
        finally:
            self._store.unwatch(self._key, self._changed)
        return False

    def _is_over(self) -> bool:
        """Whether it was closed, also while it waited."""
        return self._over

    def _take(self, entries: Iterable[Entry]) -> bool:
        for entry in entries:
            self._read_up_to = entry.seq
            self._events.see(entry)
            # Entries behind the end are of steps that outlived the run, and are no events.
            if entry.seq > self._cursor and not self._ended:
                self._unread.append(entry)
            self._ended = entry.type in TERMINAL or (self._ended and entry.type != EntryType.WORKFLOW_RESTARTED)
        return bool(self._unread)

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> JsDict:
        result = await self.next()
        if result["done"]:
            raise StopAsyncIteration
        event: JsDict = result["value"]
        return event

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> "Subscription":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def check_options(options: object) -> tuple[int, frozenset[str] | None]:
    """The cursor, 0 for all, and the types to show, None for all.

    Raises Exception, as the platform words it, with a note that says what is wrong.
    """
    if options is None:
        return 0, None
    if not isinstance(options, Mapping):
        raise _invalid(f"expected an object with cursor and filter, got {options!r}.")
    unknown = [str(key) for key in options if key not in ("cursor", "filter")]
    if unknown:
        raise _invalid(f"there is no option {', '.join(unknown)}, only cursor and filter.")
    cursor, types = options.get("cursor"), options.get("filter")
    if cursor is not None and (isinstance(cursor, bool) or not isinstance(cursor, int) or cursor < 0):
        raise _invalid(f"cursor must be the eventId of the last event that was seen, or 0, not {cursor!r}.")
    if types is not None:
        if not isinstance(types, (list, tuple, set, frozenset)):
            raise _invalid(f"filter must be a list of event types, not {types!r}.")
        wrong = [each for each in types if not isinstance(each, str) or each not in EVENT_TYPES]
        if wrong:
            raise _invalid(f"filter: {wrong[0]!r} is no event type; there are {', '.join(sorted(EVENT_TYPES))}.")
    return cursor or 0, frozenset(types) if types is not None else None


def _invalid(reason: str) -> Exception:
    error = Exception("Invalid Workflow subscription options")
    error.add_note(reason)
    return error


def _js(value: Any) -> Any:
    return JsDict({key: _js(item) for key, item in value.items()}) if isinstance(value, dict) else value
