"""`WorkflowStep`: what a workflow calls, in each form that the platform and Python have.

What a call means is settled here (names, options, callbacks); carrying it out is left to a `StepDriver`. From the
bottom up: `context` is what callbacks are called with, `config` how attempts are made, `call` a call in one form, with
the protocol of a driver, `decorated` the decorator form, `options` the types of the arguments of a call, and
`arguments` parses them. May import events, durations and `cfworkflows.typed`.
"""

from cfworkflows.step.call import StepCall, StepDriver
from cfworkflows.step.config import WorkflowRetryConfig, WorkflowRetryOptions, WorkflowStepConfig, WorkflowStepOptions
from cfworkflows.step.context import DelayRequest, RollbackContext, StepContext, StepInfo
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
