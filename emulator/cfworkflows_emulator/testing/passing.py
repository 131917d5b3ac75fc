"""Letting the time pass until an instance is as a test wants it."""

from collections.abc import Callable

from cfworkflows.errors import WorkflowError
from cfworkflows_emulator.engine import Engine, Status
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.testing.clock import Endless
from cfworkflows_emulator.testing.waiting import StalledError, situation, unfinished
from cfworkflows_emulator.testing.world import World

MOST_JUMPS = 10_000
"""After so many timers of others without any effect on an instance, nothing is going to end it."""


async def passed_until(
    world: World,
    workflow: str,
    id: str,
    reached: Callable[[InstanceState], bool],
    *,
    may_be_missing: bool = False,
) -> InstanceState:
    """Let the time pass, from timer to timer, until the state of an instance is one that `reached` accepts.

    With `may_be_missing` the instance may yet have to be created. Raises StalledError if nothing is under way that
    could change anything, and the assertion that failed in a workflow; WorkflowError if there is no such instance.
    """
    __tracebackhide__ = True
    engine, clock = world.engine, world.clock
    seen, jumps = -1, 0
    endless = Endless(clock.patience_s)

    while True:
        await clock.settle_runs()
        if engine.activity.left_over and (state := await _state(engine, workflow, id)) is not None and reached(state):
            await clock.loose_ends()
            return await engine.state(workflow, id)
        await clock.settle()
        progress = engine.activity.progress()
        state = await _state(engine, workflow, id) if may_be_missing else await engine.state(workflow, id)
        if state is not None and reached(state):
            return state
        now = state.last_seq if state is not None else 0
        seen, jumps = (seen, jumps + 1) if seen == now else (now, 0)
        if clock.held:
            continue
        if jumps > MOST_JUMPS or not await _may_go_on(world, workflow, id, state):
            what = "would be waited for for ever" if state is not None else "was not created"
            raise StalledError(f"{workflow}/{id} {what}: nothing is due, and nothing runs.\n{await situation(engine)}")
        if endless.fired():
            raise StalledError(
                f"{workflow}/{id} goes on for ever: it has not ended after {clock.patience_s:g} seconds and thousands "
                f"of timers.\n{await situation(engine)}"
            )
        if not clock.held and progress == engine.activity.progress():  # others may have let the time pass meanwhile
            await clock.jump()


async def _state(engine: Engine, workflow: str, id: str) -> InstanceState | None:
    try:
        return await engine.state(workflow, id)
    except WorkflowError as error:
        if error.code != "instance.not_found":
            raise
        return None


async def _may_go_on(world: World, workflow: str, id: str, state: InstanceState | None) -> bool:
    """Whether time can change something: for this instance, or for another that may then act on it."""
    if world.clock.next_timer is None:
        return False
    if state is not None and (state.status.wakes or _has_time(state)):
        return True
    others = [each for each in await unfinished(world.engine) if each != (workflow, id)]
    return any([_has_time(await world.engine.state(*each)) for each in others])


def _has_time(state: InstanceState) -> bool:
    return state.status is not Status.PAUSED and (state.status.wakes or state.next_deadline() is not None)
