"""What can be skipped: the sleeps, retry delays and waits that an instance is in. No I/O, no clock."""

from collections.abc import Iterator
from typing import NamedTuple

from cfworkflows.errors import WorkflowError
from cfworkflows_emulator.engine.journal.state import InstanceState, Status, StepState

_NOUNS = {"do": "retry delay of step", "sleep": "sleep", "wait": "wait", "rollback": "retry delay of the rollback of"}


class Delay(NamedTuple):
    """Something that ends by itself when its time comes.

    `kind` is do (the delay before the next attempt), sleep, wait, or rollback; `step` is `name-count`.
    """

    kind: str
    step: str

    def __str__(self) -> str:
        return f'{_NOUNS[self.kind]} "{self.step}"'


def delays(state: InstanceState) -> list[Delay]:
    """All that an instance is in; nothing if it has ended."""
    return [] if state.status.finite else list(_delays(state))


def _delays(state: InstanceState) -> Iterator[Delay]:
    if state.status is Status.ROLLING_BACK:  # what `run()` was in does not matter any more
        yield from _retries("rollback", state.rollback.steps if state.rollback is not None else {})
        return
    yield from (Delay("sleep", step) for step, sleep in state.sleeps.items() if not sleep.done)
    yield from (Delay("wait", step) for step, wait in state.waits.items() if not wait.done)
    yield from _retries("do", state.steps)


def _retries(kind: str, steps: dict[str, StepState]) -> Iterator[Delay]:
    yield from (Delay(kind, step) for step, known in steps.items() if known.retry_at is not None and not known.done)


def chosen(state: InstanceState, step: str | None, kind: str | None) -> Delay:
    """The delay to skip: by its step, with or without its number, and its kind; None is any.

    Raises WorkflowError (`instance.cannot_skip`) if there is none, or more than one.
    """
    found = delays(state)
    fitting = [each for each in found if step in (None, each.step) and kind in (None, each.kind)]
    if not fitting:
        fitting = [each for each in found if step == each.step.rpartition("-")[0] and kind in (None, each.kind)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise _refused(f"Several things could be skipped: {_listed(fitting)}. Name one, with its number and its type.")
    if found:
        what = " ".join(part for part in (kind, f'"{step}"' if step is not None else None) if part)
        raise _refused(f"The instance is not in {what}. It is in {_listed(found)}.")
    raise _refused(f"There is nothing to skip: the instance is {state.visible_status}, in no sleep, wait or delay.")


def _listed(delays: list[Delay]) -> str:
    return ", ".join(map(str, delays))


def _refused(message: str) -> WorkflowError:
    return WorkflowError(message, code="instance.cannot_skip")
