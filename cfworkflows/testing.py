"""The test kit: `from cfworkflows.testing import FakeEnv`. It is part of the emulator, and loaded when it is used.

With pytest there is nothing to import: the fixtures `env`, `worker` and `clock` are there by themselves.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cfworkflows_emulator.testing import (
        Clock,
        CrashReport,
        DeterminismError,
        FakeEnv,
        HistoryEntry,
        IntrospectionError,
        LeakError,
        Message,
        MessageBatch,
        Modifier,
        Point,
        RepeatedEffect,
        ScheduledController,
        StalledError,
        UnusedMockError,
        WorkerClient,
        Workflow,
        WorkflowInstance,
        WorkflowInstanceIntrospector,
        WorkflowIntrospector,
        check_determinism,
        crash_everywhere,
        golden,
        introspect_workflow,
        introspect_workflow_instance,
        introspectWorkflow,
        introspectWorkflowInstance,
    )

__all__ = [
    "Clock",
    "CrashReport",
    "DeterminismError",
    "FakeEnv",
    "HistoryEntry",
    "IntrospectionError",
    "LeakError",
    "Message",
    "MessageBatch",
    "Modifier",
    "Point",
    "RepeatedEffect",
    "ScheduledController",
    "StalledError",
    "UnusedMockError",
    "WorkerClient",
    "Workflow",
    "WorkflowInstance",
    "WorkflowInstanceIntrospector",
    "WorkflowIntrospector",
    "check_determinism",
    "crash_everywhere",
    "golden",
    "introspectWorkflow",
    "introspectWorkflowInstance",
    "introspect_workflow",
    "introspect_workflow_instance",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cfworkflows_emulator import testing

    return getattr(testing, name)


def __dir__() -> list[str]:
    return __all__
