"""`cfwf workflows`: Workflows and their instances, of a running `cfwf dev` or as its state folder has them.

A `client` asks, and `connection` finds which: the one of `online` or that of `offline`, which answer alike, since the
latter has the same API, in process.
Nothing but click is imported before a command runs.
"""

from cfworkflows_emulator.cli.workflows.group import command

__all__ = ["command"]
