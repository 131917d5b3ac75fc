"""How long instances are kept after they ended, and their deletion when that time is over."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cfworkflows_emulator.actors import Alarms
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.journal.state import InstanceState, Status
from cfworkflows_emulator.engine.journal.store import InstanceStore


class Retention:
    """Deletes instances whose time is over, also those that are overdue at the start.

    `in_use(key)` says whether an instance is in memory: then it is left alone, and `set` again once it is not.
    """

    def __init__(self, clock: Clock, store: InstanceStore, in_use: Callable[[int], bool]) -> None:
        self._clock = clock
        self._store = store
        self._in_use = in_use
        self._alarms = Alarms(clock, store.next_expiries, self._expire)

    async def start(self, definitions: Iterable[WorkflowDefinition]) -> None:
        """Set the expiry of instances that ended before there was a retention, and arm the timers."""
        for definition in definitions:
            for key, status, ended_at, data in await self._store.kept(definition.name):
                if (expires_at := _expiry(definition, data, Status(status), ended_at)) is not None:
                    self._store.set_expiry(key, expires_at)
        await self._alarms.load()

    def set(self, key: int, expires_at: int) -> None:
        """Delete instance `key` at `expires_at`, in ms. Its row says the same, or that it is not to be deleted."""
        self._alarms.set(key, expires_at)

    def close(self) -> None:
        self._alarms.close()

    def _expire(self, keys: list[int]) -> None:
        self._clock.hold()
        for key in keys:
            if not self._in_use(key):
                self._store.expire(key, self._clock.now())
        self._store.flushed().add_done_callback(lambda _: self._clock.release())


def expiry(definition: WorkflowDefinition, state: InstanceState, since: int | None = None) -> int | None:
    """When an instance is to be deleted, in ms; None if it has not ended, or is kept for ever.

    It is kept for some time from its end on, or from `since`.
    """
    if state.queued is None or state.ended_at is None or not state.status.finite:
        return None
    return _expiry(definition, state.queued.data, state.status, state.ended_at if since is None else since)


def _expiry(definition: WorkflowDefinition, created: Mapping[str, Any], status: Status, ended_at: int) -> int | None:
    """The platform's order: what the instance was created with, then what its workflow says (Workers API)."""
    own = created.get("retention", {})
    if status is Status.ERRORED:
        retention = own.get("errorRetention", own.get("error_retention", definition.error_retention_ms))
    else:
        retention = own.get("successRetention", own.get("success_retention", definition.success_retention_ms))
    return ended_at + int(-(-retention // 1)) if retention is not None else None
