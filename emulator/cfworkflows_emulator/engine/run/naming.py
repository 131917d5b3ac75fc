"""The identity of a step: its kind, its name, and its occurrence."""

from cfworkflows_emulator.engine.journal.state import InstanceState


class Names:
    """Allots `name-count` to the calls of one run, so that each call has the same identity in a replay.

    The count is the occurrence: it goes by the order of the calls. A step called inside another's callback shares the
    counter, and is not called again once that step is done; so a count that the journal has for a call made elsewhere
    is left to that call.
    """

    def __init__(self, state: InstanceState) -> None:
        self._state = state
        self._all_up_to: dict[tuple[str, str], int] = {}
        # Counts beyond these: a replay leaves out what the journal has for a call that has not come yet.
        self._beyond: set[tuple[str, str]] = set()
        self._latest: dict[tuple[str, str, str | None], int] = {}

    def allot(self, kind: str, name: str, inside: str | None) -> str:
        """The next identity for a call of `name`, made in the callback of step `inside` or, if None, in `run()`."""
        known = self._state.verbs(kind)
        all_up_to = self._all_up_to.get((kind, name), 0)
        count = max(all_up_to, self._latest.get((kind, name, inside), 0)) + 1
        while True:
            step = f"{name}-{count}"
            before = known.get(step)
            if (before is None or before.inside == inside) and (kind, step) not in self._beyond:
                break
            count += 1
        if count == all_up_to + 1:
            self._all_up_to[kind, name] = count
        else:
            self._beyond.add((kind, step))
            self._latest[kind, name, inside] = count
        return step
