"""Whether the code that is calling may still do something: that of an instance which has left memory may not."""

from contextvars import ContextVar
from typing import Protocol


class Permit(Protocol):
    """That of the code which runs in a context."""

    is_over: bool

    async def refuse(self, what: str) -> None:
        """Refuse a call, which `what` names. Raises CfworkflowsError, or never returns."""

    def check(self, what: str) -> None:
        """Raise CfworkflowsError."""


permit: ContextVar[Permit | None] = ContextVar("cfworkflows_permit", default=None)


async def permitted(what: str) -> None:
    """Before a call that does something. Raises CfworkflowsError if the code that is calling may not call any more."""
    held = permit.get()
    if held is not None and held.is_over:
        await held.refuse(what)


def check_permitted(what: str) -> None:
    """See `permitted`."""
    held = permit.get()
    if held is not None and held.is_over:
        held.check(what)
