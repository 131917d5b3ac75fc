"""`cfwf r2`: objects and buckets, of a running `cfwf dev` or of a state folder.

`group` has the commands, `connection` finds where the buckets are, `online` and `offline` reach them there.
"""

from cfworkflows_emulator.cli.r2.group import command

__all__ = ["command"]
