"""The journal of an instance for people to read: what the APIs, the command line and the test kit show of it.

May import the engine and what is below it. `history` has the steps with their attempts as typed records; `details`,
`instance` and `text` format them, `plain` the times and values in them. An instance's code sees none of this.
"""

from cfworkflows_emulator.views.details import (
    describe_instance,
    describe_step,
    describe_summary,
    describe_undoing,
    without_functions,
)
from cfworkflows_emulator.views.history import TYPES, Attempt, DoStep, History, Sleep, Step, Wait
from cfworkflows_emulator.views.instance import describe_timeline
from cfworkflows_emulator.views.plain import iso, printable, shown
from cfworkflows_emulator.views.text import moment, timeline, waits_for

__all__ = [
    "TYPES",
    "Attempt",
    "DoStep",
    "History",
    "Sleep",
    "Step",
    "Wait",
    "describe_instance",
    "describe_step",
    "describe_summary",
    "describe_timeline",
    "describe_undoing",
    "iso",
    "moment",
    "printable",
    "shown",
    "timeline",
    "waits_for",
    "without_functions",
]
