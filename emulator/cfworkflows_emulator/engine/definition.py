"""The definition of a workflow, as the engine receives it."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cfworkflows.entrypoint import WorkflowEntrypoint
from cfworkflows.errors import WorkflowError
from cfworkflows.event import CronSchedule, WorkflowEvent
from cfworkflows.typed import is_validated, validate
from cfworkflows.values import decode
from cfworkflows_emulator.engine.journal.entries import Entry
from cfworkflows_emulator.engine.journal.sizes import over

DEFAULT_STEP_LIMIT = 10_000
DEFAULT_RETENTION_MS = 7 * 86_400_000
"""How long the platform's paid plan keeps ended instances of Workflows made since 10 September 2026 (Limits)."""
MAX_ID_LENGTH = 100
MAX_ADDRESSABLE_LENGTH = 271

_ID = re.compile(rf"[a-zA-Z0-9_][a-zA-Z0-9_-]{{0,{MAX_ID_LENGTH - 1}}}")
_RESERVED_ID = re.compile(r"cf_[0-9a-f]{64}")
_ADDRESSABLE = re.compile(rf"[a-zA-Z0-9, */#_-]{{1,{MAX_ADDRESSABLE_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class WorkflowDefinition:
    """A workflow: `entrypoint()` returns a new object of its class for each run.

    `params_type` is what a payload is validated as; Any means not at all. `step_limit` counts calls of `step.do`.
    Each of the cron expressions `schedules` creates instances by itself. At most `concurrency_limit` instances run at
    the same time, the others are queued; None means any number.

    An instance that completed or was terminated is deleted `success_retention_ms` later, one that errored
    `error_retention_ms` later, unless it was created with a retention of its own. None means never.
    """

    name: str
    entrypoint: Callable[[], WorkflowEntrypoint[Any, Any]]
    params_type: Any = Any
    step_limit: int = DEFAULT_STEP_LIMIT
    schedules: tuple[str, ...] = ()
    concurrency_limit: int | None = None
    success_retention_ms: float | None = None
    error_retention_ms: float | None = None
    has_typed_params: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_typed_params", is_validated(self.params_type))

    def event(self, id: str, queued: Entry) -> WorkflowEvent[Any]:
        """The event that `run()` of instance `id` receives, with the params of the entry `queued`.

        Raises PayloadValidationError if they no longer fit their type.
        """
        payload = decode(queued.value) if queued.value is not None else None
        if self.has_typed_params:
            payload = validate(self.params_type, payload)
        event: WorkflowEvent[Any] = WorkflowEvent(
            payload=payload,
            timestamp=datetime.fromtimestamp(queued.data["timestamp"] / 1000, UTC),
            instanceId=id,
            workflowName=self.name,
        )
        if "schedule" in queued.data:
            event["schedule"] = CronSchedule(queued.data["schedule"])
        return event


def workflow_of(definitions: Mapping[str, WorkflowDefinition], name: str) -> WorkflowDefinition:
    """The definition of the workflow `name`. Raises WorkflowError if there is none."""
    if name not in definitions:
        raise WorkflowError(f'There is no workflow called "{name}"', code="workflow.not_found")
    return definitions[name]


def new_id() -> str:
    """A random UUID, version 4, as `uuid.uuid4` makes it, without an object for it."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def check_id(value: object) -> str:
    """An id for a new instance. Raises WorkflowError unless it matches the platform's pattern, 1 to 100 characters."""
    if value is None:
        error = WorkflowError("Workflow instance has invalid id")
        error.add_note("None is null on the platform, and no id. Leave the option out, and an id is made up.")
        raise error
    if not isinstance(value, str) or not _ID.fullmatch(value):
        error = WorkflowError("Workflow instance has invalid id")
        error.add_note(
            f"{value!r} is not 1 to {MAX_ID_LENGTH} letters, digits, hyphens and underscores that start with no "
            f"hyphen{over(value, MAX_ID_LENGTH)}."
        )
        raise error
    if _RESERVED_ID.fullmatch(value):
        error = WorkflowError("Workflow instance has invalid id")
        error.add_note(f"{value!r}: the platform keeps ids of cf_ and 64 hexadecimal digits for itself.")
        raise error
    return value


def check_addressable(value: object) -> str:
    """An id to find an instance by, which may be one of a schedule's. Raises WorkflowError for anything else."""
    if not isinstance(value, str) or not _ADDRESSABLE.fullmatch(value):
        error = WorkflowError("Instance ID is invalid", code="instance.invalid_id")
        error.add_note(
            f"{value!r} is not 1 to {MAX_ADDRESSABLE_LENGTH} letters, digits, spaces and characters out of , * / # _ -"
            f"{over(value, MAX_ADDRESSABLE_LENGTH)}"
        )
        raise error
    return value
