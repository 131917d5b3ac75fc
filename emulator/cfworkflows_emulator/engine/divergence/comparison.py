"""Compares the calls of a replay with the calls in the journal, so that changed code does not go unnoticed.

The platform's rule is that a step is known by its kind, name and count: a step that the journal has returns its stored
result, any other runs. What is reported here does not change that.

Three things are certain. In the *sequence*, the part of the journal in which each call came when all before it were
done, `run()` can only call the same again in the same order: a difference is reported at once. After the first steps
side by side the order is a matter of timing, so that only a step which is not called at all counts, and only when the
run ends or leaves memory. And a step that another *branch* calls now, one of several of its name, has the result of
another: that is reported at the call. Calls inside callbacks are not compared: each attempt may call something else.
"""

import math
from collections.abc import Callable

from cfworkflows_emulator.engine.divergence.branches import Branches
from cfworkflows_emulator.engine.journal.diagnosis import Call, Diagnosis
from cfworkflows_emulator.engine.journal.entries import STARTS, Entry, StepKey, StepKind
from cfworkflows_emulator.engine.journal.state import InstanceState, Verb
from cfworkflows_emulator.engine.run.branch import current_branch
from cfworkflows_emulator.tracebacks import caller_location


class Comparison:
    """The calls of `state`'s journal that a replay has still to make. `report` is called with each difference, once."""

    def __init__(self, state: InstanceState, report: Callable[[Diagnosis], None]) -> None:
        self._state = state
        self._report = report
        reported = state.diagnoses
        missing = {call.key for diagnosis in reported for call in diagnosis.missing}
        moved = {diagnosis.late.key for diagnosis in reported if diagnosis.late is not None}
        # Steps that were new to a replay: their entries come later in the journal than their calls in the code.
        self._inserted = {call.key for diagnosis in reported for call in diagnosis.new}
        # Whether they are called after all distinguishes an insertion from a renaming, which was reported already.
        self._renamed = {diagnosis.renamed.key for diagnosis in reported if diagnosis.renamed is not None}
        journal = [(call, verb) for call, verb in _in_order(state) if call.key not in missing]
        self._journal = {call.key: call for call, _ in journal}
        self._remaining = dict.fromkeys(self._journal)
        self._sequence: dict[StepKey, int] = {}
        self._new: list[Call] = []
        self._latest: tuple[int, Call] | None = None
        self._in_order = True
        self._called_any = False
        mixed = [diagnosis.mixed[0] for diagnosis in reported if diagnosis.mixed is not None]
        self._branches = Branches(lambda kind, step: step in state.verbs(kind), mixed)
        ended: float = 0
        length = 0
        for call, verb in journal:
            if verb.held_back or verb.began < ended:
                break
            ended = max(ended, verb.ended if verb.ended is not None else math.inf)
            if call.key not in moved and call.key not in self._inserted:
                self._sequence[call.key] = length
            length += 1
        self._ambiguous = any(not call.step.endswith("-1") for call, _ in journal[length:])

    @classmethod
    def of(cls, state: InstanceState, report: Callable[[Diagnosis], None]) -> "Comparison | None":
        """None if the journal has no steps, or none that could be called again."""
        comparison = cls(state, report) if state.steps or state.sleeps or state.waits else None
        return comparison if comparison is not None and comparison._remaining else None

    def called(self, kind: StepKind, step: str, by_main_task: bool) -> "Comparison | None":
        """`run()` calls a step. Returns itself, or None when all has been called: then there is nothing to compare.

        From the first call in another task on, the order means nothing.
        """
        key: StepKey = (kind, step)
        self._called_any = True
        self._compare_branch(kind, step)
        if not by_main_task:
            self._in_order = False
        index = self._sequence.pop(key, None)
        if index is not None and self._in_order:
            if self._latest is not None and index < self._latest[0]:
                self._report(Diagnosis(late=self._journal[key], early=self._latest[1]))
            else:
                self._latest = (index, self._journal[key])
        self._remaining.pop(key, None)
        return self if self._remaining or not self._branches.is_sure else None

    def _compare_branch(self, kind: StepKind, step: str) -> None:
        branch = current_branch()
        if branch is None:
            return
        verb = self._state.verbs(kind).get(step)
        known, then = (Call(kind, step, verb.at), verb.branch) if verb is not None else (None, None)
        mixed = self._branches.called(kind, step, branch.path, known, then, lambda: Call(kind, step, caller_location()))
        branch.numbering.is_other = self._branches.is_renumbered
        if mixed is not None:
            self._report(Diagnosis(mixed=mixed))

    def began(self, entry: Entry) -> None:
        """A step that the journal did not know begins with `entry`."""
        new = Call(STARTS[entry.type], str(entry.step), entry.data.get("at"))
        self._inserted.add(new.key)
        if not self._in_order or not self._sequence:
            self._new.append(new)
        elif (skipped := next((key for key in self._sequence if key not in self._renamed), None)) is not None:
            self._skip(new, skipped)

    def parked(self) -> None:
        """Everything waits. Calls that the sequence has before the last call, and that were not made, were passed."""
        if self._in_order and self._latest is not None and not self._waits_for_inserted():
            self._miss([key for key, index in self._sequence.items() if index < self._latest[0]])

    def evicted(self) -> None:
        """The run leaves memory, as far as it goes. With steps of one name side by side nothing is certain."""
        if self._ambiguous or not self._remaining or (self._in_order and self._sequence):
            return
        if self._new:
            self._skip(self._new[0], next(iter(self._remaining)))
        elif not self._waits_for_inserted():
            self._miss(list(self._remaining))

    def ended(self, *, failed: bool) -> None:
        """`run()` has ended: nothing more is called. If it failed at once, its error says it all."""
        if self._called_any or not failed:
            self._miss(list(self._remaining))

    def _waits_for_inserted(self) -> bool:
        """Whether a new step is not done: the calls behind it may follow afterwards."""
        inserted = (self._state.verbs(kind).get(step) for kind, step in self._inserted)
        return any(verb is not None and not verb.done for verb in inserted)

    def _skip(self, new: Call, skipped: StepKey) -> None:
        diagnosis = Diagnosis(new=(new,), skipped=self._journal[skipped])
        if diagnosis.renamed is not None:
            self._renamed.add(skipped)
        self._report(diagnosis)

    def _miss(self, keys: list[StepKey]) -> None:
        if not keys:
            return
        for key in keys:
            del self._remaining[key]
            self._sequence.pop(key, None)
        if len(keys) == 1 and keys[0] in self._renamed:
            return
        self._report(Diagnosis(missing=tuple(self._journal[key] for key in keys), new=tuple(self._new)))
        self._new = []


def _in_order(state: InstanceState) -> list[tuple[Call, Verb]]:
    """What `run()` called, without what was called in callbacks, in the order of the journal."""
    found = [
        (Call(kind, step, verb.at), verb)
        for kind in ("do", "sleep", "wait")
        for step, verb in state.verbs(kind).items()
        if verb.inside is None
    ]
    return sorted(found, key=lambda each: each[1].began)
