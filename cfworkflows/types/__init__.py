"""What `env.X` promises: one module for each kind of binding, with Protocols to annotate an `Env`.

Every method takes the platform's options object, as a dict in its place, or keywords; every camelCase name works too.
What stands behind a Protocol is the platform's, or that of `cfworkflows_bindings`. May import `cfworkflows.http`, and
the durations and values below it.
"""

from cfworkflows.types.service import Fetcher
from cfworkflows.types.workflow import (
    LOCATION_HINTS,
    MAX_RETENTION_MS,
    STATUSES,
    BatchError,
    BatchResult,
    DeletedInstance,
    DeletionError,
    DeletionResult,
    EventType,
    InstanceError,
    InstanceRollback,
    InstanceStatus,
    LocationHint,
    RestartOptions,
    RetentionOptions,
    SendEventOptions,
    StatusName,
    StepReference,
    SubscribeOptions,
    SubscriptionResult,
    TerminateOptions,
    Workflow,
    WorkflowBatchCountOptions,
    WorkflowBatchInstancesOptions,
    WorkflowInstance,
    WorkflowInstanceCreateOptions,
    WorkflowInstanceSubscription,
)

__all__ = [
    "LOCATION_HINTS",
    "MAX_RETENTION_MS",
    "STATUSES",
    "BatchError",
    "BatchResult",
    "DeletedInstance",
    "DeletionError",
    "DeletionResult",
    "EventType",
    "Fetcher",
    "InstanceError",
    "InstanceRollback",
    "InstanceStatus",
    "LocationHint",
    "RestartOptions",
    "RetentionOptions",
    "SendEventOptions",
    "StatusName",
    "StepReference",
    "SubscribeOptions",
    "SubscriptionResult",
    "TerminateOptions",
    "Workflow",
    "WorkflowBatchCountOptions",
    "WorkflowBatchInstancesOptions",
    "WorkflowInstance",
    "WorkflowInstanceCreateOptions",
    "WorkflowInstanceSubscription",
]
