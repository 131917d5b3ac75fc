"""What a Workflow binding needs of an engine: the Protocols that the emulator's engine implements."""

from collections.abc import Container, Mapping, Sequence
from typing import Any, Protocol

from cfworkflows.errors import ErrorRecord
from cfworkflows.types import WorkflowInstanceSubscription
from cfworkflows_bindings.workflow.restart import Start


class RollbackState(Protocol):
    """`outcome` is `complete` or `failed`, None until there is one; `failure` what a handler failed with."""

    @property
    def outcome(self) -> str | None: ...

    @property
    def failure(self) -> ErrorRecord | None: ...


class InstanceState(Protocol):
    """What a handle reads of an instance: `output` is the encoded value, None until there is one."""

    @property
    def visible_status(self) -> str: ...

    @property
    def output(self) -> str | None: ...

    @property
    def error(self) -> ErrorRecord | None: ...

    @property
    def rollback(self) -> RollbackState | None: ...


class WorkflowEngine(Protocol):
    """The engine, as far as a binding needs it. Every call returns when what it did is durable."""

    async def create_instance(self, workflow: str, options: Mapping[str, Any]) -> str: ...

    async def create_batch(self, workflow: str, batch: Sequence[Mapping[str, Any]]) -> Sequence[str | None]: ...

    async def exists(self, workflow: str, id: str) -> bool: ...

    async def outcome(self, workflow: str, id: str) -> InstanceState: ...

    async def subscribe(self, workflow: str, id: str, options: object = None) -> WorkflowInstanceSubscription: ...

    async def send_event(self, workflow: str, id: str, event_type: str, payload: Any) -> None: ...

    async def pause(self, workflow: str, id: str) -> None: ...

    async def resume(self, workflow: str, id: str) -> None: ...

    async def terminate(self, workflow: str, id: str, *, rollback: bool = False) -> None: ...

    async def restart(self, workflow: str, id: str, start: Start | None = None) -> None: ...

    async def delete_instances(self, workflow: str, ids: Sequence[str]) -> Container[str]: ...
