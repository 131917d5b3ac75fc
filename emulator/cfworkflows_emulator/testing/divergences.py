"""What replays of the instances of a test did differently, and the error that tells it."""

from collections.abc import Sequence

from cfworkflows_emulator.engine import Engine

ADVICE = (
    "A replay calls run() again, with the stored results of its steps: whatever decides what it does (random numbers, "
    "the time, what is read from outside) belongs into a step."
)


class DeterminismError(AssertionError):
    """A replay of a workflow does something else. The text names the steps and their source lines."""


def assert_deterministic(differences: Sequence[str]) -> None:
    """Raise DeterminismError if there are any."""
    __tracebackhide__ = True
    if differences:
        raise DeterminismError("\n".join([*differences, ADVICE]))


async def differences(engine: Engine, *, of_any_kind: bool) -> list[str]:
    """What replays of all instances of an engine did differently, so far: `of_any_kind`, or only what time decides."""
    return [
        f"{workflow}/{row.id}: {diagnosis}"
        for workflow in engine.definitions
        for row in reversed(await engine.list(workflow))
        for diagnosis in await engine.diagnosis(workflow, row.id)
        if of_any_kind or diagnosis.is_of_order
    ]
