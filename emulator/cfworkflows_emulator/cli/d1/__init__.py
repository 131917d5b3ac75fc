"""`cfwf d1`: databases, their migrations, and SQL over them.

The API of a running server is asked, or without one the same API in process, over the state folder.
"""

from cfworkflows_emulator.cli.d1.group import command

__all__ = ["command"]
