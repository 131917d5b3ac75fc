"""`WorkflowStep`: what a workflow calls, in each form that the platform and Python know.

What a call means is settled here (names, options, callbacks); carrying it out is left to a `StepDriver`.
"""

from cfworkflows.step.call import DelayRequest, RollbackContext, StepCall, StepContext, StepDriver, StepInfo
from cfworkflows.step.config import WorkflowRetryConfig, WorkflowRetryOptions, WorkflowStepConfig, WorkflowStepOptions
from cfworkflows.step.step import WorkflowStep

__all__ = [
    "DelayRequest",
    "RollbackContext",
    "StepCall",
    "StepContext",
    "StepDriver",
    "StepInfo",
    "WorkflowRetryConfig",
    "WorkflowRetryOptions",
    "WorkflowStep",
    "WorkflowStepConfig",
    "WorkflowStepOptions",
]
