"""`check_determinism`: a workflow is replayed after every step, and must do the same again."""

from collections.abc import Callable, Mapping
from typing import Any

from cfworkflows_emulator.testing.blueprint import Blueprint, Target
from cfworkflows_emulator.testing.divergences import assert_deterministic
from cfworkflows_emulator.testing.trial import Events, Plan, Trial


async def check_determinism(
    workflow: Target,
    params: Any = None,
    *,
    id: str = "check",
    events: Events | None = None,
    env: Mapping[str, Any] | None = None,
    reset: Callable[[], object] | None = None,
) -> None:
    """Run a workflow to its end, replay it after every step, and compare what it calls.

        await check_determinism(OrderWorkflow, {"amount": 5}, events={"approval": {"approved": True}})

    The order of steps, their names and configurations, the durations of sleeps, the types and timeouts of waits, and
    the outcome must be the same each time; no callback is called in a replay. Child workflows that have ended are
    replayed too. The arguments are those of `crash_everywhere`. Raises DeterminismError, which is an AssertionError,
    with what differs; StalledError if the workflow does not end.
    """
    __tracebackhide__ = True
    plan = Plan(
        Blueprint.of(workflow, env), id, {} if params is None else params, {} if events is None else events, reset
    )
    assert_deterministic(await Trial(plan).run(check_determinism=True))
