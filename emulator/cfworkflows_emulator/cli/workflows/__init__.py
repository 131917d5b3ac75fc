"""`cfwf workflows`: Workflows and their instances, of a running `cfwf dev` or as its state folder has them.

`connection` finds the `client` to ask: the one of `online` or the one of `offline`, which answer alike, since `offline`
has the same API, in process.
Nothing but click is imported before a command runs.
"""

from cfworkflows_emulator.cli.workflows.group import command

__all__ = ["command"]
