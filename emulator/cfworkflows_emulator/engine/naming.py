"""The identity of a step: its kind, its name, and the how-manieth of that name it is."""

from collections import Counter

from cfworkflows_emulator.engine.state import InstanceState


class Names:
    """Allots `name-count` to the calls of one run, so that a replay gives each call what it had before.

    The count goes by the order of the calls. A step called inside another's callback shares the counter, and is not
    called again once that step is done; so a count the journal gives to a call made elsewhere is left to that one.
    """

    def __init__(self, state: InstanceState) -> None:
        self._state = state
        self._allotted: set[tuple[str, str]] = set()
        self._latest: Counter[tuple[str, str, str | None]] = Counter()
        self._all_up_to: Counter[tuple[str, str]] = Counter()

    def allot(self, kind: str, name: str, inside: str | None) -> str:
        """The next identity for a call of `name`, made in the callback of step `inside` or, if None, in `run()`."""
        known = self._state.verbs(kind)
        count = max(self._latest[kind, name, inside], self._all_up_to[kind, name]) + 1
        while True:
            step = f"{name}-{count}"
            before = known.get(step)
            if (kind, step) not in self._allotted and (before is None or before.inside == inside):
                break
            count += 1
        self._allotted.add((kind, step))
        self._latest[kind, name, inside] = count
        if count == self._all_up_to[kind, name] + 1:
            self._all_up_to[kind, name] = count
        return step
