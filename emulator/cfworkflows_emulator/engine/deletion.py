"""Instances are stopped, and all that is stored of them is removed."""

import asyncio
from collections.abc import Collection

from cfworkflows.permit import permitted
from cfworkflows_emulator.engine.instance import Instance, Instances
from cfworkflows_emulator.engine.run.caller import running_here
from cfworkflows_emulator.engine.shared import Shared


async def delete(keys: Collection[int], residents: Instances, shared: Shared) -> None:
    """Delete instances in one transaction. One whose own code asks for it goes no further than this call."""
    await permitted("A deletion")
    for instance in await residents.remove(keys):
        instance.delete()
    for key in keys:
        shared.admission.leave(key)
        shared.store.delete(key)
    await shared.store.flushed()
    shared.store.notify(keys)
    caller = running_here()
    if isinstance(caller, Instance) and caller.shared is shared and caller.key in keys:
        raise asyncio.CancelledError
