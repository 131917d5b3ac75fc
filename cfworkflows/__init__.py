"""Cloudflare Workflows for Python: everything that a Worker file imports.

Imports nothing but the standard library until a Worker asks for more. The emulator and the bindings import this
package, never the other way round.
"""

from typing import TYPE_CHECKING, Any

from cfworkflows.durations import Duration
from cfworkflows.entrypoint import ExecutionContext, WorkerEntrypoint, WorkflowEntrypoint
from cfworkflows.environment import env, wait_until
from cfworkflows.errors import (
    CfworkflowsError,
    DurationError,
    NonRetryableDelayError,
    NonRetryableError,
    PayloadValidationError,
    PortabilityWarning,
    SerializationError,
    StepError,
    WorkflowError,
    WorkflowFatalError,
    WorkflowInternalError,
    WorkflowTimeoutError,
)
from cfworkflows.event import CronSchedule, WorkflowEvent, WorkflowStepEvent
from cfworkflows.http import Blob, File, FormData, Headers, ReadableStream, Request, Response, URLSearchParams, fetch
from cfworkflows.step import (
    DelayRequest,
    RollbackContext,
    StepContext,
    WorkflowRetryConfig,
    WorkflowRetryOptions,
    WorkflowStep,
    WorkflowStepConfig,
    WorkflowStepOptions,
)
from cfworkflows.types import InstanceStatus, Workflow, WorkflowInstance, WorkflowInstanceCreateOptions
from cfworkflows.values import JsDict

__version__ = "0.1.0"

__all__ = [
    "Blob",
    "CfworkflowsError",
    "CronSchedule",
    "DelayRequest",
    "Duration",
    "DurationError",
    "ExecutionContext",
    "File",
    "FormData",
    "Headers",
    "InstanceStatus",
    "JsDict",
    "NonRetryableDelayError",
    "NonRetryableError",
    "PayloadValidationError",
    "PortabilityWarning",
    "ReadableStream",
    "Request",
    "Response",
    "RollbackContext",
    "SerializationError",
    "StepContext",
    "StepError",
    "URLSearchParams",
    "WorkerEntrypoint",
    "Workflow",
    "WorkflowEntrypoint",
    "WorkflowError",
    "WorkflowEvent",
    "WorkflowFatalError",
    "WorkflowInstance",
    "WorkflowInstanceCreateOptions",
    "WorkflowInternalError",
    "WorkflowRetryConfig",
    "WorkflowRetryOptions",
    "WorkflowStep",
    "WorkflowStepConfig",
    "WorkflowStepEvent",
    "WorkflowStepOptions",
    "WorkflowTimeoutError",
    "env",
    "fetch",
    "wait_until",
]

_NOT_HERE = {
    "DurableObject": "Durable Objects are not supported yet.",
    "WebSocketPair": "WebSockets are not supported yet.",
    "HTMLRewriter": "There is no HTMLRewriter: use an HTML parser from the package index.",
    "TransformStream": "There is no TransformStream: an async generator does the same.",
    "WritableStream": "There is no WritableStream: an async generator does the same.",
    "caches": "The Cache API is not supported yet.",
    "crypto": "There is no crypto: use hashlib, hmac and secrets of the standard library.",
}


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


if not TYPE_CHECKING:  # else a type checker would take any name for one that is there

    def __getattr__(name: str) -> Any:
        if name in _NOT_HERE:
            raise ImportError(f"cfworkflows.{name}: {_NOT_HERE[name]}")
        raise AttributeError(f"module 'cfworkflows' has no attribute {name!r}")
