"""Facts that have to be written in more than one place are the same in each."""

from cfworkflows.types import STATUSES
from cfworkflows_emulator.cli.workflows import options


def test_statuses_of_the_command_line_are_those_of_the_sdk() -> None:
    """The command line needs them for its help page, before it has imported the SDK."""
    assert STATUSES == options.STATUSES
