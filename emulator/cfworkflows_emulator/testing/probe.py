"""What the kit hooks into the engine of a world."""

from collections.abc import Callable

from cfworkflows_emulator.engine.probe import Intervention, Moment
from cfworkflows_emulator.testing.assertions import Failures
from cfworkflows_emulator.testing.introspections import Introspections


class KitProbe:
    """Keeps failed assertions in `failures`, and has the introspectors of a test in `introspections`. `witness` is
    called with the moments of callbacks.
    """

    def __init__(self, failures: Failures, witness: Callable[[Moment], None] | None = None) -> None:
        self.failures = failures
        self.introspections = Introspections()
        self._witness = witness

    def created(self, workflow: str, id: str) -> None:
        self.introspections.created(workflow, id)

    def intervention(self, workflow: str, id: str) -> Intervention | None:
        return self.introspections.of(workflow, id)

    def witness(self, moment: Moment) -> None:
        if self._witness is not None:
            self._witness(moment)

    def abandons(self, workflow: str, id: str, error: BaseException) -> bool:
        return self.failures.keep(workflow, id, error)
