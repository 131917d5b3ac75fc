"""The end of an instance whose `run()` would only kill the process once more."""

from cfworkflows.errors import ErrorRecord
from cfworkflows_emulator.engine.instance import Instances
from cfworkflows_emulator.engine.journal.entries import EntryType
from cfworkflows_emulator.engine.journal.state import Status


async def end_as_it_is(residents: Instances, key: int, error: Exception) -> bool:
    """End an instance with `error`, unless it has ended or is paused: whether it was.

    No code of it is called, so its steps are not undone. Before any instance runs. Raises WorkflowError if there is no
    such instance.
    """
    async with residents.using(key) as instance:
        if instance.state.status.finite or instance.state.status is Status.PAUSED:
            return False
        if instance.state.status is Status.ROLLING_BACK:
            instance.append(EntryType.ROLLBACK_ERRORED, error=ErrorRecord.of(error).as_dict())
        instance.fail(error, undo=False)
    return True
