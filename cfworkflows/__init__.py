"""Cloudflare Workflows for Python: everything that a Worker file imports.

Imports nothing but the standard library until a Worker asks for more. The emulator and the bindings import this
package, never the other way round.
"""

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
from cfworkflows.http import FormData, Headers, Request, Response, fetch
from cfworkflows.step import RollbackContext, StepContext, WorkflowRetryConfig, WorkflowStep, WorkflowStepConfig
from cfworkflows.values import JsDict
from cfworkflows.workflow import InstanceStatus, Workflow, WorkflowInstance

__version__ = "0.1.0"

__all__ = [
    "CfworkflowsError",
    "CronSchedule",
    "Duration",
    "DurationError",
    "ExecutionContext",
    "FormData",
    "Headers",
    "InstanceStatus",
    "JsDict",
    "NonRetryableDelayError",
    "NonRetryableError",
    "PayloadValidationError",
    "PortabilityWarning",
    "Request",
    "Response",
    "RollbackContext",
    "SerializationError",
    "StepContext",
    "StepError",
    "WorkerEntrypoint",
    "Workflow",
    "WorkflowEntrypoint",
    "WorkflowError",
    "WorkflowEvent",
    "WorkflowFatalError",
    "WorkflowInstance",
    "WorkflowInternalError",
    "WorkflowRetryConfig",
    "WorkflowStep",
    "WorkflowStepConfig",
    "WorkflowStepEvent",
    "WorkflowTimeoutError",
    "env",
    "fetch",
    "wait_until",
]
