"""`cfwf workflows`: Workflows and their instances, of a running `cfwf dev` or as its state folder has them.

`session` finds which; `online` and `offline` are the two, and answer alike: the latter has the same API, in process.
Nothing but click is imported before a command runs.
"""

from cfworkflows_emulator.cli.workflows.group import command

__all__ = ["command"]
