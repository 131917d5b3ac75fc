"""`step.sleep` and `step.sleep_until`."""

from typing import TYPE_CHECKING

from cfworkflows.errors import WorkflowFatalError
from cfworkflows_emulator.engine.journal.entries import EntryType
from cfworkflows_emulator.tracebacks import caller_location

if TYPE_CHECKING:
    from cfworkflows_emulator.engine.run.run import Run

MAX_SLEEP_MS = 365.25 * 86_400_000
"""The documented limit is 365 days, and the documented unit `"1 year"` a quarter of a day more: both may be used."""


def refuse_past() -> None:
    """Raise Exception, as the platform words it."""
    raise Exception("You can't sleep until a time in the past, time-traveler")


def begin(run: "Run", step: str, duration_ms: float, *, absolute: bool) -> None:
    """Fix when the sleep ends: a replay never computes it again. Raises WorkflowFatalError beyond a year."""
    if duration_ms > MAX_SLEEP_MS:
        raise WorkflowFatalError(
            f'Sleep "{step}" is longer than a year ({duration_ms / 86_400_000:.1f} days), the most the platform '
            "allows. Sleep several times, each under a name of its own."
        )
    data = {"absolute": True} if absolute else {}
    skipped = (intervention := run.intervention) is not None and intervention.skips_sleep(step)
    until = run.clock.now() + (duration_ms if not skipped else 0)
    run.append_start(EntryType.SLEEP_STARTED, step, durationMs=duration_ms, until=until, at=caller_location(), **data)


async def perform(run: "Run", step: str) -> None:
    sleep = run.state.sleeps[step]
    while run.clock.now() < sleep.until:
        await run.park(sleep.until)
    await run.admitted()
    run.append(EntryType.SLEEP_COMPLETED, step)
