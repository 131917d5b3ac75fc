"""The test kit: the real engine over a store in memory, on a virtual clock; and the pytest plugin.

Users import it as `cfworkflows.testing`. May import the runtime, the views and what is below them, not the server or
the command line. Nothing is loaded before it is used: pytest imports `plugin` in every run.

From the bottom up: `records` knows the running test, `assertions` picks the errors that fail it, `clock` jumps,
`history`, `stories` and `waiting` say what instances did and wait for, `timeouts` which step it was that timed out, and
`workflow` has the handles that tests get. It is the kit's part of a kind of binding, of which `kit` says what that is,
and `kinds` which there are. `leaks` finds what is left over, `idling` ends tests that wait for what only the clock
brings, `mocks` and `introspection` change what happens, `stand_ins` are what a test puts into `env`, `world` puts it
together; `fake_env`, `worker` and `fixtures` are what tests see. A `blueprint` is opened again and again, in each
`trial` of `crash`, which dies at one of its `points`, or of `determinism`; `golden_history` replays recorded histories.
`r2` is the kit's part of R2 buckets.
`plugin` has pytest's hooks, `coroutines` those for async tests, and `reports` says what a failure looks like.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the names as type checkers see them; `tests/typing` compares them with those of run time
    # isort: off
    # It would take a statement for each name.
    from cfworkflows_emulator.runtime import (
        Message as Message,
        MessageBatch as MessageBatch,
        ScheduledController as ScheduledController,
    )
    from cfworkflows_emulator.testing.clock import Clock as Clock
    from cfworkflows_emulator.testing.crash import (
        CrashReport as CrashReport,
        RepeatedEffect as RepeatedEffect,
        crash_everywhere as crash_everywhere,
    )
    from cfworkflows_emulator.testing.d1 import D1 as D1
    from cfworkflows_emulator.testing.determinism import check_determinism as check_determinism
    from cfworkflows_emulator.testing.divergences import DeterminismError as DeterminismError
    from cfworkflows_emulator.testing.fake_env import FakeEnv as FakeEnv
    from cfworkflows_emulator.testing.golden_history import golden as golden
    from cfworkflows_emulator.testing.history import HistoryEntry as HistoryEntry
    from cfworkflows_emulator.testing.introspection import (
        UnusedMockError as UnusedMockError,
        WorkflowInstanceIntrospector as WorkflowInstanceIntrospector,
        WorkflowIntrospector as WorkflowIntrospector,
        introspect_workflow as introspect_workflow,
        introspect_workflow_instance as introspect_workflow_instance,
        introspectWorkflow as introspectWorkflow,
        introspectWorkflowInstance as introspectWorkflowInstance,
    )
    from cfworkflows_emulator.testing.kv import KV as KV
    from cfworkflows_emulator.testing.leaks import LeakError as LeakError
    from cfworkflows_emulator.testing.mocks import IntrospectionError as IntrospectionError, Modifier as Modifier
    from cfworkflows_emulator.testing.points import Point as Point
    from cfworkflows_emulator.testing.r2 import R2 as R2
    from cfworkflows_emulator.testing.waiting import StalledError as StalledError
    from cfworkflows_emulator.testing.worker import WorkerClient as WorkerClient
    from cfworkflows_emulator.testing.workflow import Workflow as Workflow, WorkflowInstance as WorkflowInstance

_HOMES = {
    "Clock": "clock",
    "CrashReport": "crash",
    "D1": "d1",
    "DeterminismError": "divergences",
    "FakeEnv": "fake_env",
    "HistoryEntry": "history",
    "IntrospectionError": "mocks",
    "KV": "kv",
    "LeakError": "leaks",
    "Message": "worker",
    "MessageBatch": "worker",
    "Modifier": "mocks",
    "Point": "points",
    "R2": "r2",
    "RepeatedEffect": "crash",
    "ScheduledController": "worker",
    "StalledError": "waiting",
    "UnusedMockError": "introspection",
    "WorkerClient": "worker",
    "Workflow": "workflow",
    "WorkflowInstance": "workflow",
    "WorkflowInstanceIntrospector": "introspection",
    "WorkflowIntrospector": "introspection",
    "check_determinism": "determinism",
    "crash_everywhere": "crash",
    "golden": "golden_history",
    "introspectWorkflow": "introspection",
    "introspectWorkflowInstance": "introspection",
    "introspect_workflow": "introspection",
    "introspect_workflow_instance": "introspection",
}


def __dir__() -> list[str]:
    return list(_HOMES)


if not TYPE_CHECKING:  # a type checker reads no `__all__` but a literal one, and would take any name for one of these
    __all__ = list(_HOMES)

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # not above, where pyright would take it for one of these names

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
