"""New instances: the options are checked, and the instance is stored and then started."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from cfworkflows.errors import CfworkflowsError, WorkflowError
from cfworkflows.permit import permitted
from cfworkflows_emulator.engine import narration
from cfworkflows_emulator.engine.definition import (
    WorkflowDefinition,
    check_addressable,
    check_id,
    new_id,
    workflow_of,
)
from cfworkflows_emulator.engine.instance import Instance, Instances
from cfworkflows_emulator.engine.intake import check_batch, encoded, retention_of, validated_params
from cfworkflows_emulator.engine.journal.entries import Entry, EntryType
from cfworkflows_emulator.engine.journal.sizes import size_of
from cfworkflows_emulator.engine.journal.state import InstanceState, Status
from cfworkflows_emulator.engine.journal.store import InstanceRow
from cfworkflows_emulator.engine.journal.streams import Chunk
from cfworkflows_emulator.engine.retention import expiry
from cfworkflows_emulator.engine.shared import Shared

Prepared = tuple[Instance, InstanceRow, Entry]
"""A new instance, its row, and the first entry of its journal."""


class Creation:
    """Creates objects of the class `instances` among `residents`. Those that are `under_way` are not durable yet."""

    def __init__(
        self,
        shared: Shared,
        residents: Instances,
        definitions: Mapping[str, WorkflowDefinition],
        instances: type[Instance],
    ) -> None:
        self.under_way: set[asyncio.Future[str]] = set()
        self._shared = shared
        self._residents = residents
        self._definitions = definitions
        self._instances = instances

    async def one(self, workflow: str, options: Mapping[str, Any]) -> str:
        """See `Engine.create_instance`."""
        await permitted(f"create() on {workflow}")
        return await self._started(*self._prepared(workflow, options))

    async def batch(self, workflow: str, batch: Sequence[Mapping[str, Any]]) -> list[str | None]:
        """See `Engine.create_batch`."""
        await permitted(f"create_batch() on {workflow}")
        prepared = []
        for index, options in enumerate(batch):
            try:
                prepared.append(self._prepared(workflow, options))
            except CfworkflowsError as error:
                error.add_note(f"It is number {index} of the batch, counted from 0. Nothing was created.")
                raise
        check_batch(
            size_of(options.get("params", {}), queued.value or "")
            for options, (_, _, queued) in zip(batch, prepared, strict=True)
        )
        creations = [self._started(*each) for each in prepared]
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

    async def scheduled(self, workflow: str, cron: str, scheduled_time: int) -> None:
        """Create the instance of one firing. If the id is taken, this very time has fired already."""
        id = f"{cron}-{scheduled_time}"
        data = {"trigger": "cron", "schedule": {"cron": cron, "scheduledTime": scheduled_time}}
        definition = workflow_of(self._definitions, workflow)
        try:
            await asyncio.shield(self._started(*self._new(definition, id, encoded({}, "params"), data)))
        except WorkflowError as error:
            if error.code != "instance.already_exists":
                raise

    async def adopted(self, workflow: str, id: str, entries: Sequence[Entry], chunks: Sequence[Chunk]) -> None:
        """See `Engine.adopt`."""
        definition = workflow_of(self._definitions, workflow)
        state = InstanceState.fold(entries)
        key, now = self._shared.admission.number(), self._shared.clock.now()
        sleeps = not self._instances.runs_code and state.visible_status is Status.WAITING
        row = InstanceRow(
            key,
            workflow,
            check_addressable(id),
            state.visible_status if sleeps else state.status,
            entries[0].time,
            entries[-1].time,
            wake_at=now if sleeps else None,
            position=key if state.status is Status.QUEUED else None,
            expires_at=expiry(definition, state, since=now),
        )
        instance = self._instances(self._shared, definition, row, state)
        await asyncio.shield(self._started(instance, row, *entries, chunks=chunks))

    def _prepared(self, workflow: str, options: Mapping[str, Any]) -> Prepared:
        """Raises if anything is wrong with the options."""
        definition = workflow_of(self._definitions, workflow)
        id = check_id(options["id"]) if "id" in options else new_id()
        value = encoded(validated_params(definition, options.get("params", {})), "params")
        data: dict[str, Any] = {"trigger": options.get("trigger", "binding")}
        if options.get("retention") is not None:
            data["retention"] = retention_of(options["retention"])
        self._shared.admission.refuse_when_full(definition)
        return self._new(definition, id, value, data)

    def _new(self, definition: WorkflowDefinition, id: str, value: str, data: dict[str, Any]) -> Prepared:
        now = self._shared.clock.now()
        key = self._shared.admission.number()
        if definition.concurrency_limit is None and self._instances.runs_code:  # it runs as soon as it is durable
            row = InstanceRow(key, definition.name, id, Status.RUNNING, now, now)
        else:
            row = InstanceRow(key, definition.name, id, Status.QUEUED, now, now, position=key)
        queued = Entry(1, now, str(EntryType.WORKFLOW_QUEUED), data={"timestamp": now, **data}, value=value)
        return self._instances(self._shared, definition, row, InstanceState.fold([queued])), row, queued

    def _started(
        self, instance: Instance, row: InstanceRow, *entries: Entry, chunks: Sequence[Chunk] = ()
    ) -> asyncio.Future[str]:
        """The id of an instance that is started as soon as it is durable, whether or not the caller still waits: the
        future may be cancelled.
        """
        creation: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.under_way.add(creation)
        self._shared.clock.hold()
        self._residents.add(instance)
        instance.users += 1

        def created(is_new: bool, error: BaseException | None) -> None:
            self.under_way.discard(creation)
            if is_new and not self._residents.closed:
                self._shared.probe.created(row.workflow, row.id)
                narration.created(instance, entries[0])
                instance.start()
            instance.users -= 1
            self._residents.unload(instance)
            self._shared.clock.release()
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

        self._shared.store.when_created(row, entries, chunks, created)
        return creation
