"""Which step or wait it was whose timeout ended an instance: the error itself says only how long it took."""

from cfworkflows.errors import ErrorRecord
from cfworkflows_emulator.engine.journal.state import InstanceState, Verb
from cfworkflows_emulator.tracebacks import shown_path


def timed_out(state: InstanceState) -> str | None:
    """A note for the error that an instance ended with; None if it is no timeout."""
    error = state.error
    if error is None:
        return None
    if error.name == "WorkflowTimeoutError":
        verbs: list[tuple[str, Verb]] = [
            *((f'step "{name}"', step) for name, step in state.steps.items() if _same(step.error, error)),
            *(
                (f'the wait "{name}" for event "{wait.event_type}"', wait)
                for name, wait in state.waits.items()
                if wait.timed_out and error.message == f"Execution timed out after {wait.timeout_ms:.15g}ms"
            ),
        ]
        return f"It timed out: {_named(verbs)}." if verbs else None
    if error.name in {"TimeoutError", "CancelledError"}:
        verbs = [
            *((f'step "{name}"', step) for name, step in state.steps.items() if not step.done),
            *((f'sleep "{name}"', sleep) for name, sleep in state.sleeps.items() if not sleep.done),
            *((f'wait "{name}"', wait) for name, wait in state.waits.items() if not wait.done),
        ]
        if verbs:
            return (
                f"Under way when run() ended: {_named(verbs)}. A timeout of asyncio's is of the machine's time, and no "
                'replay repeats it; step.do(…, timeout="1 second") is of the instance\'s, and each attempt has it.'
            )
    return None


def _same(one: ErrorRecord | None, other: ErrorRecord) -> bool:
    return one is not None and (one.name, one.message) == (other.name, other.message)


def _named(verbs: list[tuple[str, Verb]]) -> str:
    return ", ".join(f"{what} ({shown_path(verb.at)})" if verb.at is not None else what for what, verb in verbs)
