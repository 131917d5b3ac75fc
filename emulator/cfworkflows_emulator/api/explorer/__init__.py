"""The Local Explorer API of `wrangler dev`, and what goes beyond it.

`api` has the platform's routes, `instances` the routes of `cfwf workflows`, `local` the routes about the Workers
themselves. `transfer` makes a document of an instance, to be taken to another state folder.
"""

from cfworkflows_emulator.api.explorer.api import ExplorerApi
from cfworkflows_emulator.api.explorer.local import ScheduledTrigger

__all__ = ["ExplorerApi", "ScheduledTrigger"]
