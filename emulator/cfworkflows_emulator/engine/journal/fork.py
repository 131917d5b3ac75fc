"""What the journal of a fork is made of. No I/O, no clock."""

from collections.abc import Sequence

from cfworkflows.errors import WorkflowError
from cfworkflows_emulator.engine.journal.entries import STARTS, Entry, EntryType
from cfworkflows_emulator.engine.journal.rewind import rewind


def forked(entries: Sequence[Entry], kind: str, step: str, output: str | None, now: int) -> list[Entry]:
    """The journal of an instance that has forgotten a step and what started after it, as at a restart from there. With
    `output`, an encoded value, the step stays, and that is its result; the payload of its event if it waits for one.

    Raises KeyError if the journal has no such step, and WorkflowError for the output of a sleep.
    """
    kept = rewind(entries, kind, step)
    new = entries[-1].seq + 1
    if output is not None:
        start = next(entry for entry in entries if STARTS.get(entry.type) == kind and entry.step == step)
        kept = sorted([*kept, start], key=lambda entry: entry.seq)
        ended = _ended(start, output, new, now)
        kept += ended
        new += len(ended)
    return [*kept, Entry(new, now, EntryType.WORKFLOW_RESTARTED, step, {"kind": kind})]


def _ended(start: Entry, output: str, seq: int, now: int) -> list[Entry]:
    """How a step has got its output, numbered from `seq` on."""
    step = start.step
    match STARTS[start.type]:
        case "do":
            return [
                Entry(seq, now, EntryType.ATTEMPT_STARTED, step, {"attempt": 1}),
                Entry(seq + 1, now, EntryType.ATTEMPT_COMPLETED, step, {"attempt": 1}),
                Entry(seq + 2, now, EntryType.STEP_COMPLETED, step, {}, output),
            ]
        case "wait":
            return [
                Entry(seq, now, EntryType.EVENT_RECEIVED, None, {"eventType": start.data["eventType"]}, output),
                Entry(seq + 1, now, EntryType.WAIT_COMPLETED, step, {"event": seq}),
            ]
        case _:
            raise WorkflowError(f"{step} is a sleep, which has no output.", code="instance.cannot_restart")
