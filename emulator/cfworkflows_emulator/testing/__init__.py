"""The test kit: the real engine over a store in memory, on a virtual clock; and the pytest plugin.

Users import it as `cfworkflows.testing`. May import the runtime, the views and what is below them, not the server or
the command line. Nothing is loaded before it is used: pytest imports `plugin` in every run.

From the bottom up: `records` knows the running test, `assertions` picks the errors that fail it, `clock` jumps,
`history` and `waiting` say what instances did and wait for, `workflow` has the handles that tests get,
`leaks` finds what is left over, `mocks` and `introspection` change what happens, `world` puts it together; `fake_env`,
`worker` and `fixtures` are what tests see. A `blueprint` is opened again and again, in each `trial` of `crash`, which
dies at one of its `points`, or of `determinism`; `golden_history` replays recorded histories.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cfworkflows_emulator.runtime import Message, MessageBatch, ScheduledController
    from cfworkflows_emulator.testing.clock import Clock
    from cfworkflows_emulator.testing.crash import CrashReport, RepeatedEffect, crash_everywhere
    from cfworkflows_emulator.testing.determinism import check_determinism
    from cfworkflows_emulator.testing.divergences import DeterminismError
    from cfworkflows_emulator.testing.fake_env import FakeEnv
    from cfworkflows_emulator.testing.golden_history import golden
    from cfworkflows_emulator.testing.history import HistoryEntry
    from cfworkflows_emulator.testing.introspection import (
        UnusedMockError,
        WorkflowInstanceIntrospector,
        WorkflowIntrospector,
        introspect_workflow,
        introspect_workflow_instance,
        introspectWorkflow,
        introspectWorkflowInstance,
    )
    from cfworkflows_emulator.testing.leaks import LeakError
    from cfworkflows_emulator.testing.mocks import IntrospectionError, Modifier
    from cfworkflows_emulator.testing.points import Point
    from cfworkflows_emulator.testing.waiting import StalledError
    from cfworkflows_emulator.testing.worker import WorkerClient
    from cfworkflows_emulator.testing.workflow import Workflow, WorkflowInstance

_HOMES = {
    "Clock": "clock",
    "CrashReport": "crash",
    "DeterminismError": "divergences",
    "FakeEnv": "fake_env",
    "HistoryEntry": "history",
    "IntrospectionError": "mocks",
    "LeakError": "leaks",
    "Message": "worker",
    "MessageBatch": "worker",
    "Modifier": "mocks",
    "Point": "points",
    "RepeatedEffect": "crash",
    "ScheduledController": "worker",
    "StalledError": "waiting",
    "UnusedMockError": "introspection",
    "WorkerClient": "worker",
    "Workflow": "workflow",
    "WorkflowInstance": "workflow",
    "WorkflowInstanceIntrospector": "introspection",
    "WorkflowIntrospector": "introspection",
    "introspectWorkflow": "introspection",
    "introspectWorkflowInstance": "introspection",
    "introspect_workflow": "introspection",
    "introspect_workflow_instance": "introspection",
    "check_determinism": "determinism",
    "crash_everywhere": "crash",
    "golden": "golden_history",
}

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
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
