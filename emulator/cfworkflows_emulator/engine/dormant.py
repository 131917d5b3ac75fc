"""Instances in an engine that runs no code of workflows: what is asked of them is written down.

The next engine over the same database acts on it.
"""

from collections.abc import Mapping

from cfworkflows.step import StepCall
from cfworkflows_emulator.engine.instance import Instance


class DormantInstance(Instance):
    """It has no runs."""

    runs_code = False

    def start(self) -> None:
        """One that waits on disk is to be looked after by the next process first thing; the others are anyway."""
        if self.wake_at is not None:
            self.wake_at = self.clock.now()

    def undo(self, handlers: Mapping[str, StepCall]) -> None:
        self.wake_at = None
        self.changed()
