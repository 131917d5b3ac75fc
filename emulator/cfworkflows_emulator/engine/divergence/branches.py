"""Which branch of the journal each branch of a replay is. A step that changes hands is one of several of its name, and
another branch was faster when it was called first.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable

from cfworkflows_emulator.engine.journal.diagnosis import Call
from cfworkflows_emulator.engine.journal.entries import StepKind
from cfworkflows_emulator.engine.run.branch import Path, path_of

Name = tuple[StepKind, str]


class Branches:
    """Pairs them by the first step of each, so that the code may have other tasks beside them now: their order stays.

    `occurs` says whether the journal has a step; of the names of calls that were `reported` nothing more is said.
    """

    def __init__(self, occurs: Callable[[StepKind, str], bool], reported: Iterable[Call] = ()) -> None:
        self._occurs = occurs
        self.is_renumbered = False
        self._then: dict[Path, Path] = {(): ()}
        self._order_now: list[Path] = [()]
        self._order_then: list[Path] = [()]
        self._mixed: dict[Name, tuple[Call, Call]] = {}
        self._reported: set[Name] = {(call.kind, call.name) for call in reported}

    @property
    def is_sure(self) -> bool:
        """Whether nothing more than what was reported may be mixed up."""
        return self._mixed.keys() <= self._reported

    def called(
        self, kind: StepKind, step: str, branch: Path, known: Call | None, then: str | None, now: Callable[[], Call]
    ) -> tuple[Call, Call] | None:
        """The call that is another branch's, as it was and as it is now, once for each name; None if there is none.

        The `branch` calls a step that the journal has as `known`, called by the branch `then`; None where it does not
        say. The only step of its name may go to any branch, as when several work off one queue: it is the same step.
        """
        name, _, count = step.rpartition("-")
        key = (kind, name)
        if then is not None and known is not None and not self._is(branch, path_of(then)):
            self._mixed.setdefault(key, (known, now()))
        if key not in self._mixed or key in self._reported or not (count != "1" or self._occurs(kind, f"{name}-2")):
            return None
        self._reported.add(key)
        return self._mixed[key]

    def _is(self, now: Path, then: Path) -> bool:
        known = self._then.get(now)
        if known is not None:
            return known == then
        index = bisect_left(self._order_now, now)
        before, after = self._order_then[index - 1], self._order_then[index : index + 1]
        if not before < then or (after and not then < after[0]):
            return False
        self._then[now] = then
        self.is_renumbered = self.is_renumbered or now != then
        self._order_now.insert(index, now)
        self._order_then.insert(index, then)
        return True
