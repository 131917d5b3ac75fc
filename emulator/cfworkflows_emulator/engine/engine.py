"""The engine of a project: all its workflows, their instances on disk, and those of them that are in memory."""

import asyncio
import builtins
import contextvars
import dataclasses
import logging
import uuid
import weakref
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cfworkflows.errors import CfworkflowsError, WorkflowError
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.engine.admission import Admission, free_until
from cfworkflows_emulator.engine.alarms import Alarms
from cfworkflows_emulator.engine.definition import (
    Abandon,
    WorkflowDefinition,
    check_addressable,
    check_id,
    never,
)
from cfworkflows_emulator.engine.diagnosis import Diagnosis
from cfworkflows_emulator.engine.feed import Feed
from cfworkflows_emulator.engine.instance import Instance, World
from cfworkflows_emulator.engine.intake import check_batch, encoded, retention_of, validated_params
from cfworkflows_emulator.engine.interventions import Interventions
from cfworkflows_emulator.engine.lifeline import Lifeline
from cfworkflows_emulator.engine.rehearsal import rehearse
from cfworkflows_emulator.engine.retention import Retention, expiry
from cfworkflows_emulator.engine.run import running_here
from cfworkflows_emulator.engine.schedules import Schedules
from cfworkflows_emulator.engine.sizes import size_of
from cfworkflows_emulator.engine.skip import Delay
from cfworkflows_emulator.engine.state import InstanceState, Status
from cfworkflows_emulator.engine.step_wait import is_event_type, no_event_type
from cfworkflows_emulator.engine.subscription import Subscription, check_options
from cfworkflows_emulator.engine.witness import Witness
from cfworkflows_emulator.storage import (
    EVERY,
    Chunk,
    Database,
    Durability,
    Entry,
    InstanceRow,
    InstanceStore,
    Selection,
)
from cfworkflows_emulator.storage.instances import MIGRATIONS, Entries, Rows

log = logging.getLogger("cfworkflows.engine")

EVICT_AFTER_MS = 10_000
STEP_THREADS = 64
WOKEN_AT_ONCE = 100
REST_TURNS = 20
"""More turns of the event loop than lie between a commit and the next thing that a run does."""


class Engine:
    """Creates, runs and keeps instances. Open it with `Engine.open`, and `close` it."""

    def __init__(
        self,
        store: InstanceStore,
        clock: Clock,
        definitions: Iterable[WorkflowDefinition],
        last_key: int,
        evict_after_ms: float | None = EVICT_AFTER_MS,
        abandon: Abandon = never,
        witness: Witness | None = None,
        check_determinism: bool = False,
        dormant: bool = False,
    ) -> None:
        self.clock = clock
        self.store = store
        self.definitions = {definition.name: definition for definition in definitions}
        self._threads = ThreadPoolExecutor(STEP_THREADS, thread_name_prefix="cfwf-step")
        self._admission = Admission(lambda key: self._wake([key]), last_key)
        context = contextvars.copy_context()
        self._world = World(
            clock,
            store,
            self._threads,
            context,
            evict_after_ms,
            self._unload,
            self._admission,
            Lifeline(),
            abandon=abandon,
            witness=witness,
            rested=self._rested if check_determinism else None,
            dormant=dormant,
        )
        self._alarms = Alarms(clock, store, store.next_alarms, self._wake)
        self._retention = Retention(clock, store, self._in_use)
        self._schedules = Schedules(clock, self._create_scheduled)
        self._instances: dict[int, Instance] = {}
        self._loading: dict[int, asyncio.Task[set[int]]] = {}
        self._waking: set[asyncio.Task[None]] = set()
        self._rehearsed: dict[int, int] = {}
        self._rehearsing: set[asyncio.Task[None]] = set()
        self._creating: set[asyncio.Future[str]] = set()
        self._subscriptions: weakref.WeakSet[Subscription | Feed] = weakref.WeakSet()
        self._closing = False

    @classmethod
    async def open(
        cls,
        definitions: Iterable[WorkflowDefinition],
        clock: Clock,
        database: Database,
        *,
        evict_after_ms: float | None = EVICT_AFTER_MS,
        abandon: Abandon = never,
        witness: Witness | None = None,
        check_determinism: bool = False,
        dormant: bool = False,
    ) -> "Engine":
        """Open the engine over a database made with `open_database`. Nothing runs before `resume_all`.

        `abandon` is asked about each error of the workflows' own code. `witness` is told of callbacks. With
        `check_determinism`, `run()` is replayed after every step, whenever an instance waits or has ended: what differs
        is logged, and part of its `diagnosis`. A `dormant` engine runs no code of workflows: what is asked of an
        instance is written down, and done by the next engine over the same database.
        """
        store = InstanceStore(database)
        last_key = await store.last_key()
        return cls(store, clock, definitions, last_key, evict_after_ms, abandon, witness, check_determinism, dormant)

    async def resume_all(self) -> None:
        """Take up every instance that was at work when the last process ended, and arm the timers of the others.

        The queues have their old order. Instances whose retention is over are deleted.
        """
        abandoned: dict[str, int] = {}
        interrupted = []
        now = self.clock.now()
        for row in await self.store.interrupted():
            if (definition := self.definitions.get(row.workflow)) is not None:
                is_free = now < free_until(row.id, row.created_at)
                if is_free or self._admission.restore(definition, row):
                    interrupted.append(row.key)
            else:
                abandoned[row.workflow] = abandoned.get(row.workflow, 0) + 1
        self._wake(interrupted)
        for workflow, count in abandoned.items():
            log.warning("%d instance(s) of workflow %s are left as they are: it is not configured.", count, workflow)
        await self._alarms.load()
        await self._retention.start(self.definitions.values())
        self._schedules.start(self.definitions.values())

    def intervene(self, interventions: Interventions) -> None:
        """Ask `interventions` from now on. Only while there are no instances in memory."""
        self._world = dataclasses.replace(self._world, interventions=interventions)

    async def close(self, grace_s: float = 0) -> list[str]:
        """Stop. Callbacks that run get `grace_s` seconds to end; what is cut off is taken up by the next process.

        Gives the callbacks that were cut off.
        """
        self._closing = True
        self._schedules.close()
        self._alarms.close()
        self._retention.close()
        for subscription in self._subscriptions:
            subscription.fail(_stopping())
        for instance in self._instances.values():
            instance.hold_back()
        if self._world.callbacks and grace_s:
            await asyncio.wait(self._world.callbacks, timeout=grace_s)
        left = [task.get_name() for task in self._world.callbacks]
        for task in self._waking | self._world.callbacks:
            task.cancel()
        for instance in list(self._instances.values()):
            instance.stop()
        self._instances.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._world.lifeline.cut()
        await self.store.close()
        return left

    def kill(self) -> None:
        """Stop here and now, as if the process died: nothing more is written, and no more user code begins.

        For tests of crashes. The database stays open, for the engine that comes after. A callback in a thread cannot
        be stopped; `threads_ended` waits for it.
        """
        self.store.abandon()
        self._closing = True
        for part in (self._schedules, self._alarms, self._retention):
            part.close()
        for subscription in self._subscriptions:
            subscription.fail(_stopping())
        under_way: set[asyncio.Future[Any]] = {*self._waking, *self._creating, *self._loading.values()}
        for task in under_way | self._world.callbacks:
            task.cancel()
        for instance in list(self._instances.values()):
            instance.stop()
        self._instances.clear()
        self._world.lifeline.cut()

    async def threads_ended(self) -> None:
        """Wait for the callbacks that run in threads. After `kill`."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    # What a binding asks for

    def workflow(self, name: str) -> WorkflowDefinition:
        """The definition of a workflow. Raises WorkflowError if there is none of that name."""
        if name not in self.definitions:
            raise WorkflowError(f'There is no workflow called "{name}"', code="workflow.not_found")
        return self.definitions[name]

    async def create_instance(self, workflow: str, options: Mapping[str, Any]) -> str:
        """Create an instance and start it: its id, when its creation is durable.

        The options are `id` (default: a UUID), `params` (default: an empty object), `retention`, `location_hint`, and
        `trigger`, which says what creates it (default: `binding`).

        Raises WorkflowError for a wrong or taken id, for params over 1 MiB and if too many instances are queued,
        SerializationError for params that cannot be stored, PayloadValidationError for params that do not fit the
        workflow's type.
        """
        self._refuse_when_closing()
        creation = self._creation(*self._prepare(workflow, options))
        return await asyncio.shield(creation)

    async def create_batch(self, workflow: str, batch: Sequence[Mapping[str, Any]]) -> "list[str | None]":
        """Create several instances in one commit: their ids, with None in the place of each whose id is taken.

        Raises what `create_instance` raises, with a note that says for which of them, and then creates none.
        """
        self._refuse_when_closing()
        prepared = []
        for index, options in enumerate(batch):
            try:
                prepared.append(self._prepare(workflow, options))
            except CfworkflowsError as error:
                error.add_note(f"It is number {index} of the batch, counted from 0. Nothing was created.")
                raise
        check_batch(
            size_of(options.get("params", {}), queued.value or "")
            for options, (_, _, queued) in zip(batch, prepared, strict=True)
        )
        creations = [self._creation(*each) for each in prepared]
        outcomes = await asyncio.gather(*map(asyncio.shield, creations), return_exceptions=True)
        ids: list[str | None] = []
        for outcome in outcomes:
            if isinstance(outcome, WorkflowError) and outcome.code == "instance.already_exists":
                ids.append(None)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                ids.append(outcome)
        return ids

    def _prepare(self, workflow: str, options: Mapping[str, Any]) -> tuple[Instance, InstanceRow, Entry]:
        """A new instance, and what is to be written of it. Raises if anything is wrong with its options."""
        definition = self.workflow(workflow)
        id = check_id(options["id"]) if options.get("id") is not None else str(uuid.uuid4())
        value = encoded(validated_params(definition, options.get("params", {})), "params")
        data: dict[str, Any] = {"trigger": options.get("trigger", "binding")}
        if options.get("retention") is not None:
            data["retention"] = retention_of(options["retention"])
        return self._new(definition, id, value, data)

    def _new(
        self, definition: WorkflowDefinition, id: str, value: str, data: dict[str, Any]
    ) -> tuple[Instance, InstanceRow, Entry]:
        if "schedule" not in data:
            self._admission.refuse_when_full(definition)
        now = self.clock.now()
        key = self._admission.number()
        if definition.concurrency_limit is None and not self._world.dormant:  # it runs as soon as it is durable
            row = InstanceRow(key, definition.name, id, Status.RUNNING, now, now)
        else:
            row = InstanceRow(key, definition.name, id, Status.QUEUED, now, now, place=key)
        queued = Entry(1, now, "workflow_queued", data={"timestamp": now, **data}, value=value)
        return Instance(self._world, definition, row, InstanceState.fold([queued])), row, queued

    async def _create_scheduled(self, workflow: str, cron: str, scheduled_time: int) -> None:
        """Create the instance of one firing. If there is one of that id, this very time has fired already."""
        id = f"{cron}-{scheduled_time}"
        data = {"trigger": "cron", "schedule": {"cron": cron, "scheduledTime": scheduled_time}}
        try:
            await asyncio.shield(self._creation(*self._new(self.workflow(workflow), id, encoded({}, "params"), data)))
        except WorkflowError as error:
            if error.code != "instance.already_exists":
                raise

    async def adopt(self, workflow: str, id: str, entries: Sequence[Entry], chunks: Sequence[Chunk] = ()) -> None:
        """Take over an instance as another engine left it: its journal, and its streams. It goes on here.

        Raises WorkflowError for an id that is wrong or taken.
        """
        self._refuse_when_closing()
        definition = self.workflow(workflow)
        state = InstanceState.fold(entries)
        key, now = self._admission.number(), self.clock.now()
        sleeps = self._world.dormant and state.visible_status is Status.WAITING
        row = InstanceRow(
            key,
            workflow,
            check_addressable(id),
            state.visible_status if sleeps else state.status,
            entries[0].time,
            entries[-1].time,
            wake_at=now if sleeps else None,
            place=key if state.status is Status.QUEUED else None,
            expires_at=expiry(definition, state, since=now),
        )
        await asyncio.shield(
            self._creation(Instance(self._world, definition, row, state), row, *entries, chunks=chunks)
        )

    def _creation(
        self, instance: Instance, row: InstanceRow, *entries: Entry, chunks: Sequence[Chunk] = ()
    ) -> asyncio.Future[str]:
        """The id of an instance that is started as soon as it is durable, whether or not somebody waits for it."""
        creation: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._creating.add(creation)
        self.clock.hold()
        self._instances[row.key] = instance  # before others find the row, and load another one
        instance.users += 1

        def created(is_new: bool, error: BaseException | None) -> None:
            self._creating.discard(creation)
            if is_new and not self._closing:
                if self._world.interventions is not None:
                    self._world.interventions.created(row.workflow, row.id)
                instance.start()
            instance.users -= 1
            self._unload(instance)
            self.clock.release()
            if error is None and not is_new:
                error = WorkflowError(
                    f'Workflow instance with id "{row.id}" already exists', code="instance.already_exists"
                )
            if creation.done():  # it was cancelled
                return
            if error is None:
                creation.set_result(row.id)
            elif isinstance(error, asyncio.CancelledError):
                creation.cancel()
            else:
                creation.set_exception(error)

        self.store.when_created(row, entries, chunks, created)
        return creation

    async def exists(self, workflow: str, id: str) -> bool:
        self.workflow(workflow)
        return await self.store.find(workflow, id) is not None

    async def state(self, workflow: str, id: str) -> InstanceState:
        """The state of an instance, everything in it durable. Raises WorkflowError if there is no such instance."""
        row = await self._find(workflow, id)
        instance = self._instances.get(row.key)
        seen = instance.state.last_seq if instance is not None else None
        await self.store.flushed()
        if instance is not None and instance.state.last_seq == seen:
            return instance.state
        # It went on meanwhile, and what is in memory may not be durable yet.
        entries = await self.store.journal(row.key)
        if not entries:
            raise _not_found(id)
        return InstanceState.fold(entries)

    async def outcome(self, workflow: str, id: str) -> InstanceState:
        """Like `state`, but of an instance that has ended without its steps: it takes no time to fold them."""
        row = await self._find(workflow, id)
        if row.key not in self._instances and Status(row.status).finite:
            await self.store.flushed()
            state = InstanceState.fold(await self.store.ending(row.key))
            if state.status.finite:  # it was not restarted meanwhile
                return state
        return await self.state(workflow, id)

    async def diagnosis(self, workflow: str, id: str) -> builtins.list[Diagnosis]:
        """What replays of an instance found out, oldest first: where the code no longer does what the journal says.

        Empty if there is nothing. `str()` of each is a sentence that names the steps and their source lines.
        Raises WorkflowError if there is no such instance.
        """
        return (await self.state(workflow, id)).diagnoses[:]

    async def rehearse(
        self, workflow: str, id: str, entries: Sequence[Entry] | None = None, *, strict: bool = True
    ) -> Diagnosis | None:
        """Replay a journal aside, after every step in it: where the code does something else, None if it does not.

        `entries` are those of the instance by default, which waits or has ended; of a foreign journal `id` is only what
        the event says. No callback is called, nothing is written. With `strict`, steps behind the end of the journal,
        and another outcome, count too. Raises WorkflowError if there is no such workflow, or no such instance.
        """
        definition = self.workflow(workflow)
        if entries is None:
            _, entries = await self.history(workflow, id)
        self.clock.hold()
        try:
            return await rehearse(self._world, definition, id, entries, strict=strict)
        finally:
            self.clock.release()

    async def rehearsed(self) -> None:
        """Wait for the replays that `check_determinism` asks for, and that are under way."""
        while self._rehearsing:
            await asyncio.wait(self._rehearsing)

    async def send_event(self, workflow: str, id: str, event_type: str, payload: Any) -> None:
        if not is_event_type(event_type):
            raise WorkflowError(no_event_type(event_type), code="workflow.invalid_event_type")
        value = encoded(payload, "payload")
        async with self._using(workflow, id) as instance:
            instance.send_event(event_type, value)

    async def send_mocked_events(self, workflow: str, id: str) -> None:
        """Hand the mocked events that have been added since over to an instance that has begun."""
        async with self._using(workflow, id) as instance:
            instance.receive_mocked()

    async def subscribe(
        self, workflow: str, id: str, options: object = None, *, previews: bool = False
    ) -> Subscription:
        """The events of an instance: `{"cursor": …}` those after an eventId, `{"filter": […]}` those of some types.

        Raises Exception for options that are invalid, and WorkflowError if there is no such instance.
        """
        cursor, types = check_options(options)
        row = await self._find(workflow, id)
        self._refuse_when_closing()
        subscription = Subscription(self.store, row.key, id, cursor, types, previews=previews)
        self._subscriptions.add(subscription)
        return subscription

    def follow(self, workflow: str, last_event_id: str = "") -> Feed:
        """The events of all instances of a workflow, from behind the one whose id is given. Raises ValueError for an
        id that is none, and WorkflowError if there is no such workflow.
        """
        self.workflow(workflow)
        self._refuse_when_closing()
        feed = Feed(self.store, workflow, last_event_id)
        self._subscriptions.add(feed)
        return feed

    async def skip(self, workflow: str, id: str, step: str | None = None, kind: str | None = None) -> Delay:
        """End a sleep, the delay before a step's next attempt, or a wait (which times out) of an instance now.

        `step` is its name, with its number or without; `kind` is sleep, do, wait or rollback. Neither is needed if the
        instance is in one thing only. Gives what was skipped. Raises WorkflowError (`instance.cannot_skip`) if it is in
        nothing of that name, or in several such things. The platform has no such call.
        """
        async with self._using(workflow, id) as instance:
            return instance.skip(step, kind)

    async def pause(self, workflow: str, id: str) -> None:
        async with self._using(workflow, id) as instance:
            instance.pause()

    async def resume(self, workflow: str, id: str) -> None:
        async with self._using(workflow, id) as instance:
            instance.resume()

    async def terminate(self, workflow: str, id: str, *, rollback: bool = False) -> None:
        async with self._using(workflow, id) as instance:
            instance.terminate(roll_back=rollback)

    async def restart(self, workflow: str, id: str, start: "tuple[str, str, int | float] | None" = None) -> None:
        """Begin anew, or from the step `start`: its kind (do, sleep or wait), its name, the how-manieth it is.

        Raises WorkflowError (`instance.cannot_restart`) if there was no such step.
        """
        if start is None:
            async with self._using(workflow, id) as instance:
                instance.restart()
            return
        # A task of its own: an instance that restarts itself from a step stops the callback that asks for it.
        self.clock.hold()
        restarting = asyncio.get_running_loop().create_task(self._restart_from(workflow, id, *start))
        self._waking.add(restarting)
        restarting.add_done_callback(self._restarted)
        await asyncio.shield(restarting)

    async def _restart_from(self, workflow: str, id: str, kind: str, name: str, count: int | float) -> None:
        async with self._using(workflow, id) as instance:
            await instance.restart_from(kind, name, count)

    def _restarted(self, task: asyncio.Task[None]) -> None:
        self._waking.discard(task)
        self.clock.release()

    async def delete_instances(self, workflow: str, ids: Sequence[str]) -> set[str]:
        """Stop instances and remove all that is stored of them, in one transaction: the ids that there were.

        An instance whose own code asks for it goes no further than this call. Raises WorkflowError for an id that
        cannot be one; then nothing is deleted.
        """
        self.workflow(workflow)
        distinct = dict.fromkeys(check_addressable(id) for id in ids)
        rows = [row for id in distinct if (row := await self.store.find(workflow, id)) is not None]
        keys = {row.key for row in rows}
        while loading := [self._loading[key] for key in keys if key in self._loading]:
            await asyncio.wait(loading)  # one that is being read would not see that its row goes
        self._refuse_when_closing()
        for key in keys:
            if (instance := self._instances.pop(key, None)) is not None:
                instance.delete()
            self._admission.leave(key)
            self.store.delete(key)
        await self.store.flushed()
        self.store.notify(keys)
        caller = running_here()
        if caller is not None and caller.world is self._world and caller.key in keys:
            raise asyncio.CancelledError
        return {row.id for row in rows}

    async def list(self, workflow: str, selection: Selection = EVERY, *, limit: int = 100, offset: int = 0) -> Rows:
        """The instances of a workflow, newest first unless the selection says otherwise."""
        self.workflow(workflow)
        await self.store.flushed()
        return await self.store.list(workflow, selection, limit=limit, offset=offset)

    async def count(self, workflow: str, selection: Selection) -> int:
        """How many instances of a workflow are in a selection."""
        self.workflow(workflow)
        await self.store.flushed()
        return await self.store.count(workflow, selection)

    async def counts(self, workflow: str) -> dict[str, int]:
        """How many instances of a workflow are in each status; statuses without any are left out."""
        self.workflow(workflow)
        await self.store.flushed()
        return await self.store.counts(workflow)

    async def history(self, workflow: str, id: str) -> tuple[InstanceRow, Entries]:
        """The row of an instance and its whole journal, oldest entry first."""
        await self.store.flushed()
        row = await self._find(workflow, id)
        return row, await self.store.journal(row.key)

    async def loose_ends(self) -> None:
        """Wait for the callbacks that no run waits for: of steps that nobody awaited before `run()` returned.

        One that has timed out is none of them: whatever it gives is discarded.
        """
        while loose := self._loose_ends():
            await asyncio.wait(loose)

    async def at_rest(self) -> None:
        """Wait until there is nothing to do for the engine itself, whatever code of the user's still runs."""
        before = None
        while before != (before := self.progress()):
            if work := self._waking | self._creating | set(self._loading.values()):
                await asyncio.wait(work)
            await self.store.flushed()
            for _ in range(REST_TURNS):
                await asyncio.sleep(0)  # noqa: TID251 - a turn of the event loop, no time

    def progress(self) -> object:
        """Something that is equal to what it was before if nothing has happened since to instances in memory."""
        journals = frozenset((key, instance.state.last_seq) for key, instance in self._instances.items())
        return journals, frozenset(self._world.callbacks)

    def _loose_ends(self) -> set[asyncio.Future[Any]]:
        instances = list(self._instances.values())
        awaited = {task for instance in instances for task in instance.awaited} | self._world.late
        lingering = {operation.over for instance in instances for operation in instance.lingering}
        return {*(self._world.callbacks - awaited), *lingering}

    def _rested(self, instance: Instance) -> None:
        state = instance.state
        checked = self._rehearsed.get(instance.key, 0)
        if self._closing or state.status is Status.TERMINATED or state.last_seq == checked or state.diagnoses:
            return  # one that was terminated was cut off anywhere, and what is known to differ goes on differing
        self._rehearsed[instance.key] = state.last_seq
        if state.status.finite:
            del self._rehearsed[instance.key]
        self.clock.hold()
        task = asyncio.get_running_loop().create_task(self._check(instance, checked, state.last_seq))
        self._waking.add(task)
        self._rehearsing.add(task)
        task.add_done_callback(self._rehearsing.discard)
        task.add_done_callback(self._woken)

    async def _check(self, instance: Instance, after: int, upto: int) -> None:
        """Replay what has come into the journal since it was last checked."""
        await self.store.flushed()
        entries = [entry for entry in await self.store.journal(instance.key) if entry.seq <= upto]
        if not entries or self._closing:  # it was deleted, or restarted
            return
        found = await rehearse(self._world, instance.definition, instance.id, entries, after=after, strict=True)
        if found is not None and not self._closing:
            async with self._using(instance.definition.name, instance.id) as using:
                using.diagnose(found)

    # Instances in memory

    @asynccontextmanager
    async def _using(self, workflow: str, id: str) -> AsyncIterator[Instance]:
        """An instance to change; what was changed is durable at the end of the block."""
        row = await self._find(workflow, id)
        self._refuse_when_closing()
        instance = await self._load(row.key)
        instance.users += 1
        try:
            self._refuse_when_closing()
            yield instance
            await instance.durable()
        finally:
            instance.users -= 1
            self._unload(instance)

    async def _find(self, workflow: str, id: str) -> InstanceRow:
        self.workflow(workflow)
        row = await self.store.find(workflow, id)
        if row is None:
            raise _not_found(id)
        return row

    async def _load(self, key: int) -> Instance:
        """The one object of an instance. Two at the same time would not know of each other's entries."""
        while (instance := self._instances.get(key)) is None:
            if key not in self._loading:
                self._read([key])
            if key not in await asyncio.shield(self._loading[key]):
                raise WorkflowError("Instance does not exist", code="instance.not_found")
        return instance

    def _read(self, keys: Sequence[int]) -> asyncio.Task[set[int]]:
        """Load instances that are not in memory, and are not being loaded: the keys of those that there were."""
        reading = asyncio.get_running_loop().create_task(self._read_all(keys))
        self._loading |= dict.fromkeys(keys, reading)
        return reading

    async def _read_all(self, keys: Sequence[int]) -> set[int]:
        try:
            await self.store.flushed()
            found = await self.store.load(keys)
            for row, entries in found:
                definition = self.workflow(row.workflow)
                self._instances[row.key] = Instance(self._world, definition, row, InstanceState.fold(entries))
            return {row.key for row, _ in found}
        finally:
            for key in keys:
                del self._loading[key]

    def _unload(self, instance: Instance) -> None:
        if instance.running or instance.users or self._instances.get(instance.key) is not instance:
            return
        del self._instances[instance.key]
        if self._world.dormant:
            return
        if instance.wake_at is not None and instance.state.visible_status.wakes:
            self._alarms.set(instance.key, instance.wake_at)
        if instance.expires_at is not None:
            self._retention.set(instance.key, instance.expires_at)

    def _in_use(self, key: int) -> bool:
        return key in self._instances or key in self._loading

    def _wake(self, keys: Sequence[int]) -> None:
        if self._closing:
            return
        for start in range(0, len(keys), WOKEN_AT_ONCE):
            self.clock.hold()
            task = asyncio.get_running_loop().create_task(self._take_up(keys[start : start + WOKEN_AT_ONCE]))
            self._waking.add(task)
            task.add_done_callback(self._woken)

    async def _take_up(self, keys: Sequence[int]) -> None:
        keys = list(dict.fromkeys(keys))  # one may have been set for two times that have both come
        absent = [key for key in keys if key not in self._instances and key not in self._loading]
        if absent:
            await asyncio.shield(self._read(absent))
        for key in keys:
            if (instance := self._instances.get(key)) is None:
                try:
                    instance = await self._load(key)
                except WorkflowError as error:
                    self._admission.leave(key)
                    if error.code == "instance.not_found":  # deleted since its time was set
                        continue
                    raise
            if not self._closing:
                instance.start()
            self._unload(instance)

    def _woken(self, task: asyncio.Task[None]) -> None:
        self._waking.discard(task)
        self.clock.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("An instance could not be taken up again.", exc_info=error)

    def _refuse_when_closing(self) -> None:
        if self._closing:
            raise _stopping()
        self.store.check()


async def open_database(
    path: Path | None = None,
    durability: Durability = "normal",
    *,
    may_be_empty: bool = True,
    read_only: bool = False,
) -> Database:
    """The database of an engine: a file, or None for one in memory. Raises StateError if it cannot be used."""
    return await Database.open(path, MIGRATIONS, durability, may_be_empty=may_be_empty, read_only=read_only)


def _stopping() -> WorkflowError:
    return WorkflowError("The server is stopping", code="instance.unavailable")


def _not_found(id: str) -> WorkflowError:
    error = WorkflowError("Instance does not exist", code="instance.not_found")
    error.add_note(f"Its id would be {id!r}.")
    return error
