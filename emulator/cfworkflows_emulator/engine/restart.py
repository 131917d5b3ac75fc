"""An instance begins anew, wholly or from a step: what it forgets leaves its journal."""

from cfworkflows.errors import WorkflowError
from cfworkflows_emulator.engine.instance import Instance
from cfworkflows_emulator.engine.journal.entries import EntryType
from cfworkflows_emulator.engine.journal.rewind import rewind
from cfworkflows_emulator.engine.journal.state import InstanceState


def restart(instance: Instance) -> None:
    """Begin anew with the same event: results, buffered events and timers are gone."""
    queued = instance.state.creation
    instance.stop()
    instance.store.erase_journal(instance.key)
    instance.rewind_to(InstanceState(last_seq=instance.state.last_seq))
    instance.append(EntryType.WORKFLOW_QUEUED, value=queued.value, **queued.data)
    instance.changed()


async def restart_from(instance: Instance, kind: str, name: str, count: int | float) -> None:
    """Begin anew from a step, with what steps that started before it have got. Raises WorkflowError if it is not
    in the journal. The step and what followed are erased in the transaction that writes that it was restarted.
    """
    step = f"{name}-{count}"
    while True:
        if count < 1 or step not in instance.state.verbs(kind):
            raise WorkflowError(f'Step "{name}" not found in execution history', code="instance.cannot_restart")
        instance.stop()
        await instance.durable()
        entries = await instance.store.journal(instance.key)
        # Something else may have resumed it meanwhile, such as an event.
        if not instance.running and instance.state.last_seq == entries[-1].seq:
            break
    kept = rewind(entries, kind, step)
    instance.store.erase_entries(instance.key, {entry.seq for entry in entries} - {entry.seq for entry in kept})
    state = InstanceState.fold(kept)
    state.last_seq = entries[-1].seq
    instance.rewind_to(state)
    instance.append(EntryType.WORKFLOW_RESTARTED, step, kind=kind)
    instance.changed()
