"""`step.sleep` and `step.sleep_until`."""

from cfworkflows.errors import WorkflowFatalError
from cfworkflows_emulator.engine.journal.entries import EntryType
from cfworkflows_emulator.engine.run.host import VerbContext

MAX_SLEEP_MS = 365.25 * 86_400_000
"""The documented limit is 365 days, and the documented unit `"1 year"` a quarter of a day more: both may be used."""


def refuse_past() -> None:
    """Raise Exception, as the platform words it."""
    raise Exception("You can't sleep until a time in the past, time-traveler")


def check(step: str, duration_ms: float) -> None:
    """Raise WorkflowFatalError if a sleep is longer than a year."""
    if duration_ms > MAX_SLEEP_MS:
        raise WorkflowFatalError(
            f'Sleep "{step}" is longer than a year ({duration_ms / 86_400_000:.1f} days), the most the platform '
            "allows. Sleep several times, each under a name of its own."
        )


def begin(run: VerbContext, step: str, duration_ms: float, at: str | None, *, absolute: bool) -> None:
    """Fix when the sleep ends: a replay never computes it again. Raises WorkflowFatalError beyond a year."""
    check(step, duration_ms)
    data = {"absolute": True} if absolute else {}
    skipped = (intervention := run.intervention) is not None and intervention.skips_sleep(step)
    until = run.clock.now() + (duration_ms if not skipped else 0)
    run.append_start(EntryType.SLEEP_STARTED, step, durationMs=duration_ms, until=until, at=at, **data)


async def perform(run: VerbContext, step: str) -> None:
    sleep = run.state.sleeps[step]
    while run.clock.now() < sleep.until:
        await run.park(sleep.until)
    await run.admitted()
    run.append(EntryType.SLEEP_COMPLETED, step)


def outcome() -> None:
    """The result of a finished sleep."""
