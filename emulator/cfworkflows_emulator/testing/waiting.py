"""What unfinished instances wait for, and until when: the report of a test that would wait for ever."""

from collections.abc import Callable, Sequence

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.engine import Engine, Selection, Status
from cfworkflows_emulator.testing.stories import waiting
from cfworkflows_emulator.views import moment

UNFINISHED = Selection([status for status in Status if not status.finite])
SHOWN = 20


class StalledError(CfworkflowsError):
    """A test would wait for ever. The text says what each unfinished instance waits for, and until when."""


async def situation(engine: Engine) -> str:
    """A line for each thing that an unfinished instance waits for or does."""
    lines = [line for workflow in engine.definitions for line in await _of_workflow(engine, workflow)]
    lines += [f"nothing waits any more for the {name}, and it is still at work" for name in engine.activity.left_over]
    return "\n".join(lines) or "No instance is unfinished."


def pending_waits(timers: Sequence[tuple[float, Callable[[], None]]]) -> list[str]:
    """A line for each `scheduler.wait` among `timers`: for its code it is as long as the clock stands still."""
    from cfworkflows import scheduler

    return [
        f"scheduler.wait in a callback, in a handler or in run() is pending until {moment(due)}"
        for due, callback in timers
        if getattr(callback, "__module__", None) == type(scheduler).__module__
    ][:SHOWN]


async def unfinished(engine: Engine) -> list[tuple[str, str]]:
    """The workflow and the id of each instance that has not ended, the oldest first; at most 100 of each workflow."""
    return [
        (workflow, row.id)
        for workflow in engine.definitions
        for row in reversed(await engine.list(workflow, UNFINISHED))
    ]


async def _of_workflow(engine: Engine, workflow: str) -> list[str]:
    rows = await engine.list(workflow, UNFINISHED)
    lines = []
    for row in reversed(rows[-SHOWN:]):
        _, entries = await engine.history(workflow, row.id)
        lines += [f"{workflow}/{row.id} {text}" for text in waiting(entries)]
    if len(rows) > SHOWN:
        lines.append(f"and {len(rows) - SHOWN} or more instances of {workflow}")
    return lines
