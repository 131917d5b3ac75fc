"""What a restart from a step leaves of a journal. No I/O, no clock."""

from collections.abc import Collection, Mapping, Sequence

from cfworkflows_emulator.engine.journal.entries import ATTEMPT_ENDS, ENTRIES, OF_ANY_KIND, STARTS, Entry, EntryType

# How an instance ended is undone; when it was paused is not, because that moved the ends of its sleeps. What replays
# found out explains steps that stay where the code would not have them.
_KEPT = {
    EntryType.WORKFLOW_QUEUED,
    EntryType.WORKFLOW_STARTED,
    EntryType.WORKFLOW_RUNNING,
    EntryType.WORKFLOW_WAITING_FOR_PAUSE,
    EntryType.WORKFLOW_PAUSED,
    EntryType.WORKFLOW_RESTARTED,
    EntryType.REPLAY_DIVERGED,
}
Step = tuple[str, str]


def rewind(entries: Sequence[Entry], kind: str, step: str) -> list[Entry]:
    """The entries that stay when an instance restarts from `step`, whose kind is do, sleep or wait.

    All entries of steps that started before it stay, also what happened to them later. Erased are: the step itself and
    what started after it, events that went to none of the steps that stay, attempts that have not ended, and how the
    instance ended. A step in whose callback it was called has to call it again, and keeps only its start.

    Raises KeyError if the journal has no such step.
    """
    index = next((n for n, entry in enumerate(entries) if STARTS.get(entry.type) == kind and entry.step == step), None)
    if index is None:
        raise KeyError(step)
    before = {_step(entry): entry for entry in entries[:index] if entry.type in STARTS}
    reopened = set(_enclosing(entries[index], before))
    ended = {(entry.step, entry.data["attempt"]) for entry in entries if entry.type in ATTEMPT_ENDS}
    got = (entry for entry in entries if entry.type == EntryType.WAIT_COMPLETED and _step(entry) in before)
    taken = {entry.data["event"] for entry in got}

    def stays(entry: Entry) -> bool:
        if entry.type == EntryType.EVENT_RECEIVED:
            return entry.seq in taken
        if _step(entry) is None:
            return entry.type in _KEPT
        if _step(entry) in reopened:
            return entry.type in STARTS
        if entry.type == EntryType.ATTEMPT_STARTED and (entry.step, entry.data["attempt"]) not in ended:
            return False
        return _step(entry) in before

    return [entry for entry in entries if stays(entry)]


def is_damaged_before(entry: Entry, entries: Sequence[Entry]) -> bool:
    """Whether the gap in `entries` before `entry` is none that a restart, wholly or from a step, has left."""
    is_beginning = entry is entries[0] and entry.type == EntryType.WORKFLOW_QUEUED
    later = {each.type for each in entries if each.seq >= entry.seq}
    return not is_beginning and EntryType.WORKFLOW_RESTARTED not in later


def _step(entry: Entry) -> Step | None:
    """The kind and the name of the step that an entry is about."""
    kind = entry.data["kind"] if entry.type in OF_ANY_KIND else ENTRIES[entry.type].step
    return (kind, str(entry.step)) if kind is not None else None


def _enclosing(start: Entry, starts: Mapping[Step | None, Entry]) -> Collection[Step]:
    """The steps in whose callbacks a step was called, the innermost first."""
    found: list[Step] = []
    while (outer := start.data.get("inside")) is not None:
        found.append(("do", outer))
        start = starts[found[-1]]
    return found
