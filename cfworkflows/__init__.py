"""Cloudflare Workflows for Python: everything that a Worker file imports.

Imports nothing but the standard library until a Worker asks for more. The emulator and the bindings import this
package, never the other way round.
"""

import sys
from typing import TYPE_CHECKING, Any

from cfworkflows.durations import Duration
from cfworkflows.entrypoint import ExecutionContext, WorkerEntrypoint, WorkflowEntrypoint
from cfworkflows.environment import env, wait_until, waitUntil
from cfworkflows.errors import (
    BindingError,
    CfworkflowsError,
    D1Error,
    DOMException,
    DurationError,
    KVError,
    NonRetryableDelayError,
    NonRetryableError,
    PayloadValidationError,
    PortabilityWarning,
    R2Error,
    SerializationError,
    StepError,
    WorkflowError,
    WorkflowFatalError,
    WorkflowInternalError,
    WorkflowTimeoutError,
)
from cfworkflows.event import CronSchedule, WorkflowEvent, WorkflowStepEvent
from cfworkflows.http import (
    URL,
    AbortController,
    AbortSignal,
    Blob,
    File,
    FormData,
    Headers,
    ReadableStream,
    Request,
    Response,
    URLSearchParams,
    fetch,
)
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
from cfworkflows.types import (
    D1Database,
    D1PreparedStatement,
    D1Result,
    InstanceStatus,
    KVNamespace,
    Workflow,
    WorkflowInstance,
    WorkflowInstanceCreateOptions,
)
from cfworkflows.values import JsDict

if TYPE_CHECKING:
    from cfworkflows.http.transform import FixedLengthStream, TransformStream
    from cfworkflows.http.writable import WritableStream
    from cfworkflows.types.r2 import R2Bucket, R2MultipartUpload, R2Object, R2ObjectBody, R2Objects
    from cfworkflows.web.base64 import atob, btoa
    from cfworkflows.web.clone import structured_clone, structuredClone
    from cfworkflows.web.console import console
    from cfworkflows.web.crypto import crypto
    from cfworkflows.web.encoding import TextDecoder, TextEncoder
    from cfworkflows.web.scheduler import scheduler

__version__ = "0.1.0"

__all__ = [
    "URL",
    "AbortController",
    "AbortSignal",
    "BindingError",
    "Blob",
    "CfworkflowsError",
    "CronSchedule",
    "D1Database",
    "D1Error",
    "D1PreparedStatement",
    "D1Result",
    "DOMException",
    "DelayRequest",
    "Duration",
    "DurationError",
    "ExecutionContext",
    "File",
    "FixedLengthStream",
    "FormData",
    "Headers",
    "InstanceStatus",
    "JsDict",
    "KVError",
    "KVNamespace",
    "NonRetryableDelayError",
    "NonRetryableError",
    "PayloadValidationError",
    "PortabilityWarning",
    "R2Bucket",
    "R2Error",
    "R2MultipartUpload",
    "R2Object",
    "R2ObjectBody",
    "R2Objects",
    "ReadableStream",
    "Request",
    "Response",
    "RollbackContext",
    "SerializationError",
    "StepContext",
    "StepError",
    "TextDecoder",
    "TextEncoder",
    "TransformStream",
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
    "WritableStream",
    "atob",
    "btoa",
    "console",
    "crypto",
    "env",
    "fetch",
    "scheduler",
    "structuredClone",
    "structured_clone",
    "waitUntil",
    "wait_until",
]


# What few Workers need is imported on first use.
_LATE = {
    "FixedLengthStream": "cfworkflows.http.transform",
    "R2Bucket": "cfworkflows.types.r2",
    "R2MultipartUpload": "cfworkflows.types.r2",
    "R2Object": "cfworkflows.types.r2",
    "R2ObjectBody": "cfworkflows.types.r2",
    "R2Objects": "cfworkflows.types.r2",
    "TransformStream": "cfworkflows.http.transform",
    "WritableStream": "cfworkflows.http.writable",
    "TextDecoder": "cfworkflows.web.encoding",
    "TextEncoder": "cfworkflows.web.encoding",
    "atob": "cfworkflows.web.base64",
    "btoa": "cfworkflows.web.base64",
    "console": "cfworkflows.web.console",
    "crypto": "cfworkflows.web.crypto",
    "scheduler": "cfworkflows.web.scheduler",
    "structuredClone": "cfworkflows.web.clone",
    "structured_clone": "cfworkflows.web.clone",
}


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


if not TYPE_CHECKING:  # else a type checker would accept any name

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name in _LATE:
            found = globals()[name] = getattr(import_module(_LATE[name]), name)
            return found
        from cfworkflows.absent import advice

        text = advice(name)
        if text is None:
            raise AttributeError(f"module 'cfworkflows' has no attribute {name!r}")
        # `from cfworkflows import X` would replace the text of an AttributeError with its own.
        if sys._getframe(1).f_code.co_name == "_handle_fromlist":
            raise ImportError(text, name="cfworkflows")
        raise AttributeError(text)
