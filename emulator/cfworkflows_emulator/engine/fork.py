"""An instance that begins as another one did, and goes on by itself."""

import uuid
from typing import Any

from cfworkflows.errors import WorkflowError
from cfworkflows_emulator.engine.engine import Engine
from cfworkflows_emulator.engine.intake import encoded
from cfworkflows_emulator.engine.journal.fork import forked
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.journal.streams import Chunk

NO_OUTPUT: Any = object()


async def fork(
    engine: Engine,
    workflow: str,
    id: str,
    start: tuple[str, str, int],
    output: Any = NO_OUTPUT,
    new_id: str | None = None,
) -> str:
    """Create an instance with what another one has in its journal up to a step: its kind, its name, and which of those
    of that name. The step is executed again or, with `output`, has that as its result. The other instance is as it was.

    Gives the id of the new one. Raises WorkflowError if there is no such instance or step, or for an id that is taken.
    """
    kind, name, count = start
    row, entries = await engine.history(workflow, id)
    value = None if output is NO_OUTPUT else encoded(output, "output")
    try:
        journal = forked(entries, kind, f"{name}-{count}", value, engine.clock.now())
    except KeyError:
        text = f'Step "{name}" not found in execution history'
        raise WorkflowError(text, code="instance.cannot_restart") from None
    chunks = []
    for step, known in InstanceState.fold(journal).steps.items():
        for number in range(known.stream.chunks if known.stream is not None else 0):
            assert known.stream is not None
            data = await engine.store.streams.read(row.key, step, known.stream, number)
            if data is None:
                raise WorkflowError(f"Instance {id} was restarted while it was forked. Fork it again.")
            chunks.append(Chunk(step, known.stream.attempt, number, data))
    new_id = new_id if new_id is not None else str(uuid.uuid4())
    await engine.adopt(workflow, new_id, journal, chunks)
    return new_id
