"""The engine of a project: all its workflows, their instances on disk, and those of them that are in memory."""

import asyncio
import builtins
import logging
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from cfworkflows.errors import WorkflowError, instance_not_found
from cfworkflows.permit import permitted
from cfworkflows_emulator.actors import Alarms, Eviction, Residents, Schedules
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.engine.activity import Activity
from cfworkflows_emulator.engine.admission import Admission, free_until
from cfworkflows_emulator.engine.creation import Creation
from cfworkflows_emulator.engine.definition import WorkflowDefinition, check_addressable, workflow_of
from cfworkflows_emulator.engine.deletion import delete
from cfworkflows_emulator.engine.divergence.determinism import DeterminismCheck
from cfworkflows_emulator.engine.divergence.rehearsal import rehearse
from cfworkflows_emulator.engine.dormant import DormantInstance
from cfworkflows_emulator.engine.feed import Feed
from cfworkflows_emulator.engine.instance import Instance, Instances
from cfworkflows_emulator.engine.intake import encoded
from cfworkflows_emulator.engine.journal.diagnosis import Diagnosis
from cfworkflows_emulator.engine.journal.entries import Entry
from cfworkflows_emulator.engine.journal.selection import EVERY, Selection
from cfworkflows_emulator.engine.journal.state import InstanceState, Status
from cfworkflows_emulator.engine.journal.store import Entries, InstanceRow, InstanceStore, Rows
from cfworkflows_emulator.engine.journal.streams import Chunk
from cfworkflows_emulator.engine.listing import Listing
from cfworkflows_emulator.engine.probe import NO_PROBE, Probe
from cfworkflows_emulator.engine.restart import restart, restart_from
from cfworkflows_emulator.engine.retention import Retention
from cfworkflows_emulator.engine.run.step_wait import check_event_type
from cfworkflows_emulator.engine.run.stranded import leave_behind
from cfworkflows_emulator.engine.settings import DEFAULTS, EngineSettings
from cfworkflows_emulator.engine.shared import Shared
from cfworkflows_emulator.engine.skip import Delay
from cfworkflows_emulator.engine.subscription import Subscription, check_options
from cfworkflows_emulator.storage import Database

log = logging.getLogger("cfworkflows.engine")


class Engine:
    """Creates, runs and keeps instances. Open it with `Engine.open`, and `close` it."""

    def __init__(
        self,
        store: InstanceStore,
        clock: Clock,
        definitions: Iterable[WorkflowDefinition],
        last_key: int,
        settings: EngineSettings = DEFAULTS,
        probe: Probe = NO_PROBE,
        instances: type[Instance] = Instance,
    ) -> None:
        self.clock = clock
        self.store = store
        self._definitions = {definition.name: definition for definition in definitions}
        self.residents: Instances = Residents(
            clock, load=self._load, left=self._left, check=self._refuse_when_closed, absent=instance_not_found
        )
        determinism = DeterminismCheck(self.residents, is_on=settings.check_determinism)
        self._admission = Admission(self.residents.wake, last_key)
        self._shared = Shared(
            clock,
            store,
            self._admission,
            Eviction(clock, settings.evict_after_ms),
            self.residents.unload,
            determinism.rested,
            determinism.raced,
            probe,
        )
        self._instances = instances
        self._listing = Listing(store, self.residents, looks=not instances.runs_code)
        self._creation = Creation(self._shared, self.residents, self._definitions, instances)
        self.activity = Activity(self.residents, self._creation, self._shared.callbacks, store, determinism)
        self._alarms = Alarms(clock, store.next_alarms, self.residents.wake, settings.ahead_ms)
        self._retention = Retention(clock, store, self.residents.has)
        self._schedules = Schedules(clock, self._creation.scheduled)
        self._subscriptions: weakref.WeakSet[Subscription | Feed] = weakref.WeakSet()

    @classmethod
    async def open(
        cls,
        definitions: Iterable[WorkflowDefinition],
        clock: Clock,
        database: Database,
        settings: EngineSettings = DEFAULTS,
        *,
        probe: Probe = NO_PROBE,
        dormant: bool = False,
    ) -> "Engine":
        """Open the engine over a database made with `open_database`. Nothing runs before `resume_all`.

        `probe` is a test's. A `dormant` engine runs no code of workflows: what is asked of an instance is written down,
        and done by the next engine over the same database.
        """
        store = InstanceStore(database)
        instances = DormantInstance if dormant else Instance
        return cls(store, clock, definitions, await store.last_key(), settings, probe, instances)

    @property
    def definitions(self) -> Mapping[str, WorkflowDefinition]:
        """The workflows that it knows, by name."""
        return self._definitions

    def define(self, definition: WorkflowDefinition) -> None:
        """Make a workflow known, in place of another of its name. Before `resume_all`.

        An engine is open before the code of its workflows is loaded, which uses bindings over the engine on import.
        """
        self._definitions[definition.name] = definition

    async def resume_all(self) -> None:
        """Wake every instance that was at work when the last process ended, and arm the timers of the others.

        The queues have their old order. Instances whose retention is over are deleted.
        """
        interrupted, abandoned = [], []
        now = self.clock.now()
        for row in await self.store.interrupted():
            if (definition := self._definitions.get(row.workflow)) is not None:
                is_free = now < free_until(row.id, row.created_at)
                if is_free or self._admission.restore(definition, row):
                    interrupted.append(row.key)
            else:
                abandoned.append(row.workflow)
        self.residents.wake(interrupted)
        _warn_of_abandoned(abandoned)
        await self._alarms.load()
        await self._retention.start(self._definitions.values())
        for definition in self._definitions.values():
            self._schedules.arm(definition.name, definition.schedules)

    async def close(self, grace_s: float = 0) -> list[str]:
        """Stop. Callbacks that run get `grace_s` seconds to end; the next process repeats what is cut off.

        Returns the callbacks that were cut off.
        """
        self._stop_timers()
        self.residents.close()
        left = await self._shared.callbacks.end(grace_s)
        self.residents.stop()
        self._shared.callbacks.cut_off()
        self._shared.callbacks.close()
        self._shared.lifeline.cut()
        await leave_behind(self._shared.callbacks.running)
        await self.store.close()
        return left

    def kill(self) -> None:
        """Stop here and now, as if the process died: nothing more is written, and no more user code begins.

        For tests of crashes. The database stays open, for the engine that comes after. A callback in a thread cannot
        be stopped; `threads_ended` waits for it.
        """
        self.store.abandon()
        self._stop_timers()
        for creation in self._creation.under_way:
            creation.cancel()
        self.residents.stop(reading=True)
        self._shared.callbacks.cut_off()
        self._shared.lifeline.cut()

    def _stop_timers(self) -> None:
        for part in (self._schedules, self._alarms, self._retention):
            part.close()
        self.end_subscriptions()

    def end_subscriptions(self, *, onlookers_only: bool = False) -> None:
        """End the subscriptions that are open, with WorkflowError (`instance.unavailable`), since the server stops.

        With `onlookers_only`, those of the workflows' and handlers' own code stay open: it may still have work to do.
        """
        for subscription in self._subscriptions:
            if subscription.previews or not onlookers_only:
                subscription.fail(_stopping())

    async def threads_ended(self) -> None:
        """Wait for the callbacks that run in threads. After `kill`."""
        await self._shared.callbacks.threads_ended()

    # What a binding asks for

    def workflow(self, name: str) -> WorkflowDefinition:
        """The definition of a workflow. Raises WorkflowError if there is none of that name."""
        return workflow_of(self._definitions, name)

    async def create_instance(self, workflow: str, options: Mapping[str, Any]) -> str:
        """Create an instance and start it: its id, when its creation is durable.

        The options are `id` (default: a UUID), `params` (default: an empty object), `retention`, `location_hint`, and
        `trigger`, which says what creates it (default: `binding`).

        Raises WorkflowError for a wrong or taken id, for params over 1 MiB and if too many instances are queued,
        SerializationError for params that cannot be stored, PayloadValidationError for params that do not fit the
        workflow's type.
        """
        self._refuse_when_closed()
        return await self._creation.one(workflow, options)

    async def create_batch(self, workflow: str, batch: Sequence[Mapping[str, Any]]) -> "list[str | None]":
        """Create several instances in one commit: their ids, with None in the place of each whose id is taken.

        Raises what `create_instance` raises, with a note that says for which of them, and then creates none.
        """
        self._refuse_when_closed()
        return await self._creation.batch(workflow, batch)

    async def adopt(self, workflow: str, id: str, entries: Sequence[Entry], chunks: Sequence[Chunk] = ()) -> None:
        """Take over an instance as another engine left it: its journal, and its streams. It continues here.

        Raises WorkflowError for an id that is wrong or taken.
        """
        self._refuse_when_closed()
        await self._creation.adopted(workflow, id, entries, chunks)

    async def exists(self, workflow: str, id: str) -> bool:
        self.workflow(workflow)
        return await self.store.find(workflow, id) is not None

    async def state(self, workflow: str, id: str) -> InstanceState:
        """The state of an instance, everything in it durable. Raises WorkflowError if there is no such instance."""
        row = await self._find(workflow, id)
        instance = self.residents.actors.get(row.key)
        seen = instance.state.last_seq if instance is not None else None
        await self.store.flushed()
        if instance is not None and instance.state.last_seq == seen:
            return instance.state
        # It went on meanwhile, and what is in memory may not be durable yet.
        entries = await self.store.journal(row.key)
        if not entries:
            raise instance_not_found(id)
        return self._listing.read(row.key, entries)

    async def outcome(self, workflow: str, id: str) -> InstanceState:
        """Like `state`, but of an instance that has ended without its steps: it takes no time to fold them."""
        row = await self._find(workflow, id)
        if row.key not in self.residents.actors and Status(row.status).finite:
            await self.store.flushed()
            state = InstanceState.read(await self.store.ending(row.key), whole=False)
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
            return await rehearse(self._shared, definition, id, entries, strict=strict)
        finally:
            self.clock.release()

    async def send_event(self, workflow: str, id: str, event_type: str, payload: Any) -> None:
        check_event_type(event_type)
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
        self._refuse_when_closed()
        subscription = Subscription(self.store, row.key, id, cursor, types, previews=previews)
        self._subscriptions.add(subscription)
        return subscription

    def follow(self, workflow: str, last_event_id: str = "") -> Feed:
        """The events of all instances of a workflow, from behind the event `last_event_id`.

        Instead of an id, a time in ms is where to begin, and `now` leaves the history out. Raises ValueError for an id
        that is none, and WorkflowError if there is no such workflow.
        """
        self.workflow(workflow)
        self._refuse_when_closed()
        feed = Feed(self.store, workflow, last_event_id, self.clock.now())
        self._subscriptions.add(feed)
        return feed

    async def skip(self, workflow: str, id: str, step: str | None = None, kind: str | None = None) -> Delay:
        """End a sleep, the delay before a step's next attempt, or a wait (which times out) of an instance now.

        `step` is its name, with its number or without; `kind` is sleep, do, wait or rollback. Neither is needed if the
        instance is in one thing only. Returns the delay. Raises WorkflowError (`instance.cannot_skip`) if it is in
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

    async def terminate(self, workflow: str, id: str, *, rollback: bool = False, trigger: str = "binding") -> None:
        async with self._using(workflow, id) as instance:
            instance.terminate(roll_back=rollback, trigger=trigger)

    async def restart(self, workflow: str, id: str, start: "tuple[str, str, int | float] | None" = None) -> None:
        """Begin anew, or from the step `start`: its kind (do, sleep or wait), its name, and which
        of those of that name, counted from 1.

        Raises WorkflowError (`instance.cannot_restart`) if there was no such step.
        """
        if start is None:
            async with self._using(workflow, id) as instance:
                restart(instance)
            return
        # A task of its own: an instance that restarts itself from a step stops the callback that asks for it.
        await asyncio.shield(self.residents.do(self._restart_from(workflow, id, *start)))

    async def _restart_from(self, workflow: str, id: str, kind: str, name: str, count: int | float) -> None:
        async with self._using(workflow, id) as instance:
            await restart_from(instance, kind, name, count)

    async def delete_instances(self, workflow: str, ids: Sequence[str]) -> set[str]:
        """Stop instances and remove all that is stored of them, in one transaction: the ids that there were.

        An instance whose own code asks for it goes no further than this call. Raises WorkflowError for an id that
        cannot be one; then nothing is deleted.
        """
        self.workflow(workflow)
        distinct = dict.fromkeys(check_addressable(id) for id in ids)
        rows = [row for id in distinct if (row := await self.store.find(workflow, id)) is not None]
        await delete({row.key for row in rows}, self.residents, self._shared)
        return {row.id for row in rows}

    async def list(self, workflow: str, selection: Selection = EVERY, *, limit: int = 100, offset: int = 0) -> Rows:
        """The instances of a workflow, newest first unless the selection says otherwise."""
        self.workflow(workflow)
        return await self._listing.rows(workflow, selection, limit, offset)

    async def count(self, workflow: str, selection: Selection) -> int:
        """How many instances of a workflow are in a selection."""
        self.workflow(workflow)
        await self.store.flushed()
        return await self.store.count(workflow, selection)

    async def counts(self, workflow: str) -> dict[str, int]:
        """How many instances of a workflow are in each status; statuses without any are left out."""
        self.workflow(workflow)
        return await self._listing.counts(workflow)

    async def history(self, workflow: str, id: str) -> tuple[InstanceRow, Entries]:
        """The row of an instance and its whole journal, oldest entry first."""
        await self.store.flushed()
        row = await self._find(workflow, id)
        return row, await self.store.journal(row.key)

    @asynccontextmanager
    async def _using(self, workflow: str, id: str) -> AsyncIterator[Instance]:
        """An instance to change; what was changed is durable at the end of the block."""
        row = await self._find(workflow, id)
        async with self.residents.using(row.key) as instance:
            yield instance

    async def _find(self, workflow: str, id: str) -> InstanceRow:
        await permitted(f"A call on {workflow}/{id}")
        self.workflow(workflow)
        row = await self.store.find(workflow, id)
        if row is None:
            raise instance_not_found(id)
        return row

    def _refuse_when_closed(self) -> None:
        """Raises WorkflowError (`instance.unavailable`), or StateError if nothing is written any more."""
        if self.residents.closed:
            raise _stopping()
        self.store.check()

    async def _load(self, keys: Sequence[int]) -> builtins.list[Instance]:
        """Instances as they are stored; those that there are."""
        await self.store.flushed()
        found = await self.store.load(keys)
        for key in set(keys).difference(row.key for row, _ in found):
            self._admission.leave(key)  # it was deleted since it got its slot
        _warn_of_abandoned(row.workflow for row, _ in found if row.workflow not in self._definitions)
        return [
            self._instances(self._shared, definition, row, self._read(row, entries))
            for row, entries in found
            if (definition := self._definitions.get(row.workflow)) is not None
        ]

    def _read(self, row: InstanceRow, entries: Entries) -> InstanceState:
        state = self._listing.read(row.key, entries)
        if state.unreadable_from is not None and state.error is not None:
            self._admission.leave(row.key)
            log.error("%s/%s does not go on. %s", row.workflow, row.id, state.error.message)
        return state

    def _left(self, instance: Instance) -> None:
        """An instance has left memory: what it waits for is on the disk."""
        if not instance.runs_code:
            return
        if instance.wake_at is not None and instance.state.visible_status.wakes:
            needs_slot = instance.definition.concurrency_limit is not None
            self._alarms.set(instance.key, instance.wake_at, punctual=needs_slot)
        if instance.expires_at is not None:
            self._retention.set(instance.key, instance.expires_at)


def _warn_of_abandoned(workflows: Iterable[str]) -> None:
    """Log that instances of `workflows`, one for each, cannot continue without their code."""
    for workflow, count in Counter(workflows).items():
        log.warning("%d instance(s) of workflow %s are left as they are: it is not configured.", count, workflow)


def _stopping() -> WorkflowError:
    return WorkflowError("The server is stopping", code="instance.unavailable")
