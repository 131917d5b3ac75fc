"""The types of `env.X`: one module for each kind of binding, with Protocols to annotate an `Env`.

Every method takes the platform's options object, as a dict in its place, or keywords; every camelCase name works too.
The implementation of a Protocol is the platform's, or that of `cfworkflows_bindings`. May import `cfworkflows.http`,
and the durations and values below it.
"""

from typing import TYPE_CHECKING, Any

from cfworkflows.types.d1 import (
    D1Database,
    D1DatabaseSession,
    D1ExecResult,
    D1Meta,
    D1PreparedStatement,
    D1RawOptions,
    D1Result,
    D1Timings,
    D1Value,
)
from cfworkflows.types.kv import (
    KVGetOptions,
    KVGetWithMetadataResult,
    KVListKey,
    KVListOptions,
    KVListResult,
    KVNamespace,
    KVPutOptions,
    KVValue,
    KVValueWithMetadata,
)
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

if TYPE_CHECKING:
    from cfworkflows.types.r2 import (
        R2Bucket,
        R2Checksums,
        R2Conditional,
        R2ConditionalGetOptions,
        R2ConditionalPutOptions,
        R2GetOptions,
        R2HTTPMetadata,
        R2ListOptions,
        R2MultipartOptions,
        R2MultipartUpload,
        R2Object,
        R2ObjectBody,
        R2Objects,
        R2PutOptions,
        R2Range,
        R2StorageClass,
        R2UploadedPart,
        R2UploadPartOptions,
        R2Value,
    )

__all__ = [
    "LOCATION_HINTS",
    "MAX_RETENTION_MS",
    "STATUSES",
    "BatchError",
    "BatchResult",
    "D1Database",
    "D1DatabaseSession",
    "D1ExecResult",
    "D1Meta",
    "D1PreparedStatement",
    "D1RawOptions",
    "D1Result",
    "D1Timings",
    "D1Value",
    "DeletedInstance",
    "DeletionError",
    "DeletionResult",
    "EventType",
    "Fetcher",
    "InstanceError",
    "InstanceRollback",
    "InstanceStatus",
    "KVGetOptions",
    "KVGetWithMetadataResult",
    "KVListKey",
    "KVListOptions",
    "KVListResult",
    "KVNamespace",
    "KVPutOptions",
    "KVValue",
    "KVValueWithMetadata",
    "LocationHint",
    "R2Bucket",
    "R2Checksums",
    "R2Conditional",
    "R2ConditionalGetOptions",
    "R2ConditionalPutOptions",
    "R2GetOptions",
    "R2HTTPMetadata",
    "R2ListOptions",
    "R2MultipartOptions",
    "R2MultipartUpload",
    "R2Object",
    "R2ObjectBody",
    "R2Objects",
    "R2PutOptions",
    "R2Range",
    "R2StorageClass",
    "R2UploadPartOptions",
    "R2UploadedPart",
    "R2Value",
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

# What few Workers need is imported on first use.
_LATE = {name: "cfworkflows.types.r2" for name in __all__ if name.startswith("R2")}


if not TYPE_CHECKING:  # else a type checker would accept any name

    def __getattr__(name: str) -> Any:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = globals()[name] = getattr(import_module(_LATE[name]), name)
        return found
