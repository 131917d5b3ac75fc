"""What an actor has to offer to be kept in memory."""

from collections.abc import Hashable
from typing import Protocol, TypeVar

Key_co = TypeVar("Key_co", bound=Hashable, covariant=True)


class Actor(Protocol[Key_co]):
    """Something durable that is in memory at most once. What changes it is written at once, and durable later."""

    users: int
    """How many callers use it now: as long as there are any, it stays."""

    @property
    def key(self) -> Key_co:
        """What it is known by."""

    @property
    def running(self) -> bool:
        """Whether something of it runs, or waits in memory: as long as it does, it stays."""

    def wake(self) -> None:
        """Continue, if it can: its time has come or is near, or it has got what it waited for."""

    def evict(self) -> None:
        """Leave memory, as all of it only waits: at once, or as soon as nothing of it runs any more."""

    def hold_back(self) -> None:
        """Let nothing new start: the process is about to stop."""

    def stop(self) -> None:
        """Leave memory as it stands: what is stored is all that is needed to continue."""

    async def durable(self) -> None:
        """Wait until everything that has changed is durable. Raises if it cannot be."""
