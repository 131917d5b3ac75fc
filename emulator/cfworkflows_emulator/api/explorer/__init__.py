"""The Local Explorer API of `wrangler dev`, with what ours can do beyond it.

`api` has the platform's routes, `instances` those of `cfwf workflows`, `local` what is asked of the Workers themselves.
`transfer` is an instance as a document, to be taken to another state folder.
"""

from cfworkflows_emulator.api.explorer.api import ExplorerApi
from cfworkflows_emulator.api.explorer.local import ScheduledTrigger

__all__ = ["ExplorerApi", "ScheduledTrigger"]
