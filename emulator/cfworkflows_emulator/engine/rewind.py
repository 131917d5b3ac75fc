"""What a restart from a step leaves of a journal. No I/O, no clock."""

from collections.abc import Collection, Mapping, Sequence

from cfworkflows_emulator.storage import Entry

STARTS: Mapping[str, str] = {"do": "step_started", "sleep": "sleep_started", "wait": "wait_started"}
"""The entry that a step of each kind begins with."""

_KINDS = {"step": "do", "attempt": "do", "sleep": "sleep", "wait": "wait"}
# How an instance ended is undone; when it was paused is not, because that moved the ends of its sleeps. What replays
# found out explains steps that stay where the code would not have them.
_KEPT = {
    "workflow_queued",
    "workflow_started",
    "workflow_running",
    "workflow_waiting_for_pause",
    "workflow_paused",
    "workflow_restarted",
    "replay_diverged",
}
Step = tuple[str, str]


def rewind(entries: Sequence[Entry], kind: str, step: str) -> list[Entry]:
    """The entries that stay when an instance begins anew from `step`, whose kind is do, sleep or wait.

    All there is of steps that started before it stays, also what happened to them later. Nothing stays of itself and
    of what started after it, of events that no step took which stays, of attempts that have not ended, and of how the
    instance ended. A step in whose callback it was called has to call it again: that one keeps its start only.

    Raises KeyError if the journal has no such step.
    """
    index = next((n for n, entry in enumerate(entries) if entry.type == STARTS[kind] and entry.step == step), None)
    if index is None:
        raise KeyError(step)
    before = {_step(entry): entry for entry in entries[:index] if entry.type in STARTS.values()}
    reopened = set(_enclosing(entries[index], before))
    ended = {(entry.step, entry.data["attempt"]) for entry in entries if entry.type in _ATTEMPT_ENDS}
    taken = {entry.data["event"] for entry in entries if entry.type == "wait_completed" and _step(entry) in before}

    def stays(entry: Entry) -> bool:
        if entry.type == "event_received":
            return entry.seq in taken
        if _step(entry) is None:
            return entry.type in _KEPT
        if _step(entry) in reopened:
            return entry.type in STARTS.values()
        if entry.type == "attempt_started" and (entry.step, entry.data["attempt"]) not in ended:
            return False
        return _step(entry) in before

    return [entry for entry in entries if stays(entry)]


_ATTEMPT_ENDS = ("attempt_completed", "attempt_errored")


def _step(entry: Entry) -> Step | None:
    """The kind and the name of the step that an entry is about."""
    kind = _KINDS.get(entry.type.partition("_")[0], entry.data.get("kind") if entry.type == "delay_skipped" else None)
    return (kind, str(entry.step)) if kind is not None else None


def _enclosing(start: Entry, starts: Mapping[Step | None, Entry]) -> Collection[Step]:
    """The steps in whose callbacks a step was called, the innermost first."""
    found: list[Step] = []
    while (outer := start.data.get("inside")) is not None:
        found.append(("do", outer))
        start = starts[found[-1]]
    return found
