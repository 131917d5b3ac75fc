"""Whether the event loop is being torn down."""

import asyncio


class Lifeline:
    """A task that waits for ever. `asyncio.run` cancels all tasks at its end, and nothing else cancels this one.

    So a run whose code was cancelled can distinguish the end of the process, after which the next process continues it,
    from what the code did to itself.
    """

    def __init__(self) -> None:
        self._task = asyncio.get_running_loop().create_task(_for_ever(), name="cfworkflows-lifeline")

    @property
    def is_cut(self) -> bool:
        return self._task.done() or self._task.cancelling() > 0

    def cut(self) -> None:
        """The engine stops."""
        self._task.cancel()


async def _for_ever() -> None:
    await asyncio.Event().wait()
