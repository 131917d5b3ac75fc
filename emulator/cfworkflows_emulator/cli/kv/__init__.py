"""`cfwf kv`: the keys and values of KV namespaces.

The API of a running server is asked, or without one the same API in process, over the state folder. `namespace` finds
the namespace that a command is about.
"""

from cfworkflows_emulator.cli.kv.group import command

__all__ = ["command"]
